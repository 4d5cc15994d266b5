/* Convolution of planes, vectors of pixels along x (mb_plane_rows in isa.h): as many as share a broadcast weight. */
#include "isa.h"
#include "simd.h"

#if defined(MB_NEON)
#define MB_PLANE_VECTORS 8
#else
#define MB_PLANE_VECTORS 4
#endif
#define MB_UNROLL_PLANES _Pragma("GCC unroll 8")

/* out[x] = bias + sum over ky, i, kx, for `width` pixels rounded up to whole groups of vectors. kernel_w is a constant
 * where a call gives one: its loop is then none. */
MB_INLINE void plane_row_of(const mb_plane_rows *p, float *out, int64_t width, const int64_t kernel_w)
{
    for (int64_t x = 0; x < width; x += MB_PLANE_VECTORS * MB_W) {
        mb_v sum[MB_PLANE_VECTORS];
        MB_UNROLL_PLANES
        for (int v = 0; v < MB_PLANE_VECTORS; v++) {
            sum[v] = v_set(p->bias);
        }
        const float *w = p->w;
        for (int64_t i = 0; i < p->channels; i++) {
            for (int64_t ky = 0; ky < p->kernel_h; ky++) {
                const float *from = p->planes + (ky * p->channels + i) * p->pitch + x;
#pragma GCC unroll 3
                for (int64_t kx = 0; kx < kernel_w; kx++) {
                    mb_v k = v_set(*w++);
                    const float *at = from + kx;
#if defined(MB_NEON)
                    __asm__("" : "+r"(at)); /* a register of its own: two vectors are one load then */
#endif
                    MB_UNROLL_PLANES
                    for (int v = 0; v < MB_PLANE_VECTORS; v++) {
                        sum[v] = v_fma(k, v_load(at + v * MB_W), sum[v]);
                    }
                }
            }
        }
        MB_UNROLL_PLANES
        for (int v = 0; v < MB_PLANE_VECTORS; v++) {
            v_store(out + x + v * MB_W, sum[v]);
        }
    }
}

static void plane_row(const mb_plane_rows *p, float *out, int64_t width)
{
    if (p->kernel_w == 3) {
        plane_row_of(p, out, width, 3);
    } else {
        plane_row_of(p, out, width, p->kernel_w);
    }
}
