/* The built-in default on the photos with hand-made masks (tests/data/photos): the mean IoU and MAE may not fall behind
 * what was measured when the model was made (docs/models/default.md). Nothing to test where no model is linked in. */
#define _GNU_SOURCE
#include "harness/check.h"
#include "harness/process.h"

#include <mattebox.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHOTOS MB_SOURCE_DIR "/tests/data/photos"
#define ALONE  "XDG_DATA_HOME=/nowhere XDG_STATE_HOME=$PWD/state mattebox "

static const double LEAST_IOU = 0.68, MOST_MAE = 0.16;

static process p;

/* A mask file as grey floats; 0 when it cannot be read. */
static int read_mask(mb_image *out, const char *path)
{
    mb_error err = {0};
    mb_image rgb = {0};
    CHECK_OK(mb_image_load(&rgb, NULL, path, NULL, &err), err);
    int ok = rgb.data != NULL &&
             mb_image_create(out, rgb.width, rgb.height, MB_PIXELS_GRAY, MB_DEPTH_F32, &err) == MB_OK &&
             mb_image_convert(out, &rgb, &err) == MB_OK;
    mb_image_dispose(&rgb);
    return ok;
}

static int by_mask(const struct dirent *e)
{
    return strstr(e->d_name, "_mask.png") != NULL;
}

typedef struct sums {
    double iou, mae;
    int n;
} sums;

static void judge(sums *s, const char *mask_file)
{
    char path[512];
    mb_image truth = {0}, got = {0};
    (void)snprintf(path, sizeof path, PHOTOS "/%s", mask_file);
    int ok = read_mask(&truth, path);
    (void)snprintf(path, sizeof path, "%s/out/%.*s.mask.png", MB_BUILD_DIR "/test-files/cli-quality",
                   (int)(strlen(mask_file) - strlen("_mask.png")), mask_file);
    ok = ok && read_mask(&got, path);
    if (CHECK_MSG(ok && got.width == truth.width && got.height == truth.height, "%s", path)) {
        const float *a = got.data, *b = truth.data;
        double both = 0, either = 0, off = 0, n = (double)got.width * got.height;
        for (size_t i = 0; i < (size_t)n; i++) {
            both += a[i] > 0.5f && b[i] > 0.5f;
            either += a[i] > 0.5f || b[i] > 0.5f;
            off += fabs((double)a[i] - (double)b[i]);
        }
        (void)printf("%-24s IoU %.3f MAE %.3f\n", mask_file, both / (either > 0 ? either : 1), off / n);
        s->iou += both / (either > 0 ? either : 1);
        s->mae += off / n;
        s->n++;
    }
    mb_image_dispose(&truth);
    mb_image_dispose(&got);
}

TEST(default_on_photos)
{
#ifdef __SANITIZE_ADDRESS__
    if (!test_long()) {
        SKIP("two minutes for what other tests run under sanitizers too; --long does it");
    }
#endif
    (void)process_folder("cli-quality");
    process_run(&p, ALONE "models list");
    REQUIRE_MSG(p.code == 0, "%s", p.err);
    if (strstr(p.out, "demo  ") == NULL) {
        SKIP("no model is linked in");
    }
    process_run(&p, ALONE "%s/*.jpg --only-mask -o out/ -q", PHOTOS);
    CHECK_RUN(&p, 0, "");
    struct dirent **masks = NULL;
    sums s = {0};
    int n = scandir(PHOTOS, &masks, by_mask, alphasort);
    for (int i = 0; i < n; i++) {
        if (strcmp(masks[i]->d_name, "mountains_mask.png") != 0) { /* no subject: IoU says nothing */
            judge(&s, masks[i]->d_name);
        }
        free(masks[i]);
    }
    free(masks);
    CHECK_EQ(s.n, 29);
    s.iou /= s.n > 0 ? s.n : 1;
    s.mae /= s.n > 0 ? s.n : 1;
    CHECK_MSG(s.iou >= LEAST_IOU && s.mae <= MOST_MAE, "mean IoU %.3f, MAE %.3f", s.iou, s.mae);
    (void)printf("mean IoU %.3f, MAE %.3f\n", s.iou, s.mae);
}
