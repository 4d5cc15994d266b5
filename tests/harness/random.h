/* Seeded random numbers for tests: the same on every machine. */
#ifndef MB_TEST_RANDOM_H
#define MB_TEST_RANDOM_H

#include <stdint.h>

typedef struct test_random {
    uint64_t state;
} test_random;

static inline uint64_t test_random_u64(test_random *r) /* splitmix64 */
{
    uint64_t z = (r->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
static inline uint32_t test_random_below(test_random *r, uint32_t n)
{
    return (uint32_t)((test_random_u64(r) >> 32) * n >> 32);
}
static inline float test_random_float(test_random *r, float low, float high)
{
    return low + (high - low) * (float)(test_random_u64(r) >> 40) * 0x1p-24f;
}

#endif
