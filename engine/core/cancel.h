/* A question that long work asks between pieces: stop? And what it tells meanwhile: how far it is. */
#ifndef MB_CORE_CANCEL_H
#define MB_CORE_CANCEL_H

#include <stdbool.h>
#include <stddef.h>

/* Both may be called from several worker threads at once, as often as every few microseconds. NULL: never stop, tell
 * nothing. */
typedef struct mb_cancel {
    bool (*asked)(void *user);
    void *user;
    void (*at)(void *user, double done); /* 0 .. 1 of the work in hand */
} mb_cancel;

/* Serial loops over pixels or rows of a matrix ask every so many: well under 10 ms. */
#define MB_CANCEL_STRIDE 32768

static inline bool mb_cancelled(const mb_cancel *c)
{
    return c != NULL && c->asked != NULL && c->asked(c->user);
}

static inline void mb_cancel_at(const mb_cancel *c, double done)
{
    if (c != NULL && c->at != NULL) {
        c->at(c->user, done);
    }
}

#endif
