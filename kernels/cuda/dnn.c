/* The table of plans of a device. */
#include "cuda/dnn.h"

#include "core/alloc.h"
#include "cuda/context.h"
#include "cuda/plan_cache.h"

#include <string.h>

#define ENTRIES        256 /* different convolutions of a process; a plan has some fifty */
#define WORKSPACE_MOST ((int64_t)256 << 20)

typedef struct entry {
    mb_dnn_conv key;
    bool used, refused;
    mb_dnn_plan plan;
} entry;

struct mb_dnn {
    mb_dnn_target target;
    entry entries[ENTRIES];
};

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
    n->target = (mb_dnn_target){.api = &d->lib.dnn, .workspace_most = WORKSPACE_MOST};
    if (d->lib.dnn.create(&n->target.handle) != MB_DNN_SUCCESS ||
        d->lib.dnn.set_stream(n->target.handle, d->compute) != MB_DNN_SUCCESS) {
        mb_dnn_close(n); /* present, but it does not start on this machine: our own kernels serve */
        return MB_OK;
    }
    *out = n;
    return MB_OK;
}

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

/* From the disk, or by the heuristics; then to the disk. */
static bool make_plan(mb_cuda_device *d, entry *e)
{
    const mb_dnn_target *t = &d->dnn->target;
    mb_error unsaid = {0};
    size_t bytes = 0;
    const char *stored = mb_plan_cache_get(d->cache, MB_CACHE_CONVOLUTION, &e->key, sizeof e->key, &bytes);
    if (stored != NULL && mb_dnn_read(&e->plan, t, stored, bytes, &unsaid) == MB_OK) {
        return true;
    }
    if (mb_dnn_build(&e->plan, t, &e->key, &unsaid) != MB_OK) {
        return false;
    }
    char *text = NULL;
    if (d->cache != NULL && mb_dnn_write(&text, &bytes, t, &e->plan, &unsaid) == MB_OK) {
        mb_plan_cache_put(d->cache, MB_CACHE_CONVOLUTION, &e->key, sizeof e->key, text, bytes);
    }
    mb_free(text);
    return true;
}

static entry *find(mb_dnn *n, const mb_dnn_conv *c)
{
    for (int i = 0; i < ENTRIES && n->entries[i].used; i++) {
        if (memcmp(&n->entries[i].key, c, sizeof *c) == 0) {
            return &n->entries[i];
        }
    }
    return NULL;
}

bool mb_dnn_plan_for(size_t *workspace, mb_cuda_device *d, const mb_dnn_conv *c)
{
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
            e->refused = !make_plan(d, e);
        }
    }
    if (e == NULL || e->refused) {
        return false;
    }
    *workspace = (size_t)e->plan.workspace;
    return true;
}

static bool is_aligned(const void *p, int32_t bytes)
{
    return p == NULL || (uintptr_t)p % (uintptr_t)bytes == 0;
}

mb_status mb_dnn_run(bool *served, mb_cuda_device *d, const mb_dnn_conv *c, const mb_dnn_maps *m, void *workspace,
                     mb_error *err)
{
    const mb_dnn_api *api = &d->lib.dnn;
    entry *e = d->dnn != NULL ? find(d->dnn, c) : NULL;
    *served = e != NULL && !e->refused && is_aligned(m->x, c->x_align) && is_aligned(m->y, c->y_align) &&
              is_aligned(m->addend, c->y_align);
    if (!*served) {
        return MB_OK;
    }
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
    r = r != 0 ? r : api->execute(d->dnn->target.handle, e->plan.parts[e->plan.n_parts - 1], pack);
    if (pack != NULL) {
        (void)api->desc_destroy(pack);
    }
    if (r == MB_DNN_SUCCESS) {
        return MB_OK;
    }
    char text[256] = "";
    api->last_error(text, sizeof text - 1);
    return mb_fail(err, MB_E_DEVICE, "CUDA: device %d \"%s\": cuDNN: %s (%d) %.200s", d->index, d->name,
                   api->error_text(r), r, text);
}
