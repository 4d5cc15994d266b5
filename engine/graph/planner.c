/* Greedy by size (Pisarchyk & Lee 2020, "Efficient memory management for deep neural net inference"): the largest block
 * first, each into the smallest gap that holds it between the blocks placed so far that are alive at the same time. */
#include "graph/planner.h"

#include "core/alloc.h"
#include "core/sort.h"

#include <string.h>

static size_t aligned(size_t bytes)
{
    return (bytes + MB_ARENA_ALIGNMENT - 1) / MB_ARENA_ALIGNMENT * MB_ARENA_ALIGNMENT;
}

/* Largest first; of equal size the earlier born, then the order of the array. */
static int by_size(const void *a, const void *b)
{
    const mb_block *x = *(mb_block *const *)a, *y = *(mb_block *const *)b;
    if (x->bytes != y->bytes) {
        return x->bytes < y->bytes ? 1 : -1;
    }
    if (x->first != y->first) {
        return x->first < y->first ? -1 : 1;
    }
    return x < y ? -1 : 1; /* the array's order: the same plan every time */
}

static int by_offset(const void *a, const void *b)
{
    const mb_block *x = *(mb_block *const *)a, *y = *(mb_block *const *)b;
    return x->offset != y->offset ? (x->offset < y->offset ? -1 : 1) : (x < y ? -1 : 1);
}

/* The best gap for `b` among those of `placed` (sorted by offset) that are alive at the same time. */
static size_t best_offset(const mb_block *b, mb_block *const *placed, int n)
{
    size_t end = 0, best = SIZE_MAX, best_gap = SIZE_MAX, need = aligned(b->bytes);
    for (int i = 0; i < n; i++) {
        const mb_block *p = placed[i];
        if (p->first > b->last || b->first > p->last) {
            continue;
        }
        if (p->offset > end && p->offset - end >= need && p->offset - end < best_gap) {
            best = end;
            best_gap = p->offset - end;
        }
        const size_t busy_end = p->offset + aligned(p->bytes);
        end = busy_end > end ? busy_end : end;
    }
    return best != SIZE_MAX ? best : end;
}

/* One more of n blocks that are sorted by offset. */
static void insert(mb_block **placed, int n, mb_block *b)
{
    int low = 0, high = n;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (by_offset(&placed[middle], &b) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(placed + low + 1, placed + low, (size_t)(n - low) * sizeof(mb_block *));
    placed[low] = b;
}

/* Quadratic in some thousand blocks: milliseconds. */
mb_status mb_planner_place(mb_block *blocks, int n, size_t *total, mb_error *err)
{
    size_t sum = 0, count = n > 0 ? (size_t)n : 1;
    *total = 0;
    for (int i = 0; i < n; i++) { /* after this no offset can overflow */
        if (blocks[i].bytes > SIZE_MAX - MB_ARENA_ALIGNMENT || !mb_add_size(&sum, sum, aligned(blocks[i].bytes))) {
            return mb_fail(err, MB_E_MEMORY, "the plan's memory exceeds the address space");
        }
    }
    mb_block **order = mb_alloc_array(count, sizeof(mb_block *)), **placed = mb_alloc_array(count, sizeof(mb_block *));
    if (order == NULL || placed == NULL) {
        mb_free(order);
        mb_free(placed);
        return mb_fail_memory(err, count * sizeof(mb_block *), "the planner");
    }
    for (int i = 0; i < n; i++) {
        order[i] = &blocks[i];
    }
    mb_sort(order, (size_t)n, sizeof *order, by_size);
    for (int i = 0; i < n; i++) {
        order[i]->offset = best_offset(order[i], placed, i);
        insert(placed, i, order[i]);
        size_t end = order[i]->offset + aligned(order[i]->bytes);
        *total = end > *total ? end : *total;
    }
    mb_free(order);
    mb_free(placed);
    return MB_OK;
}

/* What is alive at once is needed at once, wherever it lies. */
size_t mb_planner_lower_bound(const mb_block *blocks, int n, int n_nodes)
{
    size_t most = 0;
    for (int t = 0; t < n_nodes; t++) {
        size_t alive = 0;
        for (int i = 0; i < n; i++) {
            if (blocks[i].first <= t && t <= blocks[i].last) {
                alive += aligned(blocks[i].bytes);
            }
        }
        most = alive > most ? alive : most;
    }
    return most;
}
