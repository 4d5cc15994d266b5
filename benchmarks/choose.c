/* The candidates that the built-in default chooses between (engine/segment/candidates.h), against the truth:
 *
 *     bench_choose PHOTO NETWORK_MASK TRUTH [PHOTO NETWORK_MASK TRUTH]...
 *
 * prints for each picture and candidate one line of JSON: the features it is scored by (engine/segment/candidate_score.h)
 * and its intersection over union with the truth, a grey mask of the photo's shape. weights_tool/train/choose.py fits the
 * score to them. */
#include "image/convert.h"
#include "image/codec/load.h"
#include "segment/candidates.h"
#include "image/resample/reduce.h"
#include "segment/saliency.h"

#include <stdio.h>

/* A grey mask at the size of the cut-outs. */
static mb_status load_mask(mb_image_u8 *out, const char *path, int width, int height, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 colour = {0}, grey = {0};
    MB_TRY(mb_load_file(NULL, &colour, NULL, path, NULL, err));
    MB_TRY(mb_image_u8_luma(&grey, &colour, err));
    MB_TRY(mb_image_u8_rescale(NULL, out, &grey, width, height, err));
done:
    mb_image_u8_dispose(&colour);
    mb_image_u8_dispose(&grey);
    return status;
}

static double overlap(const mb_image_u8 *a, const mb_image_u8 *b)
{
    size_t both = 0, either = 0;
    for (size_t i = 0; i < (size_t)a->width * (size_t)a->height; i++) {
        both += a->v[i] >= 128 && b->v[i] >= 128;
        either += a->v[i] >= 128 || b->v[i] >= 128;
    }
    return (double)both / (double)(either ? either : 1);
}

static mb_status one_picture(char **names, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 photo = {0}, network = {0}, saliency = {0}, truth = {0};
    mb_candidates c = {0};
    MB_TRY(mb_load_file(NULL, &photo, NULL, names[0], NULL, err));
    MB_TRY(load_mask(&network, names[1], photo.width, photo.height, err));
    MB_TRY(mb_saliency(NULL, &saliency, &photo, err));
    MB_TRY(mb_candidates_create(NULL, &c, &photo, &network, &saliency, err));
    MB_TRY(load_mask(&truth, names[2], c.cuts[0].width, c.cuts[0].height, err));
    for (int candidate = 0; candidate < MB_N_CANDIDATES; candidate++) {
        printf("{\"photo\": \"%s\", \"candidate\": %d, \"usable\": %s, \"best\": %s, \"iou\": %.6f, \"features\": [",
               names[0], candidate, c.usable[candidate] ? "true" : "false",
               mb_candidates_best(&c) == (mb_candidate)candidate ? "true" : "false",
               overlap(&c.cuts[candidate], &truth));
        for (int k = 0; k < MB_N_FEATURES; k++) {
            printf("%s%.7g", k ? ", " : "", c.features[candidate][k]);
        }
        printf("]}\n");
    }
done:
    mb_candidates_dispose(&c);
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&network);
    mb_image_u8_dispose(&saliency);
    mb_image_u8_dispose(&truth);
    return status;
}

int main(int argc, char **argv)
{
    int failed = argc < 4 || (argc - 1) % 3 != 0;
    if (failed) {
        fprintf(stderr, "bench_choose PHOTO NETWORK_MASK TRUTH [PHOTO NETWORK_MASK TRUTH]...\n");
    }
    for (int i = 1; !failed && i < argc; i += 3) {
        mb_error err;
        if (one_picture(argv + i, &err) != MB_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], err.message);
            failed = 1;
        }
    }
    return failed;
}
