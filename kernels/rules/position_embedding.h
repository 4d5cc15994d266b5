/* The geometry that the rule of position_embedding and its kernels share. */
#ifndef MB_RULES_POSITION_EMBEDDING_H
#define MB_RULES_POSITION_EMBEDDING_H

#include <math.h>
#include <stdint.h>

/* The side g of the square grid in a table of 1 + g*g rows; 0 if `rows` is not of that form. */
static inline int64_t mb_position_grid(int64_t rows)
{
    if (rows < 2) {
        return 0;
    }
    int64_t g = (int64_t)llround(sqrt((double)(rows - 1)));
    return g * g == rows - 1 ? g : 0;
}

#endif
