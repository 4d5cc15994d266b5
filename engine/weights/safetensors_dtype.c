/* The element types of safetensors: names, sizes, and which of them become f32 here. Names are those of the format's own
 * list; types without a reader are known, so that a sound file of such values is not called damaged. */
#include "weights/safetensors.h"

#include <string.h>

static const struct {
    const char *name;
    size_t bits;
    const char *unread;
} types[MB_ST_DTYPE_COUNT] = {
    [MB_ST_F64] = {"F64", 64, NULL},
    [MB_ST_F32] = {"F32", 32, NULL},
    [MB_ST_F16] = {"F16", 16, NULL},
    [MB_ST_BF16] = {"BF16", 16, NULL},
    [MB_ST_I64] = {"I64", 64, NULL},
    [MB_ST_I32] = {"I32", 32, NULL},
    [MB_ST_I16] = {"I16", 16, NULL},
    [MB_ST_I8] = {"I8", 8, NULL},
    [MB_ST_U64] = {"U64", 64, NULL},
    [MB_ST_U32] = {"U32", 32, NULL},
    [MB_ST_U16] = {"U16", 16, NULL},
    [MB_ST_U8] = {"U8", 8, NULL},
    [MB_ST_BOOL] = {"BOOL", 8, NULL},
    [MB_ST_F8_E4M3] = {"F8_E4M3", 8, "8-bit floats"},
    [MB_ST_F8_E5M2] = {"F8_E5M2", 8, "8-bit floats"},
    [MB_ST_F8_E8M0] = {"F8_E8M0", 8, "8-bit floats"},
    [MB_ST_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 8, "8-bit floats"},
    [MB_ST_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 8, "8-bit floats"},
    [MB_ST_F6_E2M3] = {"F6_E2M3", 6, "6-bit floats"},
    [MB_ST_F6_E3M2] = {"F6_E3M2", 6, "6-bit floats"},
    [MB_ST_F4] = {"F4", 4, "4-bit floats"},
    [MB_ST_C64] = {"C64", 64, "complex numbers"},
    [MB_ST_C128] = {"C128", 128, "complex numbers"},
    [MB_ST_OTHER] = {"other", 0, "values of another kind"},
};

size_t mb_st_dtype_bits(mb_st_dtype t)
{
    return types[t].bits;
}

size_t mb_st_dtype_size(mb_st_dtype t)
{
    return types[t].bits / 8;
}

const char *mb_st_dtype_unread(mb_st_dtype t)
{
    return types[t].unread;
}

const char *mb_st_dtype_name(mb_st_dtype t)
{
    return types[t].name;
}

/* Types that can be weights. */
bool mb_st_dtype_is_float(mb_st_dtype t)
{
    return t <= MB_ST_BF16;
}

#define CONVERT(type)                                                                                                  \
    for (size_t i = 0; i < n; i++) {                                                                                   \
        type v;                                                                                                        \
        memcpy(&v, s + i * sizeof v, sizeof v); /* data of a file may lie anywhere */                                  \
        dst[i] = (float)v;                                                                                             \
    }                                                                                                                  \
    break

/* n elements of any type to f32. 64-bit integers and doubles are rounded to nearest. BOOL and U8 are bytes; types that
 * are not read do not come here. */
void mb_st_to_float(float *dst, const void *src, mb_st_dtype t, size_t n)
{
    const uint8_t *s = src;
    switch (t) {
    case MB_ST_F64:
        CONVERT(double);
    case MB_ST_F32:
        memcpy(dst, src, n * sizeof *dst);
        break;
    case MB_ST_F16:
    case MB_ST_BF16:
        for (size_t i = 0; i < n; i++) {
            uint16_t v;
            memcpy(&v, s + 2 * i, sizeof v);
            mb_to_f32(dst + i, &v, t == MB_ST_F16 ? MB_F16 : MB_BF16, 1);
        }
        break;
    case MB_ST_I64:
        CONVERT(int64_t);
    case MB_ST_I32:
        CONVERT(int32_t);
    case MB_ST_I16:
        CONVERT(int16_t);
    case MB_ST_I8:
        CONVERT(int8_t);
    case MB_ST_U64:
        CONVERT(uint64_t);
    case MB_ST_U32:
        CONVERT(uint32_t);
    case MB_ST_U16:
        CONVERT(uint16_t);
    default:
        CONVERT(uint8_t);
    }
}
