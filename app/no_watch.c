/* In the place of watch.c where the program does not hear of changes in folders: says so. */
#include "commands.h"
#include "message.h"
#include "watch.h"

int watch_check(args *a, const int wanted[OUT_KINDS])
{
    (void)a;
    (void)wanted;
    return message_error(CODE_USAGE, "run it from a timer with --no-clobber instead",
                         "--watch is there on Linux alone");
}

int watch_run(batch *b, args *a, const int wanted[OUT_KINDS])
{
    (void)b;
    return watch_check(a, wanted);
}
