/* Convolution of planes, vectors of pixels along x (mb_plane_rows in isa.h): four vectors share a broadcast weight. */
#include "isa.h"
#include "simd.h"

/* out[x] = bias + sum over ky, i, kx, for `width` pixels rounded up to four vectors. */
static void plane_row(const mb_plane_rows *p, float *out, int64_t width)
{
    for (int64_t x = 0; x < width; x += 4 * MB_W) {
        mb_v s0 = v_set(p->bias), s1 = s0, s2 = s0, s3 = s0;
        const float *w = p->w;
        for (int64_t i = 0; i < p->channels; i++) {
            for (int64_t ky = 0; ky < p->kernel_h; ky++) {
                const float *from = p->planes + (ky * p->channels + i) * p->pitch + x;
                for (int64_t kx = 0; kx < p->kernel_w; kx++, from++) {
                    mb_v k = v_set(*w++);
                    s0 = v_fma(k, v_load(from), s0);
                    s1 = v_fma(k, v_load(from + MB_W), s1);
                    s2 = v_fma(k, v_load(from + 2 * MB_W), s2);
                    s3 = v_fma(k, v_load(from + 3 * MB_W), s3);
                }
            }
        }
        v_store(out + x, s0);
        v_store(out + x + MB_W, s1);
        v_store(out + x + 2 * MB_W, s2);
        v_store(out + x + 3 * MB_W, s3);
    }
}
