/* The planner on random lives: no two live blocks overlap (brute force), close to the lower bound, the same every time.
 */
#include "core/alloc.h"
#include "graph/planner.h"
#include "harness/check.h"

#include <stdint.h>
#include <string.h>

static uint64_t state;

static uint32_t next(uint32_t limit)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % limit;
}

static size_t end_of(const mb_block *b)
{
    return b->offset + (b->bytes + MB_ARENA_ALIGNMENT - 1) / MB_ARENA_ALIGNMENT * MB_ARENA_ALIGNMENT;
}

static int overlaps(const mb_block *blocks, int n, size_t total)
{
    int bad = 0;
    for (int i = 0; i < n; i++) {
        bad += blocks[i].offset % MB_ARENA_ALIGNMENT != 0 || end_of(&blocks[i]) > total;
        for (int k = 0; k < i; k++) {
            bool together = blocks[i].first <= blocks[k].last && blocks[k].first <= blocks[i].last;
            bool apart = end_of(&blocks[i]) <= blocks[k].offset || end_of(&blocks[k]) <= blocks[i].offset;
            bad += together && !apart;
        }
    }
    return bad;
}

static void random_case(int seed)
{
    mb_error err;
    mb_block blocks[300], again[300];
    size_t total = 0, total_again = 0;
    state = (uint64_t)seed;
    int n = 1 + (int)next(300), n_nodes = 1 + (int)next(200);
    for (int i = 0; i < n; i++) {
        int first = (int)next((uint32_t)n_nodes), life = (int)next(12);
        size_t bytes = next(4) == 0 ? next(100) : (size_t)next(1000000);
        blocks[i] = (mb_block){first, first + life < n_nodes ? first + life : n_nodes - 1, bytes, 0};
        again[i] = blocks[i];
    }
    CHECK_OK(mb_planner_place(blocks, n, &total, &err), err);
    CHECK_OK(mb_planner_place(again, n, &total_again, &err), err);
    size_t bound = mb_planner_lower_bound(blocks, n, n_nodes);
    CHECK_MSG(overlaps(blocks, n, total) == 0, "seed %d", seed);
    CHECK_MSG(total >= bound && (double)total <= 1.35 * (double)bound + 64, "seed %d: %zu, bound %zu", seed, total,
              bound);
    CHECK(total == total_again && memcmp(blocks, again, (size_t)n * sizeof *blocks) == 0);
}

TEST(random_lives)
{
    for (int seed = 1; seed <= 300; seed++) {
        random_case(seed);
    }
}

TEST(beyond_size_t)
{
    mb_error err = {0};
    size_t total;
    mb_block huge[2] = {{0, 1, SIZE_MAX / 2 + 100, 0}, {0, 1, SIZE_MAX / 2 + 100, 0}};
    CHECK_EQ(mb_planner_place(huge, 2, &total, &err), MB_E_MEMORY);
}

TEST(chain_takes_two_blocks)
{
    mb_error err = {0};
    size_t total;
    mb_block chain[4] = {{0, 1, 1000, 0}, {1, 2, 1000, 0}, {2, 3, 1000, 0}, {3, 4, 1000, 0}};
    CHECK_OK(mb_planner_place(chain, 4, &total, &err), err);
    CHECK_EQ(total, 2048);
}
