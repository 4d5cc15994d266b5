/* The geometry that the rule of vit_attention and its plain kernel share. */
#ifndef MB_RULES_VIT_ATTENTION_H
#define MB_RULES_VIT_ATTENTION_H

#include "kernel.h"

/* The map that attends (a window, or the whole picture): a x b tokens, d channels per head. rows x cols of them cover
 * the picture. */
typedef struct mb_vit_map {
    int64_t a, b, rows, cols, d;
} mb_vit_map;

static inline mb_vit_map mb_vit_map_of(const mb_call *c)
{
    const mb_vit_attention_attrs *at = c->attrs;
    const int64_t *x = c->in[0].dims;
    int64_t a = at->window > 0 ? at->window : x[2], b = at->window > 0 ? at->window : x[3];
    return (mb_vit_map){a, b, (x[2] + a - 1) / a, (x[3] + b - 1) / b, x[1] / 3 / at->heads};
}

/* Tokens of window `i` along an axis of `size` tokens that lie on the picture. */
static inline int64_t mb_vit_inside(int64_t size, int64_t window, int64_t i)
{
    return size - i * window < window ? size - i * window : window;
}

#endif
