/* F12: any lives of blocks through the planner: no two that live at once overlap, the arena is no smaller than what lives
 * at once, and the same every time. */
#include "graph/planner.h"
#include "fuzz.h"

#include <string.h>

#define MOST 120

static size_t end_of(const mb_block *b)
{
    return b->offset + (b->bytes + MB_ARENA_ALIGNMENT - 1) / MB_ARENA_ALIGNMENT * MB_ARENA_ALIGNMENT;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input in = {bytes, bytes + n};
    mb_block blocks[MOST], again[MOST];
    const int count = fuzz_range(&in, 1, MOST), nodes = fuzz_range(&in, 1, 60);
    size_t total = 0, total_again = 0;
    for (int i = 0; i < count; i++) {
        const int first = fuzz_range(&in, 0, nodes - 1), life = fuzz_range(&in, 0, 20);
        const size_t size = (size_t)fuzz_take(&in, 2) << fuzz_range(&in, 0, 30);
        blocks[i] = (mb_block){first, first + life < nodes ? first + life : nodes - 1, size, 0};
    }
    memcpy(again, blocks, sizeof blocks);
    FUZZ_MUST(mb_planner_place(blocks, count, &total, NULL) == MB_OK);
    FUZZ_MUST(mb_planner_place(again, count, &total_again, NULL) == MB_OK);
    FUZZ_MUST(total == total_again && total >= mb_planner_lower_bound(blocks, count, nodes));
    for (int i = 0; i < count; i++) {
        FUZZ_MUST(blocks[i].offset == again[i].offset && blocks[i].offset % MB_ARENA_ALIGNMENT == 0);
        FUZZ_MUST(end_of(&blocks[i]) <= total);
        for (int k = 0; k < i; k++) {
            const bool together = blocks[i].first <= blocks[k].last && blocks[k].first <= blocks[i].last;
            FUZZ_MUST(!together || end_of(&blocks[i]) <= blocks[k].offset || end_of(&blocks[k]) <= blocks[i].offset);
        }
    }
    return 0;
}
