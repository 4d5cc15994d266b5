/* F7: pictures of all sizes, orders and depths through our PNG writer and back: the same samples, the same text beside
 * them. The input is the shape; pixels come from its bytes. */
#include "core/alloc.h"
#include "fuzz.h"
#include "image/codec/load.h"
#include "image/codec/save.h"
#include "image/convert.h"

#include <string.h>

static int samples_of(mb_pixels p)
{
    return p == MB_PIXELS_GRAY ? 1 : p == MB_PIXELS_RGB || p == MB_PIXELS_BGR ? 3 : 4;
}

/* Sample c (0 red, 1 green, 2 blue, 3 alpha) of pixel (x,y), in the picture's own depth. */
static unsigned sample(const mb_image *p, int x, int y, int c)
{
    const int n = samples_of(p->pixels), wide = p->depth == MB_DEPTH_U16 ? 2 : 1;
    const bool turned = p->pixels == MB_PIXELS_BGR || p->pixels == MB_PIXELS_BGRA;
    const int at = n == 1 ? 0 : c == 3 || !turned ? c : 2 - c;
    const uint8_t *v = (const uint8_t *)p->data + (size_t)y * p->row_bytes + (size_t)((x * n + at) * wide);
    uint16_t v16;
    if (c == 3 && n < 4) {
        return wide == 2 ? 65535 : 255;
    }
    memcpy(&v16, v, (size_t)wide);
    return wide == 2 ? v16 : *v;
}

static void compare(const mb_image *p, const mb_image_u8 *got, const mb_load_info *info)
{
    FUZZ_MUST(got->width == p->width && got->height == p->height);
    FUZZ_MUST((p->depth == MB_DEPTH_U16) == (info->u16 != NULL));
    for (int y = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            const size_t i = (size_t)y * (size_t)p->width + (size_t)x;
            for (int c = 0; c < 3; c++) {
                const unsigned want = sample(p, x, y, c);
                FUZZ_MUST(info->u16 != NULL ? info->u16[3 * i + (size_t)c] == want : got->v[3 * i + (size_t)c] == want);
            }
            const unsigned alpha = sample(p, x, y, 3);
            if (info->alpha_plane.v == NULL) { /* opaque throughout */
                FUZZ_MUST(alpha == (p->depth == MB_DEPTH_U16 ? 65535u : 255u));
            } else {
                FUZZ_MUST(info->u16_alpha != NULL ? info->u16_alpha[i] == alpha : info->alpha_plane.v[i] == alpha);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input in = {bytes, bytes + n};
    mb_save_spec spec;
    mb_load_limits limits;
    mb_load_info info;
    mb_image_u8 got;
    mb_error err = {0};
    void *png = NULL;
    size_t n_png = 0;
    mb_save_spec_init(&spec);
    spec.level = fuzz_range(&in, 0, 9);
    mb_image p = {.width = fuzz_range(&in, 1, 40),
                  .height = fuzz_range(&in, 1, 40),
                  .pixels = (mb_pixels)fuzz_range(&in, 0, 4),
                  .depth = (mb_depth)fuzz_range(&in, 0, 1)};
    const size_t row = (size_t)(p.width * samples_of(p.pixels)) * (p.depth == MB_DEPTH_U16 ? 2 : 1);
    p.row_bytes = row + (size_t)fuzz_range(&in, 0, 5);
    uint8_t *data = mb_alloc(p.row_bytes * (size_t)p.height);
    FUZZ_MUST(data != NULL);
    const size_t rest = (size_t)(in.end - in.at);
    for (size_t i = 0; i < p.row_bytes * (size_t)p.height; i++) {
        data[i] = rest > 0 ? in.at[i % rest] : 0;
    }
    p.data = data;
    FUZZ_MUST(mb_png_encode(NULL, &png, &n_png, &p, &spec, &err) == MB_OK);
    mb_load_limits_init(&limits);
    limits.keep_alpha = limits.keep_depth = true;
    FUZZ_MUST(mb_load_memory(NULL, &got, &info, png, n_png, "x", &limits, &err) == MB_OK);
    compare(&p, &got, &info);
    mb_load_info_dispose(&info);
    mb_image_u8_dispose(&got);
    mb_free(png);
    mb_free(data);
    return 0;
}
