/* Allocations that fail: once in about a thousand inputs one of the first does, so that the paths behind it are walked with all
 * kinds of files. */
#include "fuzz.h"
#include "../harness/failing.h"

void fuzz_fault_begin(const uint8_t *bytes, size_t n)
{
    uint32_t key = 1;
    for (size_t i = n > 4 ? n - 4 : 0; i < n; i++) {
        key = (key ^ bytes[i]) * 16777619u;
    }
    key = (key ^ (uint32_t)n) * 2654435761u;
    key ^= key >> 15;
    failing_arm(key % 1000 == 0 ? (long)(key / 1000 % 24) : -1);
}

bool fuzz_fault_end(void)
{
    (void)failing_disarm();
    return failing_struck();
}
