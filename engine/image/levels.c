/* Histogram remap. Black and scale are computed in f64 and rounded once; the pixel's two steps are separate f32
 * operations (the build forbids contraction), since the byte after truncation shows the last bit. */
#include "image/levels.h"

#include "core/target_clones.h"

#include <string.h>

#define GRAIN ((size_t)1 << 16)

mb_levels mb_levels_of(double black, double white)
{
    double b = black < white - 0.001 ? black : white - 0.001;
    return (mb_levels){(float)b, (float)(1.0 / (white - b))};
}

typedef struct levels_job {
    float *f32;
    uint8_t *u8;
    const uint8_t *table;
    mb_levels l;
} levels_job;

MB_CLONES static void apply_range(float *v, size_t n, mb_levels l)
{
    for (size_t i = 0; i < n; i++) {
        v[i] = mb_levels_apply(l, v[i]);
    }
}

static void plane_range(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    levels_job *j = arg;
    apply_range(j->f32 + begin, end - begin, j->l);
}

void mb_levels_f32(const mb_task *task, mb_image_f32 *p, mb_levels l)
{
    levels_job j = {.f32 = p->v, .l = l};
    mb_parallel_for(mb_task_pool(task), (size_t)p->width * (size_t)p->height, GRAIN, plane_range, &j);
}

void mb_levels_table(uint8_t table[256], mb_levels l)
{
    for (int v = 0; v < 256; v++) {
        table[v] = (uint8_t)(255.0f * mb_levels_apply(l, (float)v / 255.0f));
    }
}

/* Products are rounded to f32 once, then truncated. */
void mb_levels_brightness_table(uint8_t table[256], double factor)
{
    float f = (float)factor;
    for (int v = 0; v < 256; v++) {
        float bright = f * (float)v;
        table[v] = bright > 0.0f ? (uint8_t)(bright < 255.0f ? bright : 255.0f) : 0;
    }
}

/* Masks are mostly flat: a run of equal bytes takes one look into the table. */
MB_CLONES static void map_bytes(uint8_t *v, size_t n, const uint8_t *table)
{
    enum { RUN = 64 };
    size_t i = 0;
    for (; i + RUN <= n; i += RUN) {
        uint8_t first = v[i], differ = 0;
        for (size_t k = 0; k < RUN; k++) {
            differ |= (uint8_t)(v[i + k] ^ first);
        }
        if (differ == 0) {
            memset(v + i, table[first], RUN);
            continue;
        }
        for (size_t k = 0; k < RUN; k++) {
            v[i + k] = table[v[i + k]];
        }
    }
    for (; i < n; i++) {
        v[i] = table[v[i]];
    }
}

static void map_range(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    levels_job *j = arg;
    map_bytes(j->u8 + begin, end - begin, j->table);
}

void mb_levels_map(const mb_task *task, mb_image_u8 *p, const uint8_t table[256])
{
    levels_job j = {.u8 = p->v, .table = table};
    mb_parallel_for(mb_task_pool(task), (size_t)p->width * (size_t)p->height * (size_t)p->channels, GRAIN, map_range,
                    &j);
}
