/* `mattebox serve`: what its parts share.
 *
 *   http.c      libmicrohttpd's callbacks, connections and their time limits: all in the main thread
 *   routes.c    the table of routes, and from a request to work
 *   queue.c     work on its way through the threads: decode, run, encode
 *   lanes.c     models and pipelines of the computing threads
 *   decoder.c   the processes that decode pictures
 *   photos.c    photos that are kept for the page, with their masks */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "../args.h"

#include <stdatomic.h>
#include <stddef.h>

enum { SANDBOX_AUTO, SANDBOX_ON, SANDBOX_OFF }; /* --sandbox */

struct queue;
struct lanes;
struct photos;
struct metrics;
struct guard;

/* One per process, made by cmd_serve before there are threads; the parts lock themselves. */
typedef struct server {
    args *a;
    struct queue *queue;
    struct lanes *lanes;
    struct photos *photos;
    struct metrics *metrics;
    struct guard *guard;
    _Atomic int ready;        /* models are open and have run once */
    _Atomic int draining;     /* SIGTERM came */
    _Atomic int at_work;      /* pieces of work that are not done */
    _Atomic size_t in_memory; /* bytes of all uploads */
    int wake;                 /* eventfd: there is something for the main thread to do */
    size_t max_in_memory;
} server;

#endif
