#include "image_hash.h"

uint64_t hash_mix(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++) {
        h = (h ^ p[i]) * 1099511628211u;
    }
    return h;
}

uint64_t hash_image(uint64_t h, const mb_image *m)
{
    static const size_t channels[] = {1, 3, 3, 4, 4}, bytes[] = {1, 2, 4};
    const int shape[4] = {m->width, m->height, (int)m->pixels, (int)m->depth};
    h = hash_mix(h, shape, sizeof shape);
    const size_t row = (size_t)m->width * channels[m->pixels] * bytes[m->depth];
    for (int y = 0; m->data != NULL && y < m->height; y++) {
        h = hash_mix(h, (const char *)m->data + (size_t)y * (m->row_bytes > 0 ? m->row_bytes : row), row);
    }
    return h;
}

uint64_t hash_result(uint64_t h, const mb_result *r)
{
    return hash_image(hash_image(hash_image(hash_image(h, &r->mask), &r->trimap), &r->alpha), &r->cutout);
}
