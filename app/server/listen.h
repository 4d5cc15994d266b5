/* Sockets to listen on: from --listen and --unix, or handed over by systemd. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include "../args.h"

#define MAX_SOCKETS 16

typedef struct listener {
    int fd, is_unix, is_loopback;
    char name[160]; /* "http://127.0.0.1:7000", "unix:/run/mattebox.sock" */
} listener;

/* Opens all; their number is in *n. CODE_OK, or the message has been printed. */
int listen_open(listener *out, int *n, const args *a);
/* Removes the Unix socket's file. */
void listen_clean(const args *a);

/* "READY=1" and the like, to systemd if it started us; else nothing. */
void notify_systemd(const char *text);

#endif
