/* Pictures on the device against the CPU, byte for byte: every recipe's way in and back, the way of a photo with its
 * trimap, for photos and networks of many sizes, in several orders of threads; what the slots do besides. */
#define _GNU_SOURCE /* setenv */
#include "core/alloc.h"
#include "core/sigmoid.h"
#include "cuda/backend.h"
#include "harness/check.h"
#include "harness/random.h"
#include "image/resample/recipe.h"
#include "pipeline/image_io_check.h"
#include "pipeline/vitmatte_net.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void mb_emu_set(int order, unsigned seed); /* tests/cuda/emulate.cpp */

static mb_backend backend;
static void *slot;
static const float mean[3] = {0.485f, 0.456f, 0.406f}, deviation[3] = {0.229f, 0.224f, 0.225f};

typedef struct extent {
    int width, height;
} extent;

static mb_image_u8 make_photo(extent e, int channels, uint64_t seed)
{
    mb_image_u8 p = {0};
    mb_error err;
    CHECK_OK(mb_image_u8_create(&p, e.width, e.height, channels, &err), err);
    test_random random = {seed};
    for (size_t i = 0; i < (size_t)e.width * (size_t)e.height * (size_t)channels; i++) {
        p.v[i] = (uint8_t)test_random_below(&random, 251); /* below 255: rembg divides by the largest */
    }
    return p;
}

static void *device_block(size_t bytes)
{
    void *p = NULL;
    mb_error err;
    CHECK_OK(backend.memory->alloc(backend.device, &p, bytes, "a test", &err), err);
    return p;
}

/* The input that `in` gives, of a type, from the device. */
static void feed(void *got, const mb_image_input *in, const mb_mask_output *out, int channels, extent net, mb_dtype t)
{
    mb_error err;
    size_t bytes = (size_t)net.width * (size_t)net.height * (size_t)channels * mb_dtype_size(t);
    mb_view view = mb_view_of(device_block(bytes), 1, channels, net.height, net.width);
    view.dtype = t;
    CHECK_OK(backend.memory->enter(backend.device, &err), err);
    CHECK_OK(backend.image_io->upload(slot, in, out, &err), err);
    CHECK_OK(backend.image_io->write_input(slot, &view, &err), err);
    CHECK_OK(backend.memory->copy_out(backend.device, got, view.data, bytes, &err), err);
    CHECK_OK(backend.memory->wait(backend.device, &err), err);
    backend.memory->leave(backend.device);
    backend.memory->free(backend.device, view.data);
}

/* The mask of these logits, after a feed. */
static void take(uint8_t *mask, bool *finite, const float *logits, extent net)
{
    mb_error err;
    size_t bytes = (size_t)net.width * (size_t)net.height * sizeof(float);
    mb_view view = mb_view_of(device_block(bytes), 1, 1, net.height, net.width);
    CHECK_OK(backend.memory->enter(backend.device, &err), err);
    CHECK_OK(backend.memory->copy_in(backend.device, view.data, logits, bytes, &err), err);
    CHECK_OK(backend.image_io->read_output(slot, &view, &err), err);
    backend.memory->leave(backend.device);
    CHECK_OK(backend.image_io->download(slot, mask, finite, &err), err);
    backend.memory->free(backend.device, view.data);
}

static float *make_logits(extent net, bool wild)
{
    size_t n = (size_t)net.width * (size_t)net.height;
    float *v = mb_alloc_array(n, sizeof *v);
    test_random random = {7};
    for (size_t i = 0; i < n; i++) {
        v[i] = test_random_float(&random, -12.0f, 12.0f);
    }
    if (wild) {
        const float odd[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 89.0f, -89.0f, 200.0f, -200.0f, 1e-30f};
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            v[i * 97 % n] = odd[i];
        }
    }
    return v;
}

static mb_recipe_input recipe_input(float *v, extent net, int recipe)
{
    mb_recipe_input to = {.input = v, .width = net.width, .height = net.height, .recipe = (mb_recipe)recipe};
    memcpy(to.mean, mean, sizeof mean);
    memcpy(to.std, deviation, sizeof deviation);
    return to;
}

static void both_ways(extent photo_size, extent net, int recipe, mb_dtype t, bool wild)
{
    mb_error err;
    size_t n = (size_t)net.width * (size_t)net.height * 3, pixels;
    float *want = mb_alloc_array(n, sizeof *want), *logits = make_logits(net, wild);
    void *got = mb_alloc_array(n, sizeof(float)), *rounded = mb_alloc_array(n, sizeof(float));
    mb_image_u8 photo = make_photo(photo_size, 3, 1), mask = {0};
    mb_recipe_input to = recipe_input(want, net, recipe);
    mb_recipe_numbers r;
    pixels = (size_t)photo.width * (size_t)photo.height;
    CHECK_OK(mb_recipe_prepare(NULL, &to, &photo, &err), err);
    CHECK_OK(mb_recipe_numbers_create(&r, &to, photo.width, photo.height, &err), err);
    mb_image_input in = {.rgb = photo.v,
                         .width = photo.width,
                         .height = photo.height,
                         .resize = &r.in,
                         .table = r.table[0],
                         .by_maximum = r.by_maximum};
    memcpy(in.mean, mean, sizeof mean);
    memcpy(in.std, deviation, sizeof deviation);
    mb_mask_output out = {&r.back, r.by_maximum, r.brightens ? r.brightness : NULL};
    mb_recipe_output from = {logits, net.width, net.height, photo.width, photo.height, (mb_recipe)recipe};
    CHECK_OK(mb_recipe_finish(NULL, &mask, NULL, &from, &err), err);
    feed(got, &in, &out, 3, net, t);
    mb_from_f32(rounded, want, t, n);
    CHECK_MSG(memcmp(got, rounded, n * mb_dtype_size(t)) == 0, "%s, %d x %d to %d x %d, %s: another input",
              mb_recipe_name(recipe), photo.width, photo.height, net.width, net.height, mb_dtype_name(t));
    bool finite = false;
    uint8_t *bytes = mb_alloc(pixels);
    take(bytes, &finite, logits, net);
    CHECK_MSG(memcmp(bytes, mask.v, pixels) == 0, "%s, %d x %d from %d x %d: another mask", mb_recipe_name(recipe),
              photo.width, photo.height, net.width, net.height);
    CHECK_MSG(finite == !wild, "%s: finite %d", mb_recipe_name(recipe), finite);
    mb_recipe_numbers_dispose(&r);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
    mb_free(want);
    mb_free(logits);
    mb_free(got);
    mb_free(rounded);
    mb_free(bytes);
}

TEST(recipes)
{
    static const extent photos[] = {{1, 1},   {1, 57},   {83, 1},   {7, 300},  {300, 7},
                                    {96, 64}, {131, 97}, {150, 64}, {96, 140}, {3100, 9}};
    static const extent nets[] = {{32, 32}, {96, 64}, {160, 32}, {20, 12}, {17, 5}};
    static const mb_dtype types[] = {MB_F32, MB_F16, MB_BF16};
    int n = 0;
    for (int recipe = MB_RECIPE_LAYERSTYLE; recipe <= MB_RECIPE_REMBG; recipe++) {
        for (size_t p = 0; p < sizeof photos / sizeof photos[0]; p++) {
            for (size_t k = 0; k < sizeof nets / sizeof nets[0]; k++, n++) {
                mb_emu_set(n % 5 < 2 ? n % 5 : 2, (unsigned)n);
                both_ways(photos[p], nets[k], recipe, types[n % 3], n % 4 == 3);
            }
        }
    }
    for (int order = 0; order < 5; order++) { /* the same picture in every order: stretched and not */
        mb_emu_set(order < 2 ? order : 2, (unsigned)order);
        both_ways((extent){131, 97}, (extent){96, 64}, MB_RECIPE_REMBG, MB_F32, true);
        both_ways((extent){131, 97}, (extent){96, 64}, MB_RECIPE_LAYERSTYLE, MB_F32, true);
        both_ways((extent){131, 97}, (extent){96, 64}, MB_RECIPE_MODELCARD, MB_F32, true);
    }
    mb_emu_set(0, 0);
}

/* Logits that are all the same are not stretched; a black photo is divided by 1e-6, as rembg does. */
TEST(flat)
{
    mb_error err;
    extent net = {32, 32};
    float logits[1024], want[3 * 1024], got[3 * 1024];
    uint8_t bytes[40 * 30];
    bool finite;
    mb_image_u8 photo = make_photo((extent){40, 30}, 3, 1), mask = {0};
    memset(photo.v, 0, 3600);
    for (int i = 0; i < 1024; i++) {
        logits[i] = 0.7f;
    }
    mb_recipe_input to = recipe_input(want, net, MB_RECIPE_REMBG);
    mb_recipe_numbers r;
    CHECK_OK(mb_recipe_prepare(NULL, &to, &photo, &err), err);
    CHECK_OK(mb_recipe_numbers_create(&r, &to, 40, 30, &err), err);
    mb_recipe_output from = {logits, 32, 32, 40, 30, MB_RECIPE_REMBG};
    CHECK_OK(mb_recipe_finish(NULL, &mask, NULL, &from, &err), err);
    mb_image_input in = {.rgb = photo.v, .width = 40, .height = 30, .resize = &r.in, .by_maximum = true};
    memcpy(in.mean, mean, sizeof mean);
    memcpy(in.std, deviation, sizeof deviation);
    mb_mask_output out = {&r.back, true, NULL};
    feed(got, &in, &out, 3, net, MB_F32);
    take(bytes, &finite, logits, net);
    CHECK(memcmp(got, want, sizeof got) == 0 && memcmp(bytes, mask.v, sizeof bytes) == 0 && finite);
    mb_recipe_numbers_dispose(&r);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
}

/* A photo with its trimap, padded with zeros at the right and below. */
TEST(fourth)
{
    static const extent sizes[] = {{1, 1}, {33, 64}, {64, 32}, {50, 70}};
    static const mb_dtype types[] = {MB_F32, MB_F16, MB_BF16, MB_F32};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        extent net = {(sizes[i].width + 31) / 32 * 32, (sizes[i].height + 31) / 32 * 32};
        size_t n = (size_t)net.width * (size_t)net.height * 4;
        float *want = mb_alloc_array(n, sizeof *want), table[4][256];
        void *got = mb_alloc_array(n, sizeof(float)), *rounded = mb_alloc_array(n, sizeof(float));
        mb_image_u8 photo = make_photo(sizes[i], 3, 5), trimap = make_photo(sizes[i], 1, 9);
        mb_resample same = {.x = {.in = photo.width, .out = photo.width},
                            .y = {.in = photo.height, .out = photo.height}};
        mb_vitmatte_process(want, net.height, net.width, &photo, &trimap, mean, deviation);
        mb_vitmatte_table(table, mean, deviation);
        mb_image_input in = {.rgb = photo.v,
                             .fourth = trimap.v,
                             .width = photo.width,
                             .height = photo.height,
                             .resize = &same,
                             .table = table[0]};
        feed(got, &in, NULL, 4, net, types[i]);
        mb_from_f32(rounded, want, types[i], n);
        CHECK_MSG(memcmp(got, rounded, n * mb_dtype_size(types[i])) == 0, "%d x %d", photo.width, photo.height);
        mb_image_u8_dispose(&photo);
        mb_image_u8_dispose(&trimap);
        mb_free(want);
        mb_free(got);
        mb_free(rounded);
    }
}

/* The shared sigmoid is a good one: within one unit of the last place of the true value, and monotonic enough to be. */
TEST(sigmoid)
{
    double worst = 0.0;
    for (int i = -400000; i <= 400000; i++) {
        float x = (float)i * 2.5e-4f;
        double want = 1.0 / (1.0 + exp(-(double)x)), got = (double)mb_sigmoid_exact(x);
        if (want > 1e-37) {
            worst = fmax(worst, fabs(got - want) / want);
        }
    }
    CHECK_MSG(worst < 1.8e-7, "%g", worst);
    CHECK(mb_sigmoid_exact(NAN) == 0.0f && mb_sigmoid_exact(INFINITY) == 1.0f && mb_sigmoid_exact(-INFINITY) == 0.0f);
    CHECK(mb_sigmoid_exact(0.0f) == 0.5f && mb_sigmoid_exact(-1e30f) == 0.0f && mb_sigmoid_exact(3e38f) == 1.0f);
}

/* What a slot refuses, and that a refused picture leaves it usable. */
TEST(refusals)
{
    mb_error err;
    mb_image_u8 photo = make_photo((extent){40, 30}, 3, 1);
    mb_resample same = {.x = {.in = 40, .out = 40}, .y = {.in = 30, .out = 30}};
    mb_resample floats = {.rule = MB_RESAMPLE_CV_F32, .x = same.x, .y = same.y};
    mb_image_input in = {.rgb = photo.v, .width = 40, .height = 30, .resize = &floats, .by_maximum = true};
    CHECK_OK(backend.memory->enter(backend.device, &err), err);
    mb_status s = backend.image_io->upload(slot, &in, NULL, &err);
    CHECK_MSG(s == MB_E_UNSUPPORTED, "%d %s", s, err.message);
    in.resize = &same;
    CHECK_OK(backend.image_io->upload(slot, &in, NULL, &err), err);
    mb_view small = mb_view_of(NULL, 1, 3, 16, 16);
    s = backend.image_io->write_input(slot, &small, &err);
    CHECK_MSG(s == MB_E_INTERNAL, "%d %s", s, err.message);
    s = backend.image_io->read_output(slot, &small, &err);
    CHECK_MSG(s == MB_E_INTERNAL, "%d %s", s, err.message);
    mb_resample huge = {.x = {.in = 1 << 24, .out = 1 << 24}, .y = {.in = 1 << 24, .out = 1 << 24}};
    in = (mb_image_input){.rgb = photo.v, .width = 1 << 24, .height = 1 << 24, .resize = &huge, .by_maximum = true};
    s = backend.image_io->upload(slot, &in, NULL, &err);
    CHECK_MSG(s == MB_E_MEMORY, "%d %s", s, err.message);
    backend.memory->leave(backend.device);
    both_ways((extent){40, 30}, (extent){32, 32}, MB_RECIPE_MODELCARD, MB_F32, false);
    mb_image_u8_dispose(&photo);
}

/* The check of `auto`: a device that gives one other byte of mask does not agree. */
static mb_status receive_wrong(void *s, uint8_t *mask, bool *finite, mb_error *err)
{
    mb_status status = backend.image_io->download(s, mask, finite, err);
    mask[77] ^= 1;
    return status;
}

TEST(agree)
{
    mb_backend other = backend;
    mb_device_image_io wrong = *backend.image_io;
    wrong.download = receive_wrong;
    CHECK(mb_image_io_agrees(&backend));
    other.image_io = &wrong;
    CHECK(!mb_image_io_agrees(&other));
    other.image_io = NULL;
    CHECK(mb_image_io_agrees(&other));
}

SETUP
{
    mb_error err;
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1);
    setenv("MATTEBOX_CACHE", "", 1);
    setenv("MATTEBOX_TUNE", "off", 1);
    REQUIRE_OK(mb_backend_cuda_open(&backend, 0, MB_F32, &err), err);
    REQUIRE_OK(backend.image_io->open(backend.device, &slot, &err), err);
}

TEARDOWN
{
    backend.image_io->close(slot);
    mb_backend_cuda_close(&backend);
    int (*open)(void) = NULL;
    void *handle = dlopen(MB_STANDIN_FOLDER "/libcuda.so.1", RTLD_NOW);
    void *found = handle != NULL ? dlsym(handle, "mb_standin_open") : NULL;
    memcpy(&open, &found, sizeof open);
    CHECK_MSG(open != NULL && open() == 0, "%d left open", open != NULL ? open() : -1);
}
