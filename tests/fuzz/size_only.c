/* F13: the arithmetic of sizes against 128-bit integers, with dimensions up to what their types hold and nothing
 * allocated: sums and products, limits of pictures, rows of pictures, tensors of models, the planner's arenas. */
#include "core/alloc.h"
#include "fuzz.h"
#include "graph/planner.h"
#include "image/codec/codec.h"
#include "image/convert.h"
#include "writer.h"

/* Small ones, ones near powers of two, any. */
static uint64_t dimension(fuzz_input *in)
{
    const uint64_t kind = fuzz_take(in, 1);
    const uint64_t near = (uint64_t)1 << kind % 64;
    return kind < 64 ? fuzz_take(in, 2) : kind < 192 ? near + fuzz_take(in, 1) % 3 - 1 : fuzz_take(in, 8);
}

static void sums_and_products(uint64_t a, uint64_t b)
{
    size_t out = 77;
    const fuzz_wide product = (fuzz_wide)a * b, sum = (fuzz_wide)a + b;
    FUZZ_MUST(mb_mul_size(&out, a, b) == (product <= SIZE_MAX) && out == (product <= SIZE_MAX ? (size_t)product : 77));
    out = 77;
    FUZZ_MUST(mb_add_size(&out, a, b) == (sum <= SIZE_MAX) && out == (sum <= SIZE_MAX ? (size_t)sum : 77));
}

static void picture_limits(fuzz_input *in)
{
    mb_load_limits limits;
    mb_load_limits_init(&limits);
    const mb_sniffed head = {
        .type = MB_FILE_PNG, .width = (int64_t)(dimension(in) >> 1), .height = (int64_t)(dimension(in) >> 1)};
    const fuzz_wide area = (fuzz_wide)head.width * (fuzz_wide)head.height;
    const bool fits = head.width >= 1 && head.height >= 1 && head.width <= limits.max_side &&
                      head.height <= limits.max_side && area <= 500000000;
    FUZZ_MUST(mb_load_within_limits(&head, &limits) == fits);
}

/* Rows of a caller's picture: a stride that is too short is refused, whatever the width. */
static void picture_rows(fuzz_input *in)
{
    static const int samples[] = {1, 3, 3, 4, 4}, bytes[] = {1, 2, 4};
    mb_image p = {.data = in,
                  .width = (int)(dimension(in) & 0x7fffffff),
                  .height = (int)(dimension(in) & 0x7fffffff),
                  .pixels = (mb_pixels)fuzz_range(in, 0, 4),
                  .depth = (mb_depth)fuzz_range(in, 0, 2)};
    p.row_bytes = dimension(in);
    const uint64_t row = (uint64_t)p.width * (uint64_t)(samples[p.pixels] * bytes[p.depth]); /* below 2^35 */
    const bool fits = p.width > 0 && p.height > 0 && (p.row_bytes == 0 || p.row_bytes >= row);
    FUZZ_MUST((mb_image_check(&p, NULL) == MB_OK) == fits);
}

static void tensor(fuzz_input *in)
{
    static const size_t sizes[] = {4, 2, 2, 8};
    mbw_writer *w = NULL;
    int64_t dims[6];
    const int rank = fuzz_range(in, 0, 6);
    const mb_dtype type = (mb_dtype)fuzz_range(in, 0, 3);
    fuzz_wide bytes = sizes[type];
    bool fits = true;
    for (int i = 0; i < rank; i++) {
        dims[i] = (int64_t)(dimension(in) >> 1);
        bytes *= fits && dims[i] > 0 ? (uint64_t)dims[i] : 1u;
        fits = fits && bytes <= SIZE_MAX;
    }
    FUZZ_MUST(mbw_writer_create(&w, NULL) == MB_OK);
    FUZZ_MUST((mbw_writer_tensor(w, "t", type, rank, dims, NULL) == MB_OK) == fits);
    mbw_writer_free(w);
}

static void arena(fuzz_input *in)
{
    mb_block blocks[8];
    const int n = fuzz_range(in, 1, 8);
    size_t total = 0;
    fuzz_wide sum = 0;
    for (int i = 0; i < n; i++) {
        const int first = fuzz_range(in, 0, 9);
        blocks[i] = (mb_block){first, first + fuzz_range(in, 0, 5), dimension(in), 0};
        sum += ((fuzz_wide)blocks[i].bytes + 63) / 64 * 64;
    }
    const mb_status status = mb_planner_place(blocks, n, &total, NULL);
    FUZZ_MUST(status == MB_OK ? sum <= SIZE_MAX : sum > SIZE_MAX - 64);
    for (int i = 0; i < n && status == MB_OK; i++) {
        FUZZ_MUST((fuzz_wide)blocks[i].offset + blocks[i].bytes <= total);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input in = {bytes, bytes + n};
    sums_and_products(dimension(&in), dimension(&in));
    picture_limits(&in);
    picture_rows(&in);
    tensor(&in);
    arena(&in);
    return 0;
}
