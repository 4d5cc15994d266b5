#include "core/sort.h"

#include <string.h>

static void swap(char *a, char *b, size_t size)
{
    char part[64];
    while (size > 0) {
        const size_t n = size < sizeof part ? size : sizeof part;
        memcpy(part, a, n);
        memcpy(a, b, n);
        memcpy(b, part, n);
        a += n;
        b += n;
        size -= n;
    }
}

/* v[0 .. n) is a heap but for element i, which sinks to its place. */
static void sink(char *v, size_t i, size_t n, size_t size, int (*compare)(const void *a, const void *b))
{
    for (size_t child = 2 * i + 1; child < n; child = 2 * i + 1) {
        if (child + 1 < n && compare(v + child * size, v + (child + 1) * size) < 0) {
            child++;
        }
        if (compare(v + i * size, v + child * size) >= 0) {
            return;
        }
        swap(v + i * size, v + child * size, size);
        i = child;
    }
}

/* A heap sort. Files are mostly sorted already: one look along them saves the work. */
void mb_sort(void *v, size_t n, size_t size, int (*compare)(const void *a, const void *b))
{
    char *p = v;
    size_t sorted = 1;
    while (sorted < n && compare(p + (sorted - 1) * size, p + sorted * size) <= 0) {
        sorted++;
    }
    if (sorted >= n) {
        return;
    }
    for (size_t i = n / 2; i > 0; i--) {
        sink(p, i - 1, n, size, compare);
    }
    for (size_t end = n - 1; end > 0; end--) {
        swap(p, p + end * size, size);
        sink(p, 0, end, size, compare);
    }
}
