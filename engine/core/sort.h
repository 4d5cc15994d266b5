/* Sorting of what files choose. The C library's qsort may be a quicksort (Windows), for which an order can be made up that
 * takes the square of the number of elements in time. */
#ifndef MB_CORE_SORT_H
#define MB_CORE_SORT_H

#include <stddef.h>

/* As qsort: n elements of `size` bytes each, ascending by `compare`. At most about 2 n log2 n comparisons whatever the
 * order, no memory, no recursion. Elements that are equal come out in any order, but always the same. */
void mb_sort(void *v, size_t n, size_t size, int (*compare)(const void *a, const void *b));

#endif
