/* The table of plans of a device. */
#include "cuda/driver/dnn.h"

#include "core/alloc.h"
#include "cuda/driver/tune.h"
#include "cuda/vendor/plan_cache.h"

#include <stdio.h>
#include <string.h>

#define ENTRIES        256                  /* different convolutions of a process; a plan has some fifty */
#define WORKSPACE_MOST ((int64_t)256 << 20) /* of one plan; nor more than a tenth of what is free */

/* What is known of one convolution. The flags, and who runs it (own: our kernel is the choice):
 *
 *   used  refused  own  timed   mb_dnn_can_run   why
 *    0       -      -     -          no          not met yet
 *    1       1      -     -          no          no engine fits: not deterministic, too much workspace, unknown
 *    1       0      0     0          yes         the heuristics' first plan; it may still be timed
 *    1       0      0     1          yes         timed: this plan is the fastest
 *    1       0      1     0          no          own first (MB_DNN_OWN_FIRST): ours until it was timed
 *    1       0      1     1          no          timed: our kernel is the fastest
 *
 * ran: whether a plan computed the last run, which is what timing asks; a run with misaligned maps is ours even if a
 * plan is the choice. */
typedef struct entry {
    mb_dnn_conv key;
    bool used, refused, ran; /* ran: a plan, at the last run */
    mb_cuda_choice choice;
    mb_dnn_plan plan;
} entry;

/* Plans are never taken out of the table: captured graphs hold them. */
struct mb_dnn {
    mb_dnn_target target;
    entry entries[ENTRIES];
};

/* A library that does not start is as good as none. A plan may ask for a tenth of the free memory. */
mb_status mb_dnn_open(mb_dnn **out, mb_cuda_device *d, mb_error *err)
{
    *out = NULL;
    if (d->lib.dnn_handle == NULL) {
        return MB_OK;
    }
    mb_dnn *n = mb_calloc(1, sizeof *n);
    if (n == NULL) {
        return mb_fail_memory(err, sizeof *n, "cuDNN's table");
    }
    /* At opening: a plan of a later time is held to the same limit, so that choices do not vary. */
    size_t free_bytes = 0;
    mb_status status = mb_cuda_free_bytes(d, &free_bytes, err);
    if (status != MB_OK) {
        mb_free(n);
        return status;
    }
    int64_t tenth = (int64_t)(free_bytes / 10);
    n->target = (mb_dnn_target){.api = &d->lib.dnn, .workspace_most = tenth < WORKSPACE_MOST ? tenth : WORKSPACE_MOST};
    if (d->lib.dnn.create(&n->target.handle) != MB_DNN_SUCCESS ||
        d->lib.dnn.set_stream(n->target.handle, d->compute) != MB_DNN_SUCCESS) {
        mb_dnn_close(n); /* present, but it does not start on this machine: our own kernels run */
        return MB_OK;
    }
    *out = n;
    return MB_OK;
}

/* Plans first: they were made with the handle. */
void mb_dnn_close(mb_dnn *n)
{
    if (n == NULL) {
        return;
    }
    for (int i = 0; i < ENTRIES; i++) {
        mb_dnn_dispose(&n->entries[i].plan, n->target.api);
    }
    if (n->target.handle != NULL) {
        (void)n->target.api->destroy(n->target.handle);
    }
    mb_free(n);
}

/* The choice and, unless it is our own kernel, the plan as text behind it. */
static void store(mb_cuda_device *d, const entry *e)
{
    const mb_dnn_target *t = &d->dnn->target;
    mb_error unsaid = {0};
    char *text = NULL;
    size_t bytes = 0;
    /* Our own kernel has no text. */
    if (d->cache == NULL || (!e->choice.own && mb_dnn_write(&text, &bytes, t, &e->plan, &unsaid) != MB_OK)) {
        return;
    }
    /* A record: the choice, then the plan's text. */
    unsigned char *both = mb_alloc(sizeof e->choice + bytes);
    if (both != NULL) {
        mb_cuda_choice choice = e->choice;
        const mb_dnn_conv *c = &e->key;
        static const char *const types[] = {"f32", "f16", "bf16"};
        (void)snprintf(choice.what, sizeof choice.what, "%lldx%lld %lldx%lld %lld to %lld %s%s", (long long)c->kw,
                       (long long)c->kh, (long long)c->width, (long long)c->height, (long long)c->inputs,
                       (long long)c->outputs, c->type >= 0 && c->type < 3 ? types[c->type] : "",
                       c->from_16bit != 0 ? " from 16 bits" : "");
        memcpy(both, &choice, sizeof choice);
        if (bytes > 0) {
            memcpy(both + sizeof choice, text, bytes);
        }
        mb_plan_cache_put(d->cache, MB_CACHE_CONVOLUTION, &e->key, sizeof e->key, both, sizeof choice + bytes);
    }
    mb_free(both);
    mb_free(text);
}

/* What the disk has of it, if it was timed or need not be: false leaves the entry as it was. */
static bool recall(mb_cuda_device *d, entry *e, bool must_be_timed)
{
    mb_cuda_choice choice;
    mb_error unsaid = {0};
    size_t bytes = 0;
    const unsigned char *stored = mb_plan_cache_get(d->cache, MB_CACHE_CONVOLUTION, &e->key, sizeof e->key, &bytes);
    if (stored == NULL || bytes < sizeof choice) {
        return false;
    }
    memcpy(&choice, stored, sizeof choice);
    if (must_be_timed && choice.timed == 0) {
        return false;
    }
    if (choice.own == 0) {
        mb_dnn_plan plan;
        if (mb_dnn_read(&plan, &d->dnn->target, (const char *)stored + sizeof choice, bytes - sizeof choice, &unsaid) !=
            MB_OK) {
            return false;
        }
        mb_dnn_dispose(&e->plan, d->dnn->target.api);
        e->plan = plan;
    }
    e->choice = choice;
    return true;
}

/* From the disk, or by the heuristics; then to the disk. With time for it there are several plans, to be timed. */
static bool make_plan(mb_cuda_device *d, entry *e, bool several)
{
    mb_error unsaid = {0};
    if (recall(d, e, several)) {
        return true;
    }
    double begin = mb_cuda_tune_clock();
    mb_status status = mb_dnn_build(&e->plan, &d->dnn->target, &e->key, several ? MB_CUDA_PROPOSALS : 1, &unsaid);
    if (several) {
        mb_cuda_tune_spent(d, begin);
    }
    if (status == MB_OK) {
        store(d, e);
    }
    return status == MB_OK;
}

/* Entries are taken from the front, so the first unused one ends the search. */
static entry *find(mb_dnn *n, const mb_dnn_conv *c)
{
    for (int i = 0; i < ENTRIES && n->entries[i].used; i++) {
        if (memcmp(&n->entries[i].key, c, sizeof *c) == 0) {
            return &n->entries[i];
        }
    }
    return NULL;
}

/* Makes the entry at the first question about this convolution; later ones only look. A full table refuses. */
bool mb_dnn_plan_for(size_t *workspace, mb_cuda_device *d, const mb_dnn_conv *c, unsigned how)
{
    const bool own_first = (how & MB_DNN_OWN_FIRST) != 0, several = (how & MB_DNN_ONE) == 0 && mb_cuda_may_tune(d);
    *workspace = 0;
    if (d->dnn == NULL) {
        return false;
    }
    entry *e = find(d->dnn, c);
    for (int i = 0; i < ENTRIES && e == NULL; i++) {
        if (!d->dnn->entries[i].used) { /* plans of the table stay: runs and captured graphs rely on them */
            e = &d->dnn->entries[i];
            e->key = *c;
            e->used = true;
            e->choice = (mb_cuda_choice){.own = own_first};
            e->refused = !make_plan(d, e, several);
        }
    }
    if (e == NULL || e->refused || (e->choice.own != 0 && (e->choice.timed != 0 || !several))) {
        return false;
    }
    *workspace = (size_t)mb_dnn_workspace(&e->plan);
    return true;
}

/* ---- timing: the plans, then our own kernel */
static bool choose_candidate(void *user, int i)
{
    entry *e = user;
    e->ran = false;
    e->choice.own = i == e->plan.n_choices;
    e->plan.chosen = i < e->plan.n_choices ? i : e->plan.chosen;
    return true;
}

/* Did the last run use the candidate that was asked for? */
static bool has_run(void *user, int i)
{
    const entry *e = user;
    return e->ran == (i < e->plan.n_choices);
}

/* What another device of this kind has found meanwhile, if it can do with the workspace we have. */
static bool adopt(mb_cuda_device *d, entry *e)
{
    entry other = {.key = e->key};
    if (!recall(d, &other, true)) {
        return false;
    }
    if (mb_dnn_workspace(&other.plan) > mb_dnn_workspace(&e->plan)) {
        mb_dnn_dispose(&other.plan, d->dnn->target.api);
        return false;
    }
    mb_dnn_dispose(&e->plan, d->dnn->target.api);
    e->plan = other.plan;
    e->choice = other.choice;
    return true;
}

/* Once per convolution, unless a device of this kind has done it. If nothing could be timed, the choice stays
 * what it was. */
mb_status mb_dnn_tune(mb_cuda_device *d, const mb_dnn_conv *c, mb_status (*run)(const mb_call *c, mb_error *err),
                      const mb_call *call, mb_error *err)
{
    entry *e = d->dnn != NULL ? find(d->dnn, c) : NULL;
    if (e == NULL || e->refused || e->choice.timed != 0 || !mb_cuda_may_tune(d) || e->plan.n_choices == 0 ||
        adopt(d, e)) {
        return MB_OK;
    }
    /* Timing changes the entry: what was there comes back if nothing was found. */
    const mb_cuda_choice before = e->choice;
    const mb_cuda_trial trial = {call, run, choose_candidate, has_run, e, e->plan.n_choices + 1};
    mb_cuda_choice best;
    mb_status status = mb_cuda_fastest(&best, d, &trial, err);
    e->choice = before;
    e->plan.chosen = 0;
    if (status == MB_OK && best.timed != 0) {
        (void)choose_candidate(e, best.index);
        best.own = e->choice.own;
        e->choice = best;
        mb_dnn_keep_chosen(&e->plan, d->dnn->target.api);
        store(d, e);
    }
    return status;
}

/* Alignment is not asked: it is known at the run only. */
bool mb_dnn_can_run(mb_cuda_device *d, const mb_dnn_conv *c)
{
    const entry *e = d->dnn != NULL ? find(d->dnn, c) : NULL;
    return e != NULL && !e->refused && e->choice.own == 0;
}

static bool is_aligned(const void *p, int32_t bytes)
{
    return p == NULL || (uintptr_t)p % (uintptr_t)bytes == 0;
}

/* Packs the pointers and executes the chosen plan on the compute stream (set when the library was opened). */
mb_status mb_dnn_run(bool *ran, mb_cuda_device *d, const mb_dnn_conv *c, const mb_dnn_maps *m, void *workspace,
                     mb_error *err)
{
    const mb_dnn_api *api = &d->lib.dnn;
    entry *e = d->dnn != NULL ? find(d->dnn, c) : NULL;
    *ran = e != NULL && !e->refused && e->choice.own == 0 && is_aligned(m->x, c->x_align) &&
           is_aligned(m->y, c->y_align) && is_aligned(m->addend, c->y_align);
    if (e != NULL) {
        e->ran = *ran;
    }
    if (!*ran) {
        return MB_OK;
    }
    /* The tensors of this plan, by the names they have in it, and where they are now. */
    int64_t ids[5] = {MB_DNN_ID_X, MB_DNN_ID_W, MB_DNN_ID_Y}, n = 3;
    const void *pointers[5] = {m->x, m->w, m->y};
    if (c->bias != 0) {
        ids[n] = MB_DNN_ID_BIAS;
        pointers[n++] = m->bias;
    }
    if (c->addend_pitch > 0) {
        ids[n] = MB_DNN_ID_ADDEND;
        pointers[n++] = m->addend;
    }
    mb_dnn_desc pack = NULL;
    mb_dnn_result r = api->desc_create(MB_DNN_VARIANT_PACK, &pack);
    r = r != 0 ? r : api->set(pack, MB_DNN_PACK_POINTERS, MB_DNN_T_VOID_PTR, n, pointers);
    r = r != 0 ? r : api->set(pack, MB_DNN_PACK_IDS, MB_DNN_T_INT64, n, ids);
    r = r != 0 ? r : api->set(pack, MB_DNN_PACK_WORKSPACE, MB_DNN_T_VOID_PTR, 1, &workspace);
    r = r != 0 ? r : api->finalize(pack);
    r = r != 0 ? r : api->execute(d->dnn->target.handle, e->plan.choices[e->plan.chosen].plan, pack);
    if (pack != NULL) {
        (void)api->desc_destroy(pack);
    }
    if (r == MB_DNN_SUCCESS) {
        return MB_OK;
    }
    char text[256] = "";
    api->last_error(text, sizeof text - 1);
    const bool memory = r == MB_DNN_NO_HOST_MEMORY || r == MB_DNN_NO_DEVICE_MEMORY;
    return mb_fail(err, memory ? MB_E_MEMORY : MB_E_DEVICE, "CUDA: device %d \"%s\": cuDNN: %s (%d) %.200s", d->index,
                   d->name, api->error_text(r), r, text);
}
