/* In the place of cmd_frames.c, which needs poll on pipes: says so. */
#include "commands.h"
#include "message.h"

int cmd_frames(args *a)
{
    (void)a;
    return message_error(CODE_USAGE, "write the frames as pictures: ffmpeg -i FILE frames/%04d.png",
                         "the command frames is not there on Windows");
}
