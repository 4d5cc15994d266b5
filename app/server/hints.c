/* Strokes of a user on a mask. They may be of another size: a page draws on what it shows. */
#include "stages.h"

/* Of a pixel of strokes: 255 (subject), 0 (background) or -1 (nothing said). */
static int hint_of(const unsigned char *rgba)
{
    int luma = (77 * rgba[0] + 150 * rgba[1] + 29 * rgba[2]) >> 8;
    if (rgba[3] < 128 || (luma >= 64 && luma < 192)) {
        return -1;
    }
    return luma >= 192 ? 255 : 0;
}

mb_status hints_apply(const mb_image *mask, const mb_image *hints, mb_error *err)
{
    const size_t row_bytes = mask->row_bytes != 0 ? mask->row_bytes : (size_t)mask->width;
    const size_t hint_row = hints->row_bytes != 0 ? hints->row_bytes : 4 * (size_t)hints->width;
    if (mask->pixels != MB_PIXELS_GRAY || mask->depth != MB_DEPTH_U8 || hints->pixels != MB_PIXELS_RGBA ||
        hints->depth != MB_DEPTH_U8) {
        return own_error(err, MB_E_INTERNAL, "hints need a mask of 8 bits");
    }
    for (int y = 0; y < mask->height; y++) {
        unsigned char *to = (unsigned char *)mask->data + (size_t)y * row_bytes;
        const size_t from_y = (size_t)y * (size_t)hints->height / (size_t)mask->height;
        const unsigned char *from = (const unsigned char *)hints->data + from_y * hint_row;
        for (int x = 0; x < mask->width; x++) {
            int v = hint_of(from + 4 * ((size_t)x * (size_t)hints->width / (size_t)mask->width));
            to[x] = v < 0 ? to[x] : (unsigned char)v;
        }
    }
    return MB_OK;
}
