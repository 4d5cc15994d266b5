/* A model whose values are no numbers when it runs: code 3 and the node where it began, never "no foreground found". */
#include "core/alloc.h"
#include "harness/check.h"
#include "harness/genweights.h"
#include "harness/process.h"
#include "writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static process p;

/* A model file of generated weights in which the first value of one tensor is another. */
static void write_model(const char *path, const char *variant, const char *poisoned, float value)
{
    mb_error err = {0};
    mb_weights *from = NULL;
    mbw_writer *to = NULL;
    CHECK_OK(gen_weights(&from, variant, 3, &err), err);
    CHECK_OK(mbw_writer_create(&to, &err), err);
    for (size_t i = 0; i < mb_weights_meta_count(from); i++) {
        const char *key, *text;
        mb_weights_meta_at(from, i, &key, &text);
        CHECK_OK(mbw_writer_meta(to, key, text, &err), err);
    }
    for (size_t i = 0; i < mb_weights_count(from); i++) {
        const mb_tensor *t = mb_weights_at(from, i);
        CHECK_OK(mbw_writer_tensor(to, t->name, t->dtype, t->rank, t->dims, &err), err);
    }
    CHECK_OK(mbw_writer_start_file(to, path, true, &err), err);
    bool found = false;
    for (size_t i = 0; i < mb_weights_count(from); i++) {
        const mb_tensor *t = mb_weights_at(from, i);
        float *v = malloc(t->bytes);
        memcpy(v, t->data, t->bytes);
        if (strcmp(t->name, poisoned) == 0) {
            v[0] = value;
            found = true;
        }
        CHECK_OK(mbw_writer_data(to, v, t->bytes, &err), err);
        free(v);
    }
    CHECK_MSG(found, "%s", poisoned);
    CHECK_OK(mbw_writer_finish_file(to, &err), err);
    mbw_writer_free(to);
    mb_weights_free(from);
}

static void write_photo(const char *name)
{
    static uint8_t rgb[15 + 96 * 64 * 3];
    int head = snprintf((char *)rgb, 16, "P6 96 64 255\n");
    gen_image(rgb + head, 1, 64, 96, 0);
    file_write(name, rgb, (size_t)head + (size_t)96 * 64 * 3);
}

static const char *folder;

SETUP
{
    folder = process_folder("nan_model");
    write_photo("a.ppm");
}

TEST(mask)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/m.mbw", folder);
    write_model(path, "tiny7_batch1", "decoder.conv_out1.0.bias", NAN);
    process_run(&p, "mattebox cut -m m.mbw --input-size 64 a.ppm -o a.png");
    CHECK_RUN(&p, 3, "the model gave NaN at decoder.conv_out1.0");
    CHECK_MSG(strstr(p.err, "no foreground") == NULL && !file_exists("a.png"), "%s", p.err);
    process_run(&p, "mattebox bench m.mbw --input-size 64 --runs 1");
    CHECK_RUN(&p, 3, "the model gave NaN at decoder.conv_out1.0");
    /* Infinite rather than no number, and far from the result: the first node is named, not the last. */
    write_model(path, "tiny7", "squeeze_module.0.conv_in.bias", INFINITY);
    process_run(&p, "mattebox cut -m m.mbw --input-size 64 a.ppm -o a.png");
    CHECK_RUN(&p, 3, "the model gave infinite values at squeeze_module.0.");
    write_model(path, "tiny7", "squeeze_module.0.conv_in.bias", 0.5F); /* the same file, whole */
    process_run(&p, "mattebox cut -m m.mbw --input-size 64 a.ppm -o a.png");
    CHECK_RUN(&p, 0, "");
    CHECK(file_exists("a.png"));
}

TEST(matting_model)
{
    char path[600];
    (void)snprintf(path, sizeof path, "%s/v.mbw", folder);
    write_model(path, "vitmatte_tiny4", "decoder.matting_head.matting_convs.3.bias", NAN);
    uint8_t trimap[13 + 96 * 64];
    int head = snprintf((char *)trimap, 14, "P5 96 64 255\n");
    for (int i = 0; i < 96 * 64; i++) {
        trimap[head + i] = i % 96 < 32 ? 0 : i % 96 < 64 ? 128 : 255;
    }
    file_write("t.pgm", trimap, (size_t)head + (size_t)96 * 64);
    process_run(&p, "mattebox matte --trimap t.pgm --detail vitmatte --matting-model v.mbw a.ppm -o b.png");
    CHECK_RUN(&p, 3, "the model gave NaN at decoder.matting_head");
}
