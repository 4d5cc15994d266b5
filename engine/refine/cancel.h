/* A question that long work asks between pieces: stop? */
#ifndef MB_REFINE_CANCEL_H
#define MB_REFINE_CANCEL_H

#include <stdbool.h>
#include <stddef.h>

/* `asked` may be called from several worker threads at once; NULL: never stop. */
typedef struct mb_cancel {
    bool (*asked)(void *user);
    void *user;
} mb_cancel;

static inline bool mb_cancelled(const mb_cancel *c)
{
    return c != NULL && c->asked != NULL && c->asked(c->user);
}

#endif
