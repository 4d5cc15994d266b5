/* Pictures from strangers, decoded in a process of their own that can neither open files nor use a network: what breaks
 * it costs one picture. */
#ifndef SERVER_DECODER_H
#define SERVER_DECODER_H

#include "upload.h"

#include <mattebox.h>

typedef struct decoder decoder;

typedef struct decoder_options {
    double max_megapixels;
    size_t max_memory; /* 0: no limit */
    int sandbox;       /* SANDBOX_AUTO ...: of server.h */
} decoder_options;

typedef struct decode_options {
    int keep_depth, keep_alpha, accept_partial;
    double deadline_ms;        /* clock_ms() at which it is stopped */
    int (*cancel)(void *user); /* asked now and then */
    void *user;
} decode_options;

/* A decoded picture. Metadata and pixels lie in one mapping, or are the library's (map NULL). */
typedef struct decoded {
    mb_image image;
    mb_image_source source;
    mb_metadata metadata;
    void *map;
    size_t map_bytes;
} decoded;

/* ABSENT: none could be started just now, which is no fault of the file. */
typedef enum decoder_fault { DECODER_FINE, DECODER_CRASHED, DECODER_LATE, DECODER_ABSENT } decoder_fault;

/* One per thread. The process starts with the first picture, and again after a crash. NULL: no memory. */
decoder *decoder_create(const decoder_options *options);
void decoder_free(decoder *d);
/* Starts the process, if there is to be one, so that the first picture need not wait. A failure (MB_E_UNSUPPORTED: no
 * sandbox on this system) is said. */
mb_status decoder_start(decoder *d, mb_error *err);
/* fault: why there is no picture, where that is not in the file's words. */
mb_status decoder_read(decoder *d, decoded *out, decoder_fault *fault, const upload *file,
                       const decode_options *options, mb_error *err);
void decoded_dispose(decoded *p);
/* "seccomp", "process" or "none", for logs. */
const char *decoder_kind(const decoder *d);
/* Processes that had to be started again so far, in all threads. */
unsigned long decoder_restarts(void);

#endif
