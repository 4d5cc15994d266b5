/* The check of `auto` for pictures (see the header): a few kilobytes, some milliseconds. */
#include "pipeline/image_io_check.h"

#include "core/alloc.h"
#include "image/resample/recipe.h"

#include <string.h>

enum { WIDTH = 45, HEIGHT = 37, SIDE = 32, PIXELS = SIDE * SIDE };

typedef struct trial {
    const mb_backend *b;
    void *slot;
    float *memory; /* on the device: the input, then the logits */
    mb_image_u8 photo;
    float input[3 * PIXELS], logits[PIXELS], seen[3 * PIXELS];
} trial;

/* A photo [37,45,3] and logits [32,32] by formula, with all kinds of values in them. */
static void fill(trial *t)
{
    uint32_t state = 1;
    for (int i = 0; i < WIDTH * HEIGHT * 3; i++) {
        state = state * 1664525u + 1013904223u;
        t->photo.v[i] = (uint8_t)((state >> 24) % 251);
    }
    for (int i = 0; i < PIXELS; i++) {
        state = state * 1664525u + 1013904223u;
        t->logits[i] = (float)(state >> 8) / 838860.8f - 10.0f;
    }
}

/* The device's input into `seen`, and the work towards the mask; with the device entered. */
static mb_status queue(trial *t, const mb_recipe_numbers *r, const mb_recipe_input *to, mb_error *err)
{
    const mb_backend *b = t->b;
    mb_status status = MB_OK;
    mb_view input = mb_view_of(t->memory, 1, 3, SIDE, SIDE);
    mb_view logits = mb_view_of(t->memory + sizeof t->input / sizeof(float), 1, 1, SIDE, SIDE);
    mb_image_input in = {.rgb = t->photo.v,
                         .width = WIDTH,
                         .height = HEIGHT,
                         .resize = &r->in,
                         .table = r->table[0],
                         .by_maximum = r->by_maximum};
    mb_mask_output out = {&r->back, r->by_maximum, r->brightens ? r->brightness : NULL};
    memcpy(in.mean, to->mean, sizeof in.mean);
    memcpy(in.std, to->std, sizeof in.std);
    MB_TRY(b->image_io->upload(t->slot, &in, &out, err));
    MB_TRY(b->image_io->write_input(t->slot, &input, err));
    MB_TRY(b->memory->copy_out(b->device, t->seen, input.data, sizeof t->seen, err));
    MB_TRY(b->memory->copy_in(b->device, logits.data, t->logits, sizeof t->logits, err));
    MB_TRY(b->image_io->read_output(t->slot, &logits, err));
    MB_TRY(b->memory->wait(b->device, err));
done:
    return status;
}

/* One recipe on the CPU and on the device. *same: the network's input, before it is rounded to the plan's type, and the
 * mask are byte for byte those of the CPU. */
static mb_status try_recipe(bool *same, trial *t, mb_recipe recipe, mb_error *err)
{
    mb_status status = MB_OK;
    mb_recipe_input to = {.input = t->input, .width = SIDE, .height = SIDE, .recipe = recipe};
    mb_recipe_output from = {t->logits, SIDE, SIDE, WIDTH, HEIGHT, recipe};
    mb_recipe_numbers r = {0};
    mb_image_u8 mask = {0};
    uint8_t seen[WIDTH * HEIGHT];
    bool finite = false;
    for (int c = 0; c < 3; c++) {
        to.mean[c] = 0.45f + 0.02f * (float)c;
        to.std[c] = 0.23f - 0.01f * (float)c;
    }
    /* The CPU's answers first, then the device's way from the same photo and the same logits. */
    MB_TRY(mb_recipe_prepare(NULL, &to, &t->photo, err));
    MB_TRY(mb_recipe_finish(NULL, &mask, NULL, &from, err));
    MB_TRY(mb_recipe_numbers_create(&r, &to, WIDTH, HEIGHT, err));
    MB_TRY(t->b->memory->enter(t->b->device, err));
    status = queue(t, &r, &to, err);
    t->b->memory->leave(t->b->device);
    if (status == MB_OK) {
        status = t->b->image_io->download(t->slot, seen, &finite, err);
    }
    *same = status == MB_OK && finite && memcmp(t->seen, t->input, sizeof t->input) == 0 &&
            memcmp(seen, mask.v, sizeof seen) == 0;
done:
    mb_recipe_numbers_dispose(&r);
    mb_image_u8_dispose(&mask);
    return status;
}

/* A kernel that was compiled differently, or a driver that is broken, shows here instead of in masks that are a
 * little wrong. */
bool mb_image_io_agrees(const mb_backend *b)
{
    mb_error err = {0};
    mb_status status = MB_OK;
    bool same = b->image_io == NULL;
    void *memory = NULL;
    trial *t = same ? NULL : mb_calloc(1, sizeof *t);
    if (t == NULL) {
        return same;
    }
    t->b = b;
    MB_TRY(mb_image_u8_create(&t->photo, WIDTH, HEIGHT, 3, &err));
    fill(t);
    /* One block for input and logits, one slot for all recipes. */
    MB_TRY(b->memory->enter(b->device, &err));
    status = b->memory->alloc(b->device, &memory, sizeof t->input + sizeof t->logits, "a check", &err);
    if (status == MB_OK) {
        status = b->image_io->open(b->device, &t->slot, &err);
    }
    b->memory->leave(b->device);
    t->memory = memory;
    same = status == MB_OK;
    for (int r = MB_RECIPE_AUTO + 1; same && r <= MB_RECIPE_REMBG; r++) {
        same = try_recipe(&same, t, (mb_recipe)r, &err) == MB_OK && same;
    }
done:
    if (t->slot != NULL) {
        b->image_io->close(t->slot);
    }
    if (memory != NULL && b->memory->enter(b->device, &err) == MB_OK) {
        b->memory->free(b->device, memory);
        b->memory->leave(b->device);
    }
    mb_image_u8_dispose(&t->photo);
    mb_free(t);
    return status == MB_OK && same;
}
