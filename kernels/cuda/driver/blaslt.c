/* cuBLASLt counts columns first, we rows: y^T[n,m] = op(w)[n,k] * x^T[k,m], so its A is our weights transposed (in
 * memory as they lie), its B our tokens, and a bias per row of its D one per output channel: no transpose exists. */
#include "cuda/driver/blaslt.h"

#include "core/alloc.h"
#include "cuda/driver/tune.h"
#include "cuda/vendor/plan_cache.h"

#include <stdio.h>
#include <string.h>

#define ENTRIES 256 /* different gemms of a process; a plan has some sixty */

/* All that the choice of an algorithm depends on; compared as bytes. */
typedef struct gemm_key {
    int64_t m, n, k, x_pitch, w_pitch, addend_pitch, y_pitch;
    int32_t x_type, y_type, epilogue, tf32;
    uint32_t alignment[4]; /* of w, x, addend, y */
    uint64_t workspace;
} gemm_key;

/* What the cache holds of a gemm. */
typedef struct stored_choice {
    mb_cuda_choice choice;
    mb_lt_algo algo;
} stored_choice;

/* A gemm that was met: its descriptors, and what was chosen for it. */
typedef struct entry {
    gemm_key key;
    bool used, refused, stored;
    mb_cuda_choice choice;
    mb_lt_desc desc;
    mb_lt_layout w, x, addend, y;
    mb_lt_algo algo;
} entry;

/* Of one device. The oldest entry is replaced when all are used. */
struct mb_blaslt {
    const mb_blaslt_api *api;
    mb_plan_cache *cache;
    mb_lt_handle handle;
    int next; /* to be reused when all are taken */
    entry entries[ENTRIES];
};

/* A library that does not start is as good as none. */
mb_status mb_blaslt_open(mb_blaslt **out, mb_cuda_device *d, mb_error *err)
{
    *out = NULL;
    if (d->lib.blaslt_handle == NULL) {
        return MB_OK;
    }
    mb_blaslt *b = mb_calloc(1, sizeof *b);
    if (b == NULL) {
        return mb_fail_memory(err, sizeof *b, "cuBLASLt's table");
    }
    b->api = &d->lib.blaslt;
    b->cache = d->cache;
    if (b->api->create(&b->handle) != MB_LT_SUCCESS) {
        mb_free(b); /* present, but it does not start on this machine: our own kernels run */
        return MB_OK;
    }
    *out = b;
    return MB_OK;
}

/* Puts the choice into the plan cache, with a line for people. */
static void store(mb_blaslt *b, entry *e)
{
    stored_choice s = {e->choice, e->algo};
    static const char *const types[] = {"f32", "f16", "bf16"};
    (void)snprintf(s.choice.what, sizeof s.choice.what, "gemm %lld x %lld by %lld %s", (long long)e->key.m,
                   (long long)e->key.k, (long long)e->key.n,
                   e->key.x_type >= 0 && e->key.x_type < 3 ? types[e->key.x_type] : "");
    mb_plan_cache_put(b->cache, MB_CACHE_GEMM, &e->key, sizeof e->key, &s, sizeof s);
    e->stored = true;
}

/* What the disk has of it. */
static bool recall(mb_blaslt *b, entry *e)
{
    size_t bytes = 0;
    const void *stored = mb_plan_cache_get(b->cache, MB_CACHE_GEMM, &e->key, sizeof e->key, &bytes);
    stored_choice s;
    if (stored == NULL || bytes != sizeof s) {
        return false;
    }
    memcpy(&s, stored, sizeof s);
    e->choice = s.choice;
    e->algo = s.algo;
    e->stored = true;
    return true;
}

/* Frees the descriptors; a choice that was never timed goes to the plan cache first. */
static void release_entry(mb_blaslt *b, entry *e)
{
    if (e->used && !e->refused && !e->stored) { /* now, not when it was chosen: runs allocate nothing */
        store(b, e);
    }
    mb_lt_layout layouts[] = {e->w, e->x, e->addend, e->y};
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        if (layouts[i] != NULL) {
            (void)b->api->layout_destroy(layouts[i]);
        }
    }
    if (e->desc != NULL) {
        (void)b->api->desc_destroy(e->desc);
    }
    *e = (entry){0};
}

/* What was chosen in this process goes to the plan cache. */
void mb_blaslt_close(mb_blaslt *b)
{
    if (b == NULL) {
        return;
    }
    for (int i = 0; i < ENTRIES; i++) {
        release_entry(b, &b->entries[i]);
    }
    (void)b->api->destroy(b->handle);
    mb_free(b);
}

/* mb_dtype in the library's numbers. */
static int type_of(int32_t t)
{
    return t == MB_F16 ? MB_LT_R_16F : (t == MB_BF16 ? MB_LT_R_16BF : MB_LT_R_32F);
}

/* The largest power of two, up to 64, that the address is a multiple of. */
static uint32_t alignment_of(const void *p)
{
    uintptr_t bits = (uintptr_t)p | 64; /* what all blocks of an arena have: the key does not depend on their places */
    return (uint32_t)(bits & (~bits + 1));
}

/* Alignments are part of the key: algorithms ask for them. Absent parts are 0, so that equal gemms have equal
 * bytes. */
static gemm_key key_of(const mb_lt_gemm *p, size_t workspace_bytes)
{
    gemm_key k = {.m = p->m,
                  .n = p->n,
                  .k = p->k,
                  .x_pitch = p->x_pitch,
                  .w_pitch = p->w_pitch,
                  .addend_pitch = p->addend != NULL ? p->addend_pitch : 0,
                  .y_pitch = p->y_pitch,
                  .x_type = (int32_t)p->x_type,
                  .y_type = (int32_t)p->y_type,
                  .tf32 = p->tf32,
                  .workspace = workspace_bytes};
    /* The library's numbers for bias and ReLU add up; without either there is a number of its own. */
    bool bias = p->bias != NULL, relu = p->relu;
    k.epilogue =
        relu || bias ? (relu ? MB_LT_EPILOGUE_RELU : 0) + (bias ? MB_LT_EPILOGUE_BIAS : 0) : MB_LT_EPILOGUE_DEFAULT;
    /* Without an addend the library reads y in its place (with beta 0: not at all). */
    const void *at[4] = {p->w, p->x, p->addend != NULL ? p->addend : p->y, p->y};
    for (int i = 0; i < 4; i++) {
        k.alignment[i] = alignment_of(at[i]);
    }
    return k;
}

/* Descriptors of the gemm. */
static mb_lt_result describe(mb_blaslt *b, entry *e)
{
    const mb_blaslt_api *lt = b->api;
    const gemm_key *k = &e->key;
    /* Weights lie as [n][k], which columns-first is k x n: transposed they are the left operand. */
    int transposed = MB_LT_OP_T, x_type = type_of(k->x_type), y_type = type_of(k->y_type);
    int compute = k->x_type == MB_F32 && k->tf32 ? MB_LT_COMPUTE_32F_FAST_TF32 : MB_LT_COMPUTE_32F;
    int64_t addend_pitch = k->addend_pitch > 0 ? k->addend_pitch : k->y_pitch;
    mb_lt_result r = lt->desc_create(&e->desc, compute, MB_LT_R_32F);
    r = r != 0 ? r : lt->desc_set(e->desc, MB_LT_DESC_TRANSA, &transposed, sizeof transposed);
    r = r != 0 ? r : lt->desc_set(e->desc, MB_LT_DESC_EPILOGUE, &k->epilogue, sizeof k->epilogue);
    if (r == 0 && (k->epilogue & MB_LT_EPILOGUE_BIAS) != 0) {
        r = lt->desc_set(e->desc, MB_LT_DESC_BIAS_DATA_TYPE, &y_type, sizeof y_type);
    }
    r = r != 0 ? r : lt->layout_create(&e->w, x_type, (uint64_t)k->k, (uint64_t)k->n, k->w_pitch);
    r = r != 0 ? r : lt->layout_create(&e->x, x_type, (uint64_t)k->k, (uint64_t)k->m, k->x_pitch);
    r = r != 0 ? r : lt->layout_create(&e->addend, y_type, (uint64_t)k->n, (uint64_t)k->m, addend_pitch);
    return r != 0 ? r : lt->layout_create(&e->y, y_type, (uint64_t)k->n, (uint64_t)k->m, k->y_pitch);
}

/* The library's proposals, best first, as many as *n says; then how many there are. Parts of a sum are added in f32
 * only: in the output's type they would be rounded to 16 bits. */
static mb_lt_result propose(mb_blaslt *b, entry *e, mb_lt_heuristic found[], int *n)
{
    const mb_blaslt_api *lt = b->api;
    mb_lt_preference preference = NULL;
    const int wanted = *n;
    uint64_t workspace = e->key.workspace;
    uint32_t reductions = MB_LT_REDUCE_IN_COMPUTE_TYPE;
    *n = 0;
    mb_lt_result r = lt->preference_create(&preference);
    r = r != 0 ? r : lt->preference_set(preference, MB_LT_PREF_MAX_WORKSPACE, &workspace, sizeof workspace);
    r = r != 0 ? r : lt->preference_set(preference, MB_LT_PREF_REDUCTIONS, &reductions, sizeof reductions);
    for (int i = 0; i < 4 && r == 0; i++) {
        r = lt->preference_set(preference, MB_LT_PREF_MIN_ALIGNMENT_A + i, &e->key.alignment[i],
                               sizeof e->key.alignment[i]);
    }
    r = r != 0 ? r : lt->heuristic(b->handle, e->desc, e->w, e->x, e->addend, e->y, preference, wanted, found, n);
    if (preference != NULL) {
        (void)lt->preference_destroy(preference);
    }
    return r != 0 ? r : (*n > 0 ? MB_LT_SUCCESS : MB_LT_NOT_SUPPORTED);
}

/* The library's first choice. */
static mb_lt_result choose(mb_blaslt *b, entry *e)
{
    mb_lt_heuristic found = {0};
    int n = 1;
    mb_lt_result r = propose(b, e, &found, &n);
    e->algo = found.algo;
    return r != 0 ? r : found.state;
}

/* Known, or made now. Anything the library cannot do makes the entry a refusal: no error. */
static entry *find(mb_cuda_device *d, const gemm_key *key)
{
    mb_blaslt *b = d->blaslt;
    entry *e = NULL;
    for (int i = 0; i < ENTRIES; i++) {
        if (b->entries[i].used && memcmp(&b->entries[i].key, key, sizeof *key) == 0) {
            return &b->entries[i];
        }
        e = e == NULL && !b->entries[i].used ? &b->entries[i] : e;
    }
    if (e == NULL) { /* the oldest goes */
        e = &b->entries[b->next];
        b->next = (b->next + 1) % ENTRIES;
        release_entry(b, e);
    }
    /* A gemm that was never met: descriptors, then a choice of the disk or of the heuristics. */
    e->used = true;
    e->key = *key;
    e->refused = describe(b, e) != MB_LT_SUCCESS;
    if (!e->refused && !recall(b, e)) {
        e->refused = choose(b, e) != MB_LT_SUCCESS;
    }
    return e;
}

/* ---- timing */
typedef struct candidates {
    entry *e;
    mb_lt_heuristic found[MB_CUDA_PROPOSALS];
    int n; /* the one behind them is our own kernel */
} candidates;

/* Candidates 0 .. n - 1 are the library's proposals, n is our own kernel. */
static bool choose_candidate(void *user, int i)
{
    candidates *t = user;
    t->e->refused = false;
    t->e->choice.own = i == t->n;
    if (i < t->n) {
        t->e->algo = t->found[i].algo;
    }
    return i == t->n || t->found[i].state == MB_LT_SUCCESS;
}

/* Did the last run use the candidate that was asked for? */
static bool has_run(void *user, int i)
{
    const candidates *t = user;
    return i == t->n || !t->e->refused;
}

/* Once per gemm. If nothing could be timed, the heuristics' first proposal stays. */
mb_status mb_blaslt_tune(mb_cuda_device *d, const mb_lt_gemm *p, size_t workspace_bytes,
                         mb_status (*run)(const mb_call *c, mb_error *err), const mb_call *c, mb_error *err)
{
    if (d->blaslt == NULL || !mb_cuda_may_tune(d)) {
        return MB_OK;
    }
    gemm_key key = key_of(p, workspace_bytes);
    candidates t = {.e = find(d, &key), .n = MB_CUDA_PROPOSALS};
    if (t.e->refused || t.e->choice.timed || propose(d->blaslt, t.e, t.found, &t.n) != MB_LT_SUCCESS) {
        return MB_OK;
    }
    /* Timing changes the entry: what was there comes back if nothing was found. */
    const mb_lt_algo first = t.e->algo;
    const mb_cuda_trial trial = {c, run, choose_candidate, has_run, &t, t.n + 1};
    mb_cuda_choice best;
    mb_status status = mb_cuda_fastest(&best, d, &trial, err);
    t.e->choice = best;
    t.e->refused = false;
    t.e->algo = first;
    if (status == MB_OK && best.timed) {
        (void)choose_candidate(&t, best.index);
        t.e->choice = best;
        t.e->choice.own = best.index == t.n;
        store(d->blaslt, t.e);
    }
    return status;
}

/* y = 1 * W^T x + beta * addend, then bias and ReLU in the epilogue. The bias is a pointer in the descriptor, so
 * it is set for each run. */
mb_status mb_blaslt_run(bool *ran, mb_cuda_device *d, const mb_lt_gemm *p, void *workspace, size_t workspace_bytes,
                        mb_error *err)
{
    *ran = false;
    if (d->blaslt == NULL) {
        return MB_OK;
    }
    gemm_key key = key_of(p, workspace_bytes);
    entry *e = find(d, &key);
    const mb_blaslt_api *lt = d->blaslt->api;
    if (e->refused || e->choice.own ||
        (p->bias != NULL && lt->desc_set(e->desc, MB_LT_DESC_BIAS_POINTER, &p->bias, sizeof p->bias) != 0)) {
        return MB_OK;
    }
    /* beta 1 adds the addend, which the library reads as C. */
    float one = 1.0f, beta = p->addend != NULL ? 1.0f : 0.0f;
    mb_lt_result r = lt->matmul(d->blaslt->handle, e->desc, &one, p->w, e->w, p->x, e->x, &beta,
                                p->addend != NULL ? p->addend : p->y, e->addend, p->y, e->y, &e->algo, workspace,
                                workspace_bytes, d->compute);
    *ran = r == MB_LT_SUCCESS;
    if (r == MB_LT_NOT_SUPPORTED) { /* a stored choice may not fit another driver: forgotten */
        e->refused = true;
        return MB_OK;
    }
    if (r == MB_LT_SUCCESS) {
        return MB_OK;
    }
    return mb_fail(err, r == MB_LT_ALLOC_FAILED ? MB_E_MEMORY : MB_E_DEVICE,
                   "CUDA: device %d \"%s\": cuBLASLt: %s (%d), gemm of %lld x %lld by %lld", d->index, d->name,
                   lt->error_text(r), r, (long long)p->m, (long long)p->k, (long long)p->n);
}
