/* A file of a request on its way in: memory with a descriptor, so that a decoder's process can be given it. */
#ifndef SERVER_UPLOAD_H
#define SERVER_UPLOAD_H

#include <stddef.h>

typedef struct upload {
    int fd; /* -1: none */
    size_t bytes;
} upload;

#define UPLOAD_NONE ((upload){.fd = -1})

/* 0 where the system gave no memory. */
int upload_begin(upload *u);
int upload_add(upload *u, const void *data, size_t n);
/* From here on its size and bytes cannot be changed, by nobody. */
int upload_seal(upload *u);
void upload_dispose(upload *u);

#endif
