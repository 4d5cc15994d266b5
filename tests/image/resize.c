/* Resizing against what Pillow 13.0, OpenCV 5.0 and PyTorch 2.15 gave for the same picture (hashes of their bytes),
 * with one, two and three threads and with and without the wide instructions: always the same bytes. */
#define _GNU_SOURCE /* setenv */
#include "image/resample/resize.h"

#include "image/convert.h"
#include "pictures.h"

#include <math.h>

typedef struct pillow_case {
    mb_filter filter;
    int channels, width, height;
    uint64_t hash;
} pillow_case;

static const pillow_case pillow_cases[] = {
    {MB_FILTER_BICUBIC, 1, 170, 60, 0xc40223167fa4141du},   {MB_FILTER_BICUBIC, 1, 190, 146, 0x0afaf4caf5f4ca90u},
    {MB_FILTER_BICUBIC, 1, 190, 40, 0xa19e33209b5046a3u},   {MB_FILTER_BICUBIC, 1, 1, 1, 0xaf647e4c8602ffd2u},
    {MB_FILTER_BICUBIC, 1, 207, 163, 0x6c18d2e4aca05f7fu},  {MB_FILTER_BICUBIC, 1, 230, 60, 0x31258fc37fcb30ecu},
    {MB_FILTER_BICUBIC, 1, 29, 146, 0x594f4fa603a17380u},   {MB_FILTER_BICUBIC, 1, 32, 32, 0x92ade27bc80382e8u},
    {MB_FILTER_BICUBIC, 1, 380, 292, 0x5e86da9d39767965u},  {MB_FILTER_BICUBIC, 1, 61, 67, 0xd4e188b26b6b9719u},
    {MB_FILTER_BICUBIC, 1, 7, 5, 0x45faedfb1f8582c9u},      {MB_FILTER_BICUBIC, 1, 95, 73, 0x838f40d6c493479fu},
    {MB_FILTER_BICUBIC, 3, 170, 60, 0x5ae1bd9c4cb02ac6u},   {MB_FILTER_BICUBIC, 3, 190, 146, 0x5afeb6f8113c736bu},
    {MB_FILTER_BICUBIC, 3, 190, 40, 0x57ace6a344144f5fu},   {MB_FILTER_BICUBIC, 3, 1, 1, 0xc100cc1b33369c95u},
    {MB_FILTER_BICUBIC, 3, 207, 163, 0x8ffef5fdb85d6d49u},  {MB_FILTER_BICUBIC, 3, 230, 60, 0x504130f89bb1ede8u},
    {MB_FILTER_BICUBIC, 3, 29, 146, 0x1c251cd17b3791d6u},   {MB_FILTER_BICUBIC, 3, 32, 32, 0x53845db5a89e7c69u},
    {MB_FILTER_BICUBIC, 3, 380, 292, 0xd0c00f81b333eebfu},  {MB_FILTER_BICUBIC, 3, 61, 67, 0x324fda4ce693ee66u},
    {MB_FILTER_BICUBIC, 3, 7, 5, 0x63bdf417e8629dc2u},      {MB_FILTER_BICUBIC, 3, 95, 73, 0xe120eff25124eb55u},
    {MB_FILTER_BILINEAR, 1, 170, 60, 0xcff25c7d7e258d0cu},  {MB_FILTER_BILINEAR, 1, 190, 146, 0x0afaf4caf5f4ca90u},
    {MB_FILTER_BILINEAR, 1, 190, 40, 0x01732a5e93b14ce3u},  {MB_FILTER_BILINEAR, 1, 1, 1, 0xaf64784c8602f5a0u},
    {MB_FILTER_BILINEAR, 1, 207, 163, 0x0f1f84155c1bdeaau}, {MB_FILTER_BILINEAR, 1, 230, 60, 0xda5a0b550d64ccddu},
    {MB_FILTER_BILINEAR, 1, 29, 146, 0x7e7d3820b438c150u},  {MB_FILTER_BILINEAR, 1, 32, 32, 0x6c82e6b9898ec149u},
    {MB_FILTER_BILINEAR, 1, 380, 292, 0x1af806f86b53d2dau}, {MB_FILTER_BILINEAR, 1, 61, 67, 0xd1bce10c55a3bd94u},
    {MB_FILTER_BILINEAR, 1, 7, 5, 0x3421dded7379b0fdu},     {MB_FILTER_BILINEAR, 1, 95, 73, 0x37db1d211accb70bu},
    {MB_FILTER_BILINEAR, 3, 170, 60, 0x8d0eef8fe362ef55u},  {MB_FILTER_BILINEAR, 3, 190, 146, 0x5afeb6f8113c736bu},
    {MB_FILTER_BILINEAR, 3, 190, 40, 0xa54e8bd3a4561de0u},  {MB_FILTER_BILINEAR, 3, 1, 1, 0xc10add1b333f0dfdu},
    {MB_FILTER_BILINEAR, 3, 207, 163, 0x00e8265f9be69594u}, {MB_FILTER_BILINEAR, 3, 230, 60, 0x7c9494ac2006943fu},
    {MB_FILTER_BILINEAR, 3, 29, 146, 0x755a66758633bcedu},  {MB_FILTER_BILINEAR, 3, 32, 32, 0x28d24cf9067e0848u},
    {MB_FILTER_BILINEAR, 3, 380, 292, 0xe9f159645240eedeu}, {MB_FILTER_BILINEAR, 3, 61, 67, 0x7507c0812ffceeeau},
    {MB_FILTER_BILINEAR, 3, 7, 5, 0xad6a855e3fb8657cu},     {MB_FILTER_BILINEAR, 3, 95, 73, 0x9958feef6d6192d5u},
    {MB_FILTER_BOX, 1, 61, 67, 0xcdace1a3c071b100u},        {MB_FILTER_BOX, 1, 95, 73, 0x8572dead0df6bd66u},
    {MB_FILTER_BOX, 3, 61, 67, 0xc00875ab8b33e490u},        {MB_FILTER_BOX, 3, 95, 73, 0x8fad7077572070edu},
    {MB_FILTER_LANCZOS, 1, 170, 60, 0xb6351aa3b6ada9e7u},   {MB_FILTER_LANCZOS, 1, 190, 146, 0x0afaf4caf5f4ca90u},
    {MB_FILTER_LANCZOS, 1, 190, 40, 0xf942ed6a9c71eb6fu},   {MB_FILTER_LANCZOS, 1, 1, 1, 0xaf647c4c8602fc6cu},
    {MB_FILTER_LANCZOS, 1, 207, 163, 0x3b144db04ca20123u},  {MB_FILTER_LANCZOS, 1, 230, 60, 0x84782ce2e2e833b8u},
    {MB_FILTER_LANCZOS, 1, 29, 146, 0x4b3d3c3db9bd7c5bu},   {MB_FILTER_LANCZOS, 1, 32, 32, 0xc0f99f06f408e82eu},
    {MB_FILTER_LANCZOS, 1, 380, 292, 0xa068ad1d6f94d7c7u},  {MB_FILTER_LANCZOS, 1, 61, 67, 0x43fcade796be77adu},
    {MB_FILTER_LANCZOS, 1, 7, 5, 0x429afa22b429e743u},      {MB_FILTER_LANCZOS, 1, 95, 73, 0x8f1680cad4bc1375u},
    {MB_FILTER_LANCZOS, 3, 170, 60, 0x5d671a673d5cea39u},   {MB_FILTER_LANCZOS, 3, 190, 146, 0x5afeb6f8113c736bu},
    {MB_FILTER_LANCZOS, 3, 190, 40, 0xf18bd0437b2dd4abu},   {MB_FILTER_LANCZOS, 3, 1, 1, 0xc100cc1b33369c95u},
    {MB_FILTER_LANCZOS, 3, 207, 163, 0xdb0e459053bdcb43u},  {MB_FILTER_LANCZOS, 3, 230, 60, 0x811d6e238d9521a8u},
    {MB_FILTER_LANCZOS, 3, 29, 146, 0xd89d172d74d448fau},   {MB_FILTER_LANCZOS, 3, 32, 32, 0x247f559d18467748u},
    {MB_FILTER_LANCZOS, 3, 380, 292, 0xeb643e650b3bae53u},  {MB_FILTER_LANCZOS, 3, 61, 67, 0x05fab6af74fb8760u},
    {MB_FILTER_LANCZOS, 3, 7, 5, 0x96a54da352b9266au},      {MB_FILTER_LANCZOS, 3, 95, 73, 0xe83263eecced978du},
    {MB_FILTER_NEAREST, 1, 61, 67, 0x93aecda4fd10a273u},    {MB_FILTER_NEAREST, 1, 95, 73, 0x6f657fb45b3d4506u},
    {MB_FILTER_NEAREST, 3, 61, 67, 0xdf35abb262fc5ceau},    {MB_FILTER_NEAREST, 3, 95, 73, 0x26ae0f64d938739eu},
};

static mb_image_u8 rgb, mask;

static void pillow(mb_pool *pool)
{
    mb_error err;
    for (size_t i = 0; i < sizeof pillow_cases / sizeof *pillow_cases; i++) {
        const pillow_case *c = &pillow_cases[i];
        mb_image_u8 out;
        CHECK_OK(mb_resize_pillow(&(mb_task){.pool = pool}, &out, c->channels == 3 ? &rgb : &mask, c->width, c->height,
                                  c->filter, &err),
                 err);
        CHECK_MSG(picture_hash(&out) == c->hash, "filter %d, %d channels, %d x %d", (int)c->filter, c->channels,
                  c->width, c->height);
        mb_image_u8_dispose(&out);
    }
    /* the order of the passes shows, and the old one is still there */
    mb_image_u8 now, then;
    mb_resize_spec spec = {230, 60, MB_FILTER_LANCZOS, MB_PASSES_PILLOW_12};
    CHECK_OK(mb_resize_pillow(&(mb_task){.pool = pool}, &now, &rgb, 230, 60, MB_FILTER_LANCZOS, &err), err);
    CHECK_OK(mb_resize_pillow_as(&(mb_task){.pool = pool}, &then, &rgb, &spec, &err), err);
    CHECK(picture_hash(&now) != picture_hash(&then));
    mb_image_u8_dispose(&now);
    mb_image_u8_dispose(&then);
}

/* Four channels are four independent ones. */
static void four_channels(mb_pool *pool)
{
    mb_error err;
    mb_image_u8 rgba, out, three;
    CHECK_OK(mb_image_u8_create(&rgba, rgb.width, rgb.height, 4, &err), err);
    for (int i = 0; i < rgb.width * rgb.height; i++) {
        memcpy(rgba.v + 4 * i, rgb.v + 3 * i, 3);
        rgba.v[4 * i + 3] = rgb.v[3 * i];
    }
    CHECK_OK(mb_resize_pillow(&(mb_task){.pool = pool}, &out, &rgba, 77, 91, MB_FILTER_BICUBIC, &err), err);
    CHECK_OK(mb_resize_pillow(&(mb_task){.pool = pool}, &three, &rgb, 77, 91, MB_FILTER_BICUBIC, &err), err);
    bool same = true;
    for (int i = 0; i < 77 * 91; i++) {
        same = same && memcmp(out.v + 4 * i, three.v + 3 * i, 3) == 0 && out.v[4 * i + 3] == three.v[3 * i];
    }
    CHECK(same);
    mb_image_u8_dispose(&rgba);
    mb_image_u8_dispose(&out);
    mb_image_u8_dispose(&three);
}

static void opencv(mb_pool *pool)
{
    static const struct {
        int width, height;
        uint64_t rgb, mask;
    } u8[] = {{95, 73, 0xe586ed1223eac867u, 0xf1f5402445fd5e69u},
              {61, 300, 0xae8e5829ecc108cbu, 0x6a6ea80e93c387c8u},
              {333, 64, 0x400db21a69b99e3au, 0x0c1d610d61fafe0eu}};
    mb_error err;
    mb_image_u8 out;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(mb_resize_cv_u8(&(mb_task){.pool = pool}, &out, &rgb, u8[i].width, u8[i].height, &err), err);
        CHECK(picture_hash(&out) == u8[i].rgb);
        mb_image_u8_dispose(&out);
        CHECK_OK(mb_resize_cv_u8(&(mb_task){.pool = pool}, &out, &mask, u8[i].width, u8[i].height, &err), err);
        CHECK(picture_hash(&out) == u8[i].mask);
        mb_image_u8_dispose(&out);
    }
    static const struct {
        int side;
        uint64_t f32, trunc;
    } f32[] = {{64, 0x742cef4f6b1f8561u, 0x51f58721c5b64b89u}, {96, 0x76b94b1ea40432bfu, 0xa408baf1ce33f0fau}};
    size_t n = (size_t)rgb.width * (size_t)rgb.height * 3;
    float *src = malloc(n * sizeof *src), *dst = malloc(96 * 96 * 3 * sizeof *dst);
    if (src == NULL || dst == NULL) {
        exit(1);
    }
    mb_from8_array(src, rgb.v, n);
    for (int i = 0; i < 2; i++) {
        int side = f32[i].side;
        mb_floats from = {src, rgb.width, rgb.height, 3}, to = {dst, side, side, 3};
        CHECK_OK(mb_resize_cv_f32(&(mb_task){.pool = pool}, &to, &from, &err), err);
        CHECK(fnv1a64(dst, (size_t)(side * side * 3) * sizeof *dst) == f32[i].f32);
        CHECK_OK(mb_resize_cv_trunc(&(mb_task){.pool = pool}, &out, &rgb, side, side, &err), err);
        CHECK(picture_hash(&out) == f32[i].trunc);
        mb_image_u8_dispose(&out);
    }
    free(src);
    free(dst);
}

/* PyTorch's align_corners: against f64 arithmetic, and the published mask from the same prediction. */
static void align_corners(mb_pool *pool)
{
    size_t n;
    uint8_t *bytes = read_data("pictures/pred_64x64.f32", &n);
    mb_image_u8 want = read_pnm("pictures/mask_190x146.pgm"), got;
    float pred[64 * 64];
    memcpy(pred, bytes, sizeof pred);
    free(bytes);
    mb_error err;
    mb_image_f32 up;
    CHECK_OK(mb_resize_align_corners(&(mb_task){.pool = pool}, &up, pred, 64, 64, 190, 146, &err), err);
    double worst = 0.0;
    for (int y = 0; y < 146; y++) {
        for (int x = 0; x < 190; x++) {
            double px = 63.0 * x / 189.0, py = 63.0 * y / 145.0;
            int x0 = (int)px, y0 = (int)py, x1 = x0 < 63 ? x0 + 1 : 63, y1 = y0 < 63 ? y0 + 1 : 63;
            double a = pred[y0 * 64 + x0] * (1 - (px - x0)) + pred[y0 * 64 + x1] * (px - x0);
            double b = pred[y1 * 64 + x0] * (1 - (px - x0)) + pred[y1 * 64 + x1] * (px - x0);
            double d = fabs(a * (1 - (py - y0)) + b * (py - y0) - up.v[y * 190 + x]);
            worst = d > worst ? d : worst;
        }
    }
    CHECK_MSG(worst < 1e-5, "%g", worst);
    CHECK_OK(mb_image_u8_from_f32(&got, &up, &err), err);
    mb_brighten8(got.v, 190 * 146, 1.01f);
    int off = 0, far = 0;
    for (int i = 0; i < 190 * 146; i++) {
        int d = abs(got.v[i] - want.v[i]);
        off += d > 0;
        far += d > 2;
    }
    CHECK_MSG(off <= 27 && far == 0, "%d values off, %d far off", off, far); /* 0.1 %: truncation amplifies rounding */
    mb_image_f32_dispose(&up);
    mb_image_u8_dispose(&want);
    mb_image_u8_dispose(&got);
    /* equal sizes are an exact copy; 1 x 1 to anything is constant */
    CHECK_OK(mb_resize_align_corners(&(mb_task){.pool = pool}, &up, pred, 64, 64, 64, 64, &err), err);
    CHECK(memcmp(up.v, pred, sizeof pred) == 0);
    mb_image_f32_dispose(&up);
    CHECK_OK(mb_resize_align_corners(&(mb_task){.pool = pool}, &up, pred, 1, 1, 3, 2, &err), err);
    CHECK(up.v[0] == pred[0] && up.v[5] == pred[0]);
    mb_image_f32_dispose(&up);
}

/* The second published way back: to8, Pillow's bilinear, brightness 1.08. */
static void second_node(mb_pool *pool)
{
    size_t n;
    uint8_t *bytes = read_data("pictures/pred_64x64.f32", &n);
    mb_image_f32 pred;
    mb_image_u8 small, out;
    mb_error err;
    CHECK_OK(mb_image_f32_create(&pred, 64, 64, &err), err);
    memcpy(pred.v, bytes, n);
    free(bytes);
    CHECK_OK(mb_image_u8_from_f32(&small, &pred, &err), err);
    CHECK(picture_hash(&small) == 0x447c884363f15d5fu);
    CHECK_OK(mb_resize_pillow(&(mb_task){.pool = pool}, &out, &small, 190, 146, MB_FILTER_BILINEAR, &err), err);
    mb_brighten8(out.v, 190 * 146, 1.08f);
    CHECK(picture_hash(&out) == 0xa24b0fbb47a389fbu);
    mb_image_f32_dispose(&pred);
    mb_image_u8_dispose(&small);
    mb_image_u8_dispose(&out);
}

/* Sizes at the edges: nothing is read beside the picture (the sanitizer build watches), nothing crashes. */
static void odd_sizes(mb_pool *pool)
{
    static const int sides[] = {1, 2, 3, 31, 33, 100};
    mb_error err;
    for (int i = 0; i < 6 * 6; i++) {
        for (int channels = 1; channels <= 4; channels += channels == 1 ? 2 : 1) {
            mb_image_u8 src, out;
            CHECK_OK(mb_image_u8_create(&src, sides[i / 6], sides[i % 6], channels, &err), err);
            memset(src.v, 200, (size_t)(src.width * src.height * channels));
            for (int f = 0; f < MB_FILTER_COUNT; f++) {
                CHECK_OK(mb_resize_pillow(&(mb_task){.pool = pool}, &out, &src, 7, 130 / (1 + i), (mb_filter)f, &err),
                         err);
                CHECK(out.v[0] == 200 && out.v[out.width * out.height * channels - 1] == 200);
                mb_image_u8_dispose(&out);
            }
            CHECK_OK(mb_resize_cv_u8(&(mb_task){.pool = pool}, &out, &src, 13, 5, &err), err);
            CHECK(out.v[0] == 200 && out.v[13 * 5 * channels - 1] == 200);
            mb_image_u8_dispose(&out);
            CHECK_OK(mb_resize_cv_trunc(&(mb_task){.pool = pool}, &out, &src, 2, 50, &err), err);
            CHECK(out.v[0] == 200 && out.v[2 * 50 * channels - 1] == 200);
            mb_image_u8_dispose(&out);
            mb_image_u8_dispose(&src);
        }
    }
    mb_image_u8 out;
    CHECK(mb_resize_pillow(&(mb_task){.pool = pool}, &out, &rgb, 0, 5, MB_FILTER_BOX, NULL) == MB_E_ARGUMENT &&
          out.v == NULL);
    CHECK(mb_resize_pillow(&(mb_task){.pool = pool}, &out, &rgb, 5, 5, (mb_filter)9, NULL) == MB_E_ARGUMENT &&
          out.v == NULL);
    CHECK(mb_resize_pillow(&(mb_task){.pool = pool}, &out, &rgb, 1 << 28, 5, MB_FILTER_BOX, NULL) == MB_E_ARGUMENT &&
          out.v == NULL);
    CHECK(mb_resize_cv_u8(&(mb_task){.pool = pool}, &out, &rgb, 5, -1, NULL) == MB_E_ARGUMENT && out.v == NULL);
}

/* The plain kernels, then the best of this machine, with 1, 2 and 3 threads. */
static void with_pools(void (*check)(mb_pool *pool))
{
    for (int threads = 1; threads <= 3; threads++) {
        mb_pool *pool = NULL;
        mb_error err;
        setenv("MATTEBOX_ISA", threads == 1 ? "generic" : "", 1);
        REQUIRE_OK(mb_pool_create(&pool, threads, &err), err);
        check(pool);
        mb_pool_free(pool);
    }
}

static const struct {
    const char *name;
    void (*check)(mb_pool *pool);
} kinds[] = {{"pillow", pillow},           {"four channels", four_channels},
             {"opencv", opencv},           {"align corners", align_corners},
             {"second node", second_node}, {"odd sizes", odd_sizes}};

TEST_ROWS(as, kinds)
{
    with_pools(row->check);
}

SETUP
{
    rgb = read_pnm("pictures/chelsea.ppm");
    mask = read_pnm("pictures/chelsea_mask.pgm");
}

TEARDOWN
{
    mb_image_u8_dispose(&rgb);
    mb_image_u8_dispose(&mask);
}
