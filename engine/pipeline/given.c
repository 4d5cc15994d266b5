/* See the header. */
#include "pipeline/given.h"

#include "image/convert.h"

#include <stdbool.h>

#define NEARLY_WHITE 170 /* mean luma of what is visible */

void mb_hide_transparent(mb_image_u8 *photo, mb_image_u8 *own)
{
    const size_t n = own->v != NULL ? (size_t)photo->width * (size_t)photo->height : 0;
    uint64_t visible = 0, light = 0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *p = photo->v + 3 * i;
        visible += own->v[i];
        light += (uint64_t)own->v[i] * mb_luma8(p[0], p[1], p[2]);
    }
    if (visible == (uint64_t)n * 255) {
        mb_image_u8_dispose(own);
        return;
    }
    const unsigned behind = light > NEARLY_WHITE * visible ? 0 : 255;
    for (size_t i = 0; i < n; i++) {
        for (size_t c = 0; c < 3; c++) {
            const unsigned v = photo->v[3 * i + c], a = own->v[i];
            photo->v[3 * i + c] = (uint8_t)((v * a + behind * (255 - a) + 127) / 255);
        }
    }
}

void mb_part_trimap(mb_image_u8 *trimap, mb_image_f32 *fine, const mb_options *o)
{
    const size_t n = (size_t)trimap->width * (size_t)trimap->height;
    for (size_t i = 0; i < n; i++) {
        uint8_t *v = trimap->v + i;
        const bool background = *v <= o->trimap_low, foreground = *v >= o->trimap_high;
        *v = background ? 0 : foreground ? 255 : *v;
        if (fine->v != NULL && (background || foreground)) {
            fine->v[i] = foreground ? 1.0f : 0.0f;
        }
    }
}

void mb_plain_trimap(mb_image_u8 *trimap)
{
    const size_t n = trimap->v != NULL ? (size_t)trimap->width * (size_t)trimap->height : 0;
    for (size_t i = 0; i < n; i++) {
        trimap->v[i] = trimap->v[i] == 0 ? 0 : trimap->v[i] == 255 ? 255 : 127;
    }
}
