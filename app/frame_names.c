/* The names of frames' formats, for the table of options. */
#include "raw_frames.h"

const char *raw_pixels_name(int pixels)
{
    static const char *const names[] = {"rgb24", "bgr24", "rgba", "bgra", "gray", "rgb48le", "rgba64le"};
    return pixels >= 0 && pixels < (int)(sizeof names / sizeof names[0]) ? names[pixels] : NULL;
}

const char *raw_output_name(int output)
{
    static const char *const names[OUT_FORMATS] = {"rgba", "bgra", "rgba64le", "rgb24", "gray", "gray16le", "yuva444p"};
    return output >= 0 && output < OUT_FORMATS ? names[output] : NULL;
}

const char *yuv_matrix_name(int matrix)
{
    static const char *const names[] = {"auto", "bt601", "bt709"};
    return matrix >= 0 && matrix < (int)(sizeof names / sizeof names[0]) ? names[matrix] : NULL;
}
