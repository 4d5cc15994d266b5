/* `mattebox serve` as a test's own: started on a free port, asked over plain sockets, so that requests may be as slow and
 * as broken as clients are. */
#ifndef MB_TEST_SERVING_H
#define MB_TEST_SERVING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct serving {
    int pid;
    int port;            /* 0: a Unix socket */
    char unix_path[256]; /* in place of the port, "" */
    char log[4200];      /* the file with its stderr */
} serving;

/* Starts it in the folder of process_folder; `options` as on a shell's command line, with --listen or --unix added where
 * they have neither. Returns when it listens; `ready`: when it is ready, too. */
bool serving_start(serving *s, const char *options, bool ready);
/* SIGTERM, and the exit code; -1: it had to be killed. */
int serving_stop(serving *s);
bool serving_is_alive(const serving *s);
long serving_resident_kib(const serving *s); /* of the server's process */
/* What it has said so far; freed by free(). */
char *serving_log(const serving *s);

typedef struct reply {
    int status; /* 0: the connection was closed without an answer */
    char head[16384];
    char *body; /* ends with a 0 that is not counted */
    size_t bytes;
} reply;
void reply_dispose(reply *r);
/* The value of a header, "" if there is none; valid until the next call. */
const char *reply_header(const reply *r, const char *name);

typedef struct part {
    const char *name;
    const char *filename; /* NULL: a text field */
    const void *data;
    size_t bytes; /* 0 with data: a text */
} part;

int serving_connect(const serving *s);
/* Reads one answer. */
void serving_receive(int fd, reply *r);
/* Sends bytes as they are, and reads the answer. */
void serving_raw(const serving *s, reply *r, const void *data, size_t bytes);
/* headers: lines that end in \r\n, or NULL. */
void serving_ask(const serving *s, reply *r, const char *method, const char *path, const char *headers);
void serving_post(const serving *s, reply *r, const char *path, const char *headers, const part *parts, int n);
/* The bytes of such a request; freed by free(). */
char *serving_form(size_t *bytes, const char *path, const char *headers, const part *parts, int n);
/* A POST with one file, and answers with the picture's size: 0 x 0 where there is no PNG. */
void png_size(const reply *r, int *width, int *height, int *colour_type);

#endif
