/* The comparison with goldens that all model tests rest on: it finds differences, in either layout, and tells absent or
 * mis-sized tensors from equal ones. */
#include "harness/check.h"
#include "harness/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TEST(comparison)
{
    enum { N = 2, C = 3, H = 2, W = 2, COUNT = N * C * H * W };
    char path[200];
    float want[COUNT], nhwc[N * H * W * 5], got[COUNT];
    for (int i = 0; i < COUNT; i++) {
        want[i] = (float)(i % 7) - 3.5F;
    }
    for (int n = 0; n < N; n++) {
        for (int c = 0; c < C; c++) {
            for (int p = 0; p < H * W; p++) {
                nhwc[(n * H * W + p) * 5 + c] = want[(n * C + c) * H * W + p];
            }
        }
    }
    (void)snprintf(path, sizeof path, "/tmp/mattebox-golden-%ld.safetensors", (long)getpid());
    const mb_st_tensor t = {
        .name = "x", .dtype = MB_ST_F32, .rank = 4, .dims = {N, C, H, W}, .data = want, .bytes = sizeof want};
    const mb_st_contents contents = {&t, 1, NULL, 0, NULL, NULL};
    mb_error err;
    mb_safetensors *g;
    CHECK_OK(mb_safetensors_write(path, &contents, true, &err), err);
    CHECK_OK(golden_open(&g, "/tmp", path + 5, &err), err);
    golden_difference d = golden_compare(g, "x", want, COUNT);
    CHECK(d.comparable && d.max_abs == 0 && d.relative == 0 && d.want_max == 3.5 && d.count == COUNT);
    d = golden_compare_nhwc(g, "x", nhwc, 5);
    CHECK(d.comparable && d.max_abs == 0 && d.count == COUNT);
    memcpy(got, want, sizeof got);
    got[5] += 0.25F;
    d = golden_compare(g, "x", got, COUNT);
    CHECK(d.max_abs == 0.25 && d.worst == 5 && fabs(d.mean_abs - 0.25 / COUNT) < 1e-12 && d.relative == 0.25 / 3.5);
    nhwc[5 * 3] += 1; /* image 0, pixel 3, channel 0 */
    d = golden_compare_nhwc(g, "x", nhwc, 5);
    CHECK(d.max_abs == 1 && d.worst == 3);
    got[5] = NAN;
    CHECK(isinf(golden_compare(g, "x", got, COUNT).max_abs));
    CHECK(!golden_compare(g, "y", want, COUNT).comparable && isinf(golden_compare(g, "y", want, COUNT).max_abs));
    CHECK(!golden_compare(g, "x", want, COUNT - 1).comparable);
    mb_safetensors_free(g);
    CHECK_EQ(golden_open(&g, "/tmp", "mattebox-none", NULL), MB_E_IO);
    CHECK_EQ(remove(path), 0);
}
