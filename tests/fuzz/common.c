/* What fuzz.h declares, but for the faults. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_broken(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

uint64_t fuzz_next(fuzz_random *r)
{
    r->state += 0x9E3779B97F4A7C15u;
    uint64_t z = (r->state ^ r->state >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

size_t fuzz_below(fuzz_random *r, size_t n)
{
    return n > 0 ? (size_t)(fuzz_next(r) % n) : 0;
}

bool fuzz_one_in(fuzz_random *r, size_t n)
{
    return fuzz_below(r, n) == 0;
}

uint64_t fuzz_edge(fuzz_random *r, uint64_t near)
{
    uint64_t power = (uint64_t)1 << fuzz_below(r, 64);
    switch (fuzz_below(r, 8)) {
    case 0:
        return fuzz_below(r, 3);
    case 1:
        return 0 - (uint64_t)fuzz_below(r, 3);
    case 2:
        return power;
    case 3:
        return power - 1;
    case 4:
        return near + 1;
    case 5:
        return near - 1;
    case 6:
        return near ^ power;
    default:
        return near + 64 - fuzz_below(r, 129);
    }
}

uint64_t fuzz_take(fuzz_input *in, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes && in->at < in->end; i++) {
        value |= (uint64_t)*in->at++ << (8 * i);
    }
    return value;
}

int fuzz_range(fuzz_input *in, int low, int high)
{
    return low + (int)(fuzz_take(in, 2) % (uint64_t)(high - low + 1));
}
