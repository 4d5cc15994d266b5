/* The matrix product's workspace never shrinks when rows are added: who plans for the largest of several products
 * (upsample_conv2d's strips) has room for all of them, though their blocks of rows are cut differently. */
#include "cpu/gemm.h"
#include "harness/check.h"

static size_t workspace(const mb_packed *w, int64_t m, bool gathers)
{
    mb_gemm g = {.w = w, .groups = 1, .m = m, .gathers = gathers};
    return mb_gemm_workspace(&g);
}

static void check_growth(const mb_simd *simd)
{
    const mb_packed shapes[] = {{.simd = simd, .n = 45, .taps = 1, .channels = 16},
                                {.simd = simd, .n = 2304, .taps = 9, .channels = 64},
                                {.simd = simd, .n = 3, .taps = 49, .channels = 800}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (int gathers = 0; gathers < 2; gathers++) {
            size_t before = 0;
            for (int64_t m = 1; m < 2000; m++) {
                size_t now = workspace(&shapes[s], m, gathers != 0);
                CHECK_MSG(now >= before, "isa %d, shape %zu: %lld rows take %zu bytes, one row less %zu",
                          (int)simd->isa, s, (long long)m, now, before);
                before = now;
            }
        }
    }
}

TEST(generic)
{
    check_growth(&mb_simd_generic);
}

#if defined(__x86_64__)
TEST(avx2)
{
    check_growth(&mb_simd_avx2);
}

TEST(avx512)
{
    check_growth(&mb_simd_avx512);
}
#elif defined(__aarch64__)
TEST(neon)
{
    check_growth(&mb_simd_neon);
}
#endif
