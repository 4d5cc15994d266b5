/* Every allocation of every refinement may fail: the n-th one does, for n = 1, 2, ... until a run succeeds. Each time
 * MB_E_MEMORY, no output, nothing left behind. This program brings its own core/alloc: defining all of its functions
 * keeps the library's out of the link. */
#include "image/convert.h"
#include "matting/fixtures.h"
#include "matting/foreground.h"
#include "matting/trimap.h"
#include "matting/vitmatte.h"

static long countdown = -1; /* allocations until one fails; < 0: none does */
static long live, total;

static void *counted(void *p)
{
    live += p != NULL;
    total += p != NULL;
    return p;
}

static bool fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *mb_alloc(size_t bytes)
{
    return fails() ? NULL : counted(malloc(bytes > 0 ? bytes : 1));
}
void *mb_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(calloc(count > 0 ? count : 1, size > 0 ? size : 1));
}
void *mb_alloc_array(size_t count, size_t size)
{
    size_t bytes;
    return mb_mul_size(&bytes, count, size) ? mb_alloc(bytes) : NULL;
}
void *mb_realloc_array(void *p, size_t count, size_t size)
{
    size_t bytes;
    if (!mb_mul_size(&bytes, count, size) || fails()) {
        return NULL;
    }
    live -= p != NULL;
    return counted(realloc(p, bytes > 0 ? bytes : 1));
}
void mb_free(void *p)
{
    live -= p != NULL;
    free(p);
}
char *mb_strdup(const char *text)
{
    char *copy = mb_alloc(strlen(text) + 1);
    return copy != NULL ? strcpy(copy, text) : NULL;
}
void *mb_alloc_aligned(size_t bytes)
{
    return fails() ? NULL : counted(aligned_alloc(64, (bytes + 64) / 64 * 64));
}
void mb_free_aligned(void *p)
{
    mb_free(p);
}
size_t mb_alloc_count(void)
{
    return (size_t)total;
}

static mb_image_u8 photo, mask;

typedef struct scenario {
    const char *name;
    mb_detail detail;
    mb_solver solver;
    mb_foreground foreground;
    double scale, megapixels;
    bool wants_f32;
} scenario;

/* Between the two halves a stand-in for the network: the trimap. */
static mb_status run_vitmatte(mb_matte_job *job, mb_error *err)
{
    mb_vitmatte_input input = {0};
    mb_image_f32 alpha = {0};
    mb_status status = MB_OK;
    MB_TRY(mb_vitmatte_prepare(NULL, &input, job, err));
    MB_TRY(mb_image_f32_from_u8(&alpha, input.trimap, err));
    MB_TRY(mb_vitmatte_finish(NULL, job, &input, &alpha, err));
done:
    if (status != MB_OK) {
        mb_matte_job_dispose(job);
    }
    mb_vitmatte_input_dispose(&input);
    mb_image_f32_dispose(&alpha);
    return status;
}

static mb_status run(const scenario *s, mb_image_u8 *out, mb_image_u8 *trimap, mb_error *err)
{
    if (s->foreground != MB_FOREGROUND_NONE) {
        mb_foreground_options o = {0};
        return mb_foreground_estimate(NULL, out, s->foreground, &photo, &mask, &o, err);
    }
    mb_options o;
    mb_options_init(&o);
    o.detail = s->detail;
    o.guided_scale = s->scale;
    o.max_megapixels = s->megapixels;
    mb_matte_job job = {.photo = &photo, .mask = &mask, .options = &o, .solver = s->solver, .want_f32 = s->wants_f32};
    mb_status status = mb_matte_needs_network(&o) ? run_vitmatte(&job, err) : mb_matte_run(NULL, &job, err);
    *out = job.alpha;
    *trimap = job.trimap;
    CHECK((job.alpha_f32.v != NULL) == (status == MB_OK && s->wants_f32));
    mb_image_f32_dispose(&job.alpha_f32);
    return status;
}

static void sweep(const scenario *s)
{
    long before = live, n = 0;
    for (;; n++) {
        mb_image_u8 out = {0}, trimap = {0};
        mb_error err = {0};
        countdown = n;
        mb_status status = run(s, &out, &trimap, &err);
        bool reached = countdown < 0;
        countdown = -1;
        if (!reached) { /* fewer allocations than n: the run was undisturbed */
            CHECK_MSG(status == MB_OK, "%s: %s", s->name, err.message);
        } else if (!CHECK_MSG(status == MB_E_MEMORY && out.v == NULL && trimap.v == NULL,
                              "%s, allocation %ld: status %d", s->name, n + 1, (int)status)) {
            break;
        }
        mb_image_u8_dispose(&out);
        mb_image_u8_dispose(&trimap);
        if (!CHECK_MSG(live == before, "%s, allocation %ld: %ld blocks left", s->name, n + 1, live - before) ||
            !reached) {
            break;
        }
    }
    CHECK_MSG(n > 0, "%s: no allocation was made to fail", s->name);
}

static const scenario scenarios[] = {
    {"none", MB_DETAIL_NONE, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 2, false},
    {"guided", MB_DETAIL_GUIDED, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 2, false},
    {"guided fast", MB_DETAIL_GUIDED, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 0.5, 2, false},
    {"pymatting", MB_DETAIL_PYMATTING, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 2, false},
    {"pymatting by iteration", MB_DETAIL_PYMATTING, MB_SOLVER_PCG, MB_FOREGROUND_NONE, 1, 2, false},
    {"vitmatte", MB_DETAIL_VITMATTE, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 2, false},
    {"vitmatte reduced", MB_DETAIL_VITMATTE, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 0.001, false},
    {"none, 16 bits", MB_DETAIL_NONE, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 2, true},
    {"guided, 16 bits", MB_DETAIL_GUIDED, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 2, true},
    {"vitmatte reduced, 16 bits", MB_DETAIL_VITMATTE, MB_SOLVER_AUTO, MB_FOREGROUND_NONE, 1, 0.001, true},
    {"multi-level", MB_DETAIL_NONE, MB_SOLVER_AUTO, MB_FOREGROUND_ML, 1, 2, false},
    {"blur fusion", MB_DETAIL_NONE, MB_SOLVER_AUTO, MB_FOREGROUND_BLURFUSION, 1, 2, false},
};

TEST_ROWS(sweep, scenarios)
{
    sweep(row);
}

TEST(trimap_of_rembg)
{
    for (long n = 0, done = 0; !done; n++) {
        mb_image_u8 out = {0};
        mb_error err = {0};
        long before = live;
        countdown = n;
        mb_status status = mb_trimap_rembg(NULL, &out, &mask, 10, 240, 10, &err);
        done = countdown >= 0;
        countdown = -1;
        CHECK(status == (done ? MB_OK : MB_E_MEMORY));
        mb_image_u8_dispose(&out);
        CHECK_EQ(live, before);
    }
}

SETUP
{
    mb_error err;
    REQUIRE_OK(mb_image_u8_create(&photo, 60, 44, 4, &err), err);
    REQUIRE_OK(mb_image_u8_create(&mask, 60, 44, 1, &err), err);
    for (int i = 0; i < 60 * 44; i++) {
        int x = i % 60 - 30, y = i / 60 - 22;
        mask.v[i] = x * x + y * y < 150 ? 255 : 0;
        for (int k = 0; k < 4; k++) {
            photo.v[4 * i + k] = (uint8_t)((x * 5 + y * 3 + k * 40 + i * 37 % 11) & 255);
        }
    }
}

TEARDOWN
{
    mb_image_u8_dispose(&photo);
    mb_image_u8_dispose(&mask);
    CHECK_MSG(live == 0, "%ld blocks left", live);
}
