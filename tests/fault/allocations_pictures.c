/* Every allocation of every call that reads, changes or writes pictures fails once: each file format both ways, frames,
 * animations, masks, strokes, profiles. See harness/trial.h for what must hold. */
#define _GNU_SOURCE
#include "harness/check.h"
#include "harness/failing.h"
#include "harness/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define W 31
#define H 22

static unsigned char rgba[H][W][4], grey[H][W], strokes[H][W][4];
static unsigned short deep[H][W][3];
static const mb_image
    clear_picture = {.data = rgba, .width = W, .height = H, .pixels = MB_PIXELS_RGBA, .depth = MB_DEPTH_U8},
    deep_picture = {.data = deep, .width = W, .height = H, .pixels = MB_PIXELS_RGB, .depth = MB_DEPTH_U16},
    grey_picture = {.data = grey, .width = W, .height = H, .pixels = MB_PIXELS_GRAY, .depth = MB_DEPTH_U8},
    stroke_picture = {.data = strokes, .width = W, .height = H, .pixels = MB_PIXELS_RGBA, .depth = MB_DEPTH_U8};
static char folder[] = "/tmp/mattebox-pictures-XXXXXX";
static char saved[300];

/* ---- reading */

static const struct file {
    const char *name;
} files[] = {{"files/rgb8.png"},        {"files/rgba16_i.png"},     {"files/rgb420.jpg"},   {"files/ycck.jpg"},
             {"files/rgba.pam"},        {"files/rgba.bmp"},         {"files/rgba_rle.tga"}, {"files/rgba_rle.psd"},
             {"files/transparent.gif"}, {"profiles/p3.webp"},       {"profiles/p3.jpg"},    {"profiles/cmyk.jpg"},
             {"profiles/grey.png"},     {"tiff/tiled.tif"},         {"tiff/cmyk.tif"},      {"heif/sticker.heic"},
             {"heif/turned.avif"},      {"heif/p3.avif"},           {"jxl/lossy_p3.jxl"},   {"animated/disposal3.gif"},
             {"animated/soft.png"},     {"animated/lossless.webp"}, {"tiff/pages.tif"},     {"heif/two.heic"},
             {"jxl/animated.jxl"}};
static char path[600];

static void load(trial *t)
{
    mb_load_options o;
    mb_metadata metadata;
    mb_image_source source = {.size = sizeof source};
    mb_image image = {0};
    mb_load_options_init(&o);
    mb_metadata_init(&metadata);
    o.keep_alpha = o.keep_depth = 1;
    o.metadata = &metadata;
    if (CALL(t, mb_image_load(&image, &source, path, &o, &t->err))) {
        trial_mix_image(t, &image);
        trial_mix(t, metadata.icc, metadata.icc_bytes);
        trial_mix(t, metadata.exif, metadata.exif_bytes);
    }
    mb_image_dispose(&image);
    mb_metadata_dispose(&metadata);
    if (CALL(t, mb_image_probe(&source, path, &t->err))) {
        trial_mix(t, &source.width, sizeof source.width);
    }
}

static void all_frames(trial *t)
{
    mb_frames *f = NULL;
    if (!CALL(t, mb_frames_open(&f, path, NULL, &t->err))) {
        return;
    }
    for (int i = 0; i < mb_frames_get_info(f)->n_frames; i++) {
        mb_image image = {0};
        double ms = 0;
        if (CALL(t, mb_frames_read(&image, NULL, &ms, f, i, NULL, &t->err))) {
            trial_mix_image(t, &image);
        }
        mb_image_dispose(&image);
    }
    mb_frames_free(f);
}

/* Whether this build reads the file at all. */
static bool choose(const char *name)
{
    mb_image image = {0};
    mb_error err = {0};
    (void)snprintf(path, sizeof path, "%s/pictures/%s", MB_TEST_DATA, name);
    const mb_status status = mb_image_load(&image, NULL, path, NULL, &err);
    mb_image_dispose(&image);
    CHECK_MSG(status == MB_OK || status == MB_E_UNSUPPORTED, "%s: %s", name, err.message);
    return status == MB_OK;
}

TEST_ROWS(load, files)
{
    if (choose(row->name)) {
        trial_sweep(row->name, load, 100);
    }
}

TEST_ROWS(frames, files)
{
    if (choose(row->name)) {
        trial_sweep(row->name, all_frames, 100);
    }
}

/* ---- writing */

static const struct writing {
    const char *name;
    mb_format format;
    const mb_image *picture;
    int quality, threads;
} writings[] = {
    {"png", MB_FORMAT_PNG, &clear_picture, 0, 1},         {"png, 16 bits", MB_FORMAT_PNG, &deep_picture, 0, 1},
    {"png, threads", MB_FORMAT_PNG, &deep_picture, 0, 3}, {"png, grey", MB_FORMAT_PNG, &grey_picture, 0, 1},
    {"jpeg", MB_FORMAT_JPEG, &deep_picture, 80, 1},       {"jpeg, grey", MB_FORMAT_JPEG, &grey_picture, 0, 1},
    {"webp", MB_FORMAT_WEBP, &clear_picture, 0, 1},       {"webp, lossy", MB_FORMAT_WEBP, &clear_picture, 70, 1}};
static const struct writing *how;

static const unsigned char exif[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0};

static bool write_options(mb_save_options *o, mb_metadata *metadata)
{
    mb_metadata_init(metadata);
    metadata->dpi_x = metadata->dpi_y = 300;
    metadata->exif = (void *)(uintptr_t)exif;
    metadata->exif_bytes = sizeof exif;
    mb_save_options_init(o);
    o->format = how->format;
    o->quality = how->quality;
    o->threads = how->threads;
    o->metadata = metadata;
    return true;
}

static void encode(trial *t)
{
    mb_save_options o;
    mb_metadata metadata;
    void *bytes = NULL;
    size_t n = 0;
    if (write_options(&o, &metadata) && CALL(t, mb_image_encode(&bytes, &n, how->picture, &o, &t->err))) {
        trial_mix(t, bytes, n);
    }
    mb_buffer_free(bytes);
}

static void save(trial *t)
{
    mb_save_options o;
    mb_metadata metadata;
    if (write_options(&o, &metadata) && CALL(t, mb_image_save(how->picture, saved, &o, &t->err))) {
        CHECK_EQ(access(saved, R_OK), 0);
    }
    (void)unlink(saved);
}

TEST_ROWS(write, writings)
{
    mb_error err = {0};
    mb_save_options o;
    mb_metadata metadata;
    how = row;
    (void)write_options(&o, &metadata);
    if (mb_image_save(row->picture, saved, &o, &err) == MB_E_UNSUPPORTED) {
        SKIP("this build writes no %s", row->name);
    }
    (void)unlink(saved);
    trial_sweep(row->name, encode, 100);
    trial_sweep(row->name, save, 100);
}

static void animate(trial *t)
{
    mb_save_options o;
    mb_metadata metadata;
    mb_animation *a = NULL;
    void *bytes = NULL;
    size_t n = 0;
    (void)write_options(&o, &metadata);
    bool ok = CALL(t, mb_animation_create(&a, 3, &o, &t->err));
    for (int i = 0; ok && i < 3; i++) {
        ok = CALL(t, mb_animation_add(a, how->picture, 33.4 * i, &t->err));
    }
    if (ok && CALL(t, mb_animation_encode(&bytes, &n, a, &t->err))) {
        trial_mix(t, bytes, n);
    }
    mb_buffer_free(bytes);
    mb_animation_free(a);
}

static void save_animation(trial *t)
{
    mb_save_options o;
    mb_metadata metadata;
    mb_animation *a = NULL;
    (void)write_options(&o, &metadata);
    if (CALL(t, mb_animation_create(&a, 0, &o, &t->err)) && CALL(t, mb_animation_add(a, how->picture, 20, &t->err)) &&
        CALL(t, mb_animation_add(a, how->picture, 20, &t->err))) {
        (void)CALL(t, mb_animation_save(a, saved, &t->err));
    }
    mb_animation_free(a);
    (void)unlink(saved);
}

static const struct writing animations[] = {{"animated png", MB_FORMAT_PNG, &clear_picture, 0, 1},
                                            {"animated png, 16 bits", MB_FORMAT_PNG, &deep_picture, 0, 1},
                                            {"animated webp", MB_FORMAT_WEBP, &clear_picture, 0, 1}};

TEST_ROWS(animation, animations)
{
    mb_animation *a = NULL;
    mb_save_options o;
    mb_metadata metadata;
    how = row;
    (void)write_options(&o, &metadata);
    const mb_status status = mb_animation_create(&a, 0, &o, NULL);
    mb_animation_free(a);
    if (status == MB_E_UNSUPPORTED) {
        SKIP("this build writes no %s", row->name);
    }
    trial_sweep(row->name, animate, 100);
    trial_sweep(row->name, save_animation, 100);
}

/* ---- masks */

static void make_trimap(trial *t)
{
    mb_image out = {0};
    if (CALL(t, mb_trimap_make(&out, &grey_picture, 3, 5, &t->err))) {
        trial_mix_image(t, &out);
    }
    mb_image_dispose(&out);
}

static void read_mask(trial *t)
{
    mb_mask_options o;
    mb_image out = {0};
    char note[200];
    mb_mask_options_init(&o);
    o.width = 2 * W;
    o.height = 2 * H;
    o.scale = 1;
    o.photo = &deep_picture;
    if (CALL(t, mb_mask_read(&out, note, sizeof note, &stroke_picture, NULL, &t->err))) {
        trial_mix_image(t, &out);
    }
    mb_image_dispose(&out);
    if (CALL(t, mb_mask_read(&out, note, sizeof note, &grey_picture, &o, &t->err))) {
        trial_mix_image(t, &out);
    }
    mb_image_dispose(&out);
}

static void draw_strokes(trial *t)
{
    mb_image out = {0};
    if (CALL(t, mb_mask_apply_strokes(&out, &grey_picture, &deep_picture, &stroke_picture, &t->err))) {
        trial_mix_image(t, &out);
    }
    mb_image_dispose(&out);
}

static void convert(trial *t)
{
    mb_image out = {0};
    if (CALL(t, mb_image_create(&out, W, H, MB_PIXELS_BGRA, MB_DEPTH_F32, &t->err)) &&
        CALL(t, mb_image_convert(&out, &deep_picture, &t->err))) {
        trial_mix_image(t, &out);
    }
    mb_image_dispose(&out);
}

static void convert_profile(trial *t)
{
    mb_metadata metadata;
    mb_load_options o;
    mb_image image = {0};
    mb_load_options_init(&o);
    mb_metadata_init(&metadata);
    o.metadata = &metadata;
    (void)snprintf(path, sizeof path, "%s/pictures/profiles/p3.png", MB_TEST_DATA);
    if (CALL(t, mb_image_load(&image, NULL, path, &o, &t->err))) {
        mb_status status;
        trial_begin(t);
        status = mb_image_convert_profile(&image, &metadata, NULL, &t->err);
        if (status != MB_E_UNSUPPORTED && trial_failed(t, status, "convert")) {
            t->lost = true; /* in place: half of the picture may be converted */
        }
        trial_mix_image(t, &image);
    }
    mb_image_dispose(&image);
    mb_metadata_dispose(&metadata);
}

static const struct {
    const char *name;
    scenario run;
} scenarios[] = {{"trimap", make_trimap},
                 {"mask", read_mask},
                 {"strokes", draw_strokes},
                 {"convert", convert},
                 {"profile", convert_profile}};

TEST_ROWS(sweep, scenarios)
{
    trial_sweep(row->name, row->run, 100);
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(saved, sizeof saved, "%s/a.bin", folder);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            double in = (8 - hypot(x - 14, y - 11)) / 4 + 0.5;
            in = in < 0 ? 0 : in > 1 ? 1 : in;
            grey[y][x] = (unsigned char)(in * 255);
            for (int c = 0; c < 4; c++) {
                rgba[y][x][c] = (unsigned char)(c == 3 ? in * 255 : in * 200 + 5 * c + y);
                strokes[y][x][c] = (unsigned char)(x > 12 && x < 16 && y > 3 && y < 18 ? 255 : 0);
            }
            for (int c = 0; c < 3; c++) {
                deep[y][x][c] = (unsigned short)(in * 50000 + 300 * c + 99 * x);
            }
        }
    }
}

TEARDOWN
{
    trial_summary();
    CHECK_EQ(rmdir(folder), 0);
}
