/* What every launch function needs: the words for a launch that was refused. */
#include "cuda/lang/dialect.h"
#include "cuda/lang/launch.h"

const char *mb_cuda_launch_text(int code)
{
    return MB_LAUNCH_TEXT(code);
}
