/* What the program for Windows lacks, in the place of watch.c and cmd_frames.c: each says so. */
#include "commands.h"
#include "message.h"
#include "watch.h"

int watch_check(args *a, const int wanted[OUT_KINDS])
{
    (void)a;
    (void)wanted;
    return message_error(CODE_USAGE, "run it from a timer with --no-clobber instead",
                         "--watch is not there on Windows");
}

int watch_run(batch *b, args *a, const int wanted[OUT_KINDS])
{
    (void)b;
    return watch_check(a, wanted);
}

int cmd_frames(args *a)
{
    (void)a;
    return message_error(CODE_USAGE, "write the frames as pictures: ffmpeg -i FILE frames/%04d.png",
                         "the command frames is not there on Windows");
}
