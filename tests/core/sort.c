/* mb_sort: the order, with elements of all sizes, and comparisons that stay below 2.5 n log2 n even where each answer is
 * chosen to be the worst for a quicksort. */
#include "core/sort.h"
#include "harness/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST 20000

static long n_compared;

typedef struct wide {
    unsigned char filler[90];
    unsigned key, twin;
} wide;

static int by_int(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    n_compared++;
    return (x > y) - (x < y);
}

static int by_key(const void *a, const void *b)
{
    const wide *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static int by_byte(const void *a, const void *b)
{
    return *(const unsigned char *)a - *(const unsigned char *)b;
}

static unsigned state = 1;

static unsigned next(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static double limit(size_t n)
{
    return 2.5 * (double)n * log2((double)n + 1) + 4;
}

static int ordered(size_t i, size_t n, int kind)
{
    switch (kind) {
    case 0:
        return (int)(next() % 1000000);
    case 1:
        return (int)i;
    case 2:
        return -(int)i;
    case 3:
        return (int)(next() % 3);
    case 4:
        return i < n / 2 ? (int)i : (int)(n - i); /* organ pipes */
    default:
        return i == n - 1 ? -1 : (int)i; /* sorted but for the last */
    }
}

TEST(orders)
{
    static int v[MOST], want[MOST];
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 63, 64, 65, 1000, MOST};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (int kind = 0; kind < 6; kind++) {
            const size_t n = sizes[k];
            for (size_t i = 0; i < n; i++) {
                v[i] = want[i] = ordered(i, n, kind);
            }
            qsort(want, n, sizeof want[0], by_int);
            n_compared = 0;
            mb_sort(v, n, sizeof v[0], by_int);
            CHECK_MSG(memcmp(v, want, n * sizeof v[0]) == 0, "%zu elements, kind %d: not sorted", n, kind);
            CHECK_MSG((double)n_compared <= limit(n), "%zu elements, kind %d: %ld comparisons", n, kind, n_compared);
        }
    }
}

TEST(elements_of_other_sizes)
{
    static wide v[777];
    static unsigned char bytes[500];
    for (unsigned i = 0; i < 777; i++) {
        v[i].key = next() % 500;
        v[i].twin = ~v[i].key;
        memset(v[i].filler, (int)(v[i].key & 255), sizeof v[i].filler);
    }
    mb_sort(v, 777, sizeof v[0], by_key);
    for (unsigned i = 0; i < 777; i++) {
        CHECK(i == 0 || v[i - 1].key <= v[i].key);
        CHECK(v[i].twin == ~v[i].key && v[i].filler[0] == (v[i].key & 255) && v[i].filler[89] == v[i].filler[0]);
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)next();
    }
    mb_sort(bytes, sizeof bytes, 1, by_byte);
    for (size_t i = 1; i < sizeof bytes; i++) {
        CHECK(bytes[i - 1] <= bytes[i]);
    }
}

/* Values are fixed as late as they can be: of two that are open, the one that was last compared with a fixed one (a
 * quicksort's pivot) becomes the next smallest. Any quicksort takes the square. */
static int values[MOST], n_fixed, candidate;

static int worst(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;
    n_compared++;
    if (values[x] == MOST && values[y] == MOST) {
        values[x == candidate ? x : y] = n_fixed++;
    }
    candidate = values[x] == MOST ? x : values[y] == MOST ? y : candidate;
    return (values[x] > values[y]) - (values[x] < values[y]);
}

TEST(chosen_by_an_attacker)
{
    static int v[MOST];
    for (int i = 0; i < MOST; i++) {
        v[i] = i;
        values[i] = MOST;
    }
    n_compared = 0;
    mb_sort(v, MOST, sizeof v[0], worst);
    CHECK_MSG((double)n_compared <= limit(MOST), "%ld comparisons", n_compared);
    for (int i = 1; i < MOST; i++) {
        CHECK(values[v[i - 1]] <= values[v[i]]);
    }
}
