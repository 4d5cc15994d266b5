/* cut --watch: photos are cut out as they come into folders. */
#ifndef APP_WATCH_H
#define APP_WATCH_H

#include "batch.h"

/* What can be said about the command line before a model is opened. CODE_OK or CODE_USAGE, CODE_OUTPUT; the message has been
 * printed. Sets --no-clobber unless --force is there. */
int watch_check(args *a, const int wanted[OUT_KINDS]);

/* Works on what is in the folders and on what comes, until a signal or --once-idle ends it. b has everything but its list.
 * Returns the exit code: 0 also after a signal, 1 if pictures failed. */
int watch_run(batch *b, args *a, const int wanted[OUT_KINDS]);

#endif
