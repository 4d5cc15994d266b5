/* Thin cover over the tool's generator, and the test pictures. */
#include "harness/genweights.h"

#include "generate.h"

mb_status gen_weights_as(mb_weights **out, const char *variant, uint64_t seed, mb_dtype dtype, mb_error *err)
{
    generator *g;
    *out = NULL;
    mb_status status = generator_create(&g, variant, seed, err);
    if (status == MB_OK) {
        status = generate_memory(g, out, dtype, err);
        generator_free(g);
    }
    return status;
}

mb_status gen_weights(mb_weights **out, const char *variant, uint64_t seed, mb_error *err)
{
    return gen_weights_as(out, variant, seed, MB_F32, err);
}

mb_status gen_weights_file(const char *path, const char *variant, uint64_t seed, mb_dtype dtype, mb_error *err)
{
    generator *g;
    mb_status status = generator_create(&g, variant, seed, err);
    if (status == MB_OK) {
        status = generate_file(g, path, true, dtype, err);
        generator_free(g);
    }
    return status;
}

/* ---- pictures */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static int64_t lattice(uint64_t seed, uint64_t index, int octave, int c, int64_t gx, int64_t gy)
{
    uint64_t key = (uint64_t)((gy * 65536 + gx) * 64 + octave * 16 + c * 4) + index * 0x632BE59BD9B4E019u;
    return (int64_t)(mix(seed + (key + 1) * 0x9E3779B97F4A7C15u) >> 56);
}

void gen_image(uint8_t *dst, uint64_t seed, int height, int width, uint64_t index)
{
    static const int shift[4] = {6, 4, 2, 0}, weight[4] = {4, 2, 1, 1};
    const int64_t cx = width / 2, cy = (int64_t)height * 9 / 16;
    const int64_t rx = width * 3 / 10 > 1 ? width * 3 / 10 : 1, ry = height * 3 / 8 > 1 ? height * 3 / 8 : 1;
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x++) {
            bool inside = (x - cx) * (x - cx) * ry * ry + (y - cy) * (y - cy) * rx * rx < rx * rx * ry * ry;
            for (int c = 0; c < 3; c++) {
                int64_t sum = 0;
                for (int o = 0; o < 4; o++) {
                    const int64_t s = (int64_t)1 << shift[o], gx = x / s, gy = y / s, fx = x % s, fy = y % s;
                    int64_t top =
                        lattice(seed, index, o, c, gx, gy) * (s - fx) + lattice(seed, index, o, c, gx + 1, gy) * fx;
                    int64_t bottom = lattice(seed, index, o, c, gx, gy + 1) * (s - fx) +
                                     lattice(seed, index, o, c, gx + 1, gy + 1) * fx;
                    sum += weight[o] * ((top * (s - fy) + bottom * fy) >> (2 * shift[o]));
                }
                int64_t v = sum >> 3;
                dst[(y * width + x) * 3 + c] = (uint8_t)(inside ? 255 - v : v);
            }
        }
    }
}
