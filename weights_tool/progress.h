/* A progress bar on a terminal; silence elsewhere. Also where an interruption is noticed. */
#ifndef MB_WEIGHTS_TOOL_PROGRESS_H
#define MB_WEIGHTS_TOOL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct progress {
    const char *what;
    bool shown; /* standard error is a terminal and nobody asked for quiet */
    size_t total;
    int percent; /* last one drawn */
} progress;

void progress_begin(progress *p, const char *what, size_t total, bool quiet);
/* False: the user interrupted; stop and clean up. Fits mb_weights_verify through progress_callback. */
bool progress_at(progress *p, size_t done);
void progress_end(progress *p); /* wipes the line */
int progress_callback(void *p, size_t done, size_t total);

/* From a signal handler. */
void progress_interrupt(void);

#endif
