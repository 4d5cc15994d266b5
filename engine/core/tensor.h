/* The view of a tensor that kernels and graph share.
 *
 * Shapes are written [N,C,H,W], outermost first; memory is channels last: element (n,c,y,x) lies at
 * data[((n*H + y)*W + x)*pitch + c]. A feature map is therefore the token matrix [N*H*W, C] as it stands, and a slice
 * of channels of a wider map is a view with pitch > C. Constants keep the published order: a weight [O,I,kh,kw] is
 * row-major in that order (its pitch is unused). */
#ifndef MB_CORE_TENSOR_H
#define MB_CORE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mb_dtype { MB_F32 = 0, MB_F16 = 1, MB_BF16 = 2, MB_I64 = 3, MB_DTYPE_COUNT } mb_dtype;

size_t mb_dtype_size(mb_dtype t);      /* bytes of one element */
const char *mb_dtype_name(mb_dtype t); /* "f32" ... */

/* Widen `n` values of dtype t (f32, f16, bf16) to f32: exact. Subnormals, infinities and NaN included. */
void mb_to_f32(float *dst, const void *src, mb_dtype t, size_t n);
/* Round f32 to f16 or bf16 (nearest even) or copy. Overflow gives infinity. */
void mb_from_f32(void *dst, const float *src, mb_dtype t, size_t n);

typedef struct mb_view {
    void *data;      /* NULL while planning (and for absent optional inputs) */
    int64_t dims[4]; /* [N,C,H,W]; dims[0] == 0: absent optional input. Vectors are [C,1,1,1], matrices [O,I,1,1] */
    int64_t pitch;   /* elements from one pixel (token) to the next, >= C */
    mb_dtype dtype;
} mb_view;

static inline bool mb_view_present(const mb_view *v)
{
    return v->dims[0] != 0;
}
static inline int64_t mb_view_tokens(const mb_view *v)
{
    return v->dims[0] * v->dims[2] * v->dims[3];
}
static inline int64_t mb_view_count(const mb_view *v)
{
    return v->dims[0] * v->dims[1] * v->dims[2] * v->dims[3];
}
/* A contiguous channels-last view. */
static inline mb_view mb_view_of(void *data, int64_t n, int64_t c, int64_t h, int64_t w)
{
    mb_view v = {data, {n, c, h, w}, c, MB_F32};
    return v;
}

#endif
