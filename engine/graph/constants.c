/* The contents of constants: made when asked for, kept while they are read, released. */
#include "graph/constants.h"

#include "core/alloc.h"
#include "core/hash.h"

#include <string.h>

#define FLOATS_PER_CHUNK 32768 /* of a derived constant, for one thread at a time */

/* The key of what `how` makes of these constants: equal keys, equal contents. Absent ones (MB_NONE) count as 0. */
uint64_t mb_graph_key(const mb_graph *g, const char *how, const int *values, int n_values)
{
    uint64_t h = mb_fnv1a64(MB_FNV1A64_BASIS, how, strlen(how) + 1);
    for (int i = 0; i < n_values; i++) {
        uint64_t key = values[i] >= 0 ? g->values[values[i]].key : 0;
        h = mb_fnv1a64(h, &key, sizeof key);
    }
    return h;
}

/* Bytes of the contents in f32. */
static bool bytes_of(size_t *bytes, const int64_t dims[4])
{
    *bytes = sizeof(float);
    for (int i = 0; i < 4; i++) {
        if (dims[i] < 1 || !mb_mul_size(bytes, *bytes, (size_t)dims[i])) {
            return false;
        }
    }
    return true;
}

/* The smallest free block that is large enough, or fresh memory. *capacity: bytes of what was taken. */
static float *take_block(mb_graph *g, size_t bytes, size_t *capacity)
{
    mb_free_block *best = NULL;
    for (int i = 0; i < MB_FREE_BLOCKS; i++) {
        mb_free_block *s = &g->free_list[i];
        if (s->bytes >= bytes && (best == NULL || s->bytes < best->bytes)) {
            best = s;
        }
    }
    if (best == NULL) {
        *capacity = bytes;
        return mb_alloc_aligned(bytes);
    }
    float *data = best->data;
    *capacity = best->bytes;
    *best = (mb_free_block){0};
    return data;
}

/* A block that is not needed now: kept if it is larger than the least of the free list, which then goes; else freed. */
static void return_block(mb_graph *g, float *data, size_t bytes)
{
    mb_free_block *least = &g->free_list[0];
    for (int i = 1; i < MB_FREE_BLOCKS; i++) {
        least = g->free_list[i].bytes < least->bytes ? &g->free_list[i] : least;
    }
    if (data != NULL && bytes > least->bytes) {
        float *old = least->data;
        *least = (mb_free_block){data, bytes};
        data = old;
    }
    mb_free_aligned(data);
}

/* Memory for the contents; NULL and a sticky error if there is none. */
static float *allocate_contents(mb_graph *g, int value)
{
    mb_value_info *v = &g->values[value];
    size_t bytes = 0;
    v->data = bytes_of(&bytes, v->dims) ? take_block(g, bytes, &v->capacity) : NULL;
    if (v->data == NULL) {
        mb_graph_fail(g, MB_E_MEMORY, "could not allocate %.1f MB for the constant '%s'", (double)bytes * 1e-6,
                      v->name);
    }
    return v->data;
}

/* The constant of this key and shape, or MB_NONE: modules that run twice share theirs. */
static int find_constant(const mb_graph *g, uint64_t key, const int64_t dims[4])
{
    for (int i = 0; i < g->n_values; i++) {
        const mb_value_info *v = &g->values[i];
        if (v->kind == MB_VALUE_CONSTANT && v->key == key && memcmp(v->dims, dims, sizeof v->dims) == 0) {
            return i;
        }
    }
    return MB_NONE;
}

/* A new constant without contents. The shape is checked here, so that every later product of it is safe. */
static int add_constant(mb_graph *g, const char *name, const int64_t dims[4], uint64_t key)
{
    size_t bytes;
    if (!bytes_of(&bytes, dims)) {
        mb_graph_fail(g, MB_E_INTERNAL, "constant '%s': bad shape", name);
    }
    int id = mb_graph_add_value(g, MB_VALUE_CONSTANT, name, dims);
    if (id >= 0) {
        g->values[id].key = key;
    }
    return id;
}

/* The caller fills the contents at once, also those of a constant that was there: the key says they are equal. */
int mb_graph_constant(mb_graph *g, const char *name, const int64_t dims[4], uint64_t key, float **data)
{
    *data = NULL;
    int id = g->error.code == MB_OK ? find_constant(g, key, dims) : MB_NONE;
    if (id < 0) {
        id = add_constant(g, name, dims, key);
        if (id < 0 || allocate_contents(g, id) == NULL) {
            return MB_NONE;
        }
    }
    *data = g->values[id].data;
    return id;
}

/* Records what a constant is made from; nothing is computed (mb_graph_floats does that when somebody asks). The key
 * covers function, sources and parameters, so that the same derivation of two passes, or of a module that runs twice,
 * becomes one constant, and its packed weights one entry of the prepared cache. */
int mb_graph_derive(mb_graph *g, const char *name, const int64_t dims[4], const mb_derivation *derivation)
{
    if (g->error.code != MB_OK) {
        return MB_NONE;
    }
    uint64_t key = mb_graph_key(g, derivation->how, derivation->from, derivation->n_from);
    key = mb_fnv1a64(key, derivation->at, sizeof derivation->at);
    key = mb_fnv1a64(key, &derivation->number, sizeof derivation->number);
    int id = find_constant(g, key, dims);
    if (id >= 0) {
        return id;
    }
    mb_derivation *copy = mb_alloc(sizeof *copy);
    if (copy == NULL) {
        mb_graph_fail(g, MB_E_MEMORY, "could not allocate memory for the graph");
        return MB_NONE;
    }
    *copy = *derivation;
    id = add_constant(g, name, dims, key);
    if (id < 0) {
        mb_free(copy);
        return MB_NONE;
    }
    g->values[id].derivation = copy;
    return id;
}

typedef struct fill_job {
    const mb_derivation *derivation;
    const mb_derived *d;
    float *out;
} fill_job;

static void fill_rows(void *arg, size_t begin, size_t end, int worker)
{
    const fill_job *j = arg;
    (void)worker;
    j->derivation->fill(j->out, j->d, (int64_t)begin, (int64_t)end);
}

/* Makes the contents of a derived constant: first those it is made from, which may be derived themselves (recursion,
 * as deep as passes build on passes), then its own, rows of the outermost dimension shared out to the threads. */
static const float *derive(mb_graph *g, int value, mb_pool *pool)
{
    const mb_derivation *r = g->values[value].derivation;
    mb_derived d = {.at = {r->at[0], r->at[1]}, .number = r->number};
    memcpy(d.dims, g->values[value].dims, sizeof d.dims);
    for (int i = 0; i < r->n_from; i++) {
        if (r->from[i] >= 0) {
            d.in[i] = mb_graph_floats(g, r->from[i], pool);
            memcpy(d.in_dims[i], g->values[r->from[i]].dims, sizeof d.in_dims[i]);
        }
    }
    if (g->error.code != MB_OK || allocate_contents(g, value) == NULL) {
        return NULL;
    }
    fill_job job = {r, &d, g->values[value].data};
    int64_t row = d.dims[1] * d.dims[2] * d.dims[3], grain = FLOATS_PER_CHUNK / row;
    grain = r->whole ? d.dims[0] : (grain < 1 ? 1 : grain);
    mb_parallel_for(pool, (size_t)d.dims[0], (size_t)grain, fill_rows, &job);
    return job.out;
}

/* Weights of 16 bits to f32, some elements by each thread. */
typedef struct convert_job {
    float *out;
    const mb_tensor *from;
} convert_job;

static void convert_some(void *arg, size_t begin, size_t end, int worker)
{
    const convert_job *j = arg;
    (void)worker;
    mb_to_f32(j->out + begin, (const char *)j->from->data + begin * mb_dtype_size(j->from->dtype), j->from->dtype,
              end - begin);
}

/* A weight of the file in f32: as it lies in the file, or converted into memory of the graph. */
static const float *read_weight(mb_graph *g, int value, mb_pool *pool)
{
    const mb_value_info *v = &g->values[value];
    if (v->tensor->dtype == MB_F32) {
        return v->tensor->data;
    }
    convert_job job = {allocate_contents(g, value), v->tensor};
    if (job.out != NULL) {
        size_t count = (size_t)(v->dims[0] * v->dims[1] * v->dims[2] * v->dims[3]); /* allocate_contents checked it */
        mb_parallel_for(pool, count, FLOATS_PER_CHUNK, convert_some, &job);
    }
    return job.out;
}

/* Contents now: those that are there, else from the file or from the derivation. Marks the constant as read, so that
 * mb_graph_release_derived lets go of it. */
const float *mb_graph_floats(mb_graph *g, int value, mb_pool *pool)
{
    if (g->error.code != MB_OK || !mb_graph_is_constant(g, value)) {
        return NULL;
    }
    mb_value_info *v = &g->values[value];
    v->read = true;
    if (v->data != NULL) {
        return v->data;
    }
    return v->tensor != NULL ? read_weight(g, value, pool) : derive(g, value, pool);
}

/* The life of a derived constant, seen from its end:
 *
 *   1. a pass calls mb_graph_derive: a record of function and sources, no memory
 *   2. a kernel that packs its weights calls mb_graph_floats: contents are made, with all that they are made from
 *   3. the kernel has packed them: this function releases everything that was read since the last call. Derived
 *      contents and converted weights go to the free list, whose blocks the next constants take; pages of the file go
 *      back to the system. Constants that a pass computed itself (mb_graph_constant) stay: nobody could make them again
 *   4. a kernel without a packed form reads the constant in every run: set_pointers (prepare.c) asks for it again after
 *      all packing, and then it stays until the graph is freed
 *
 * So never more than one kernel's constants are alive at a time while a model is loaded. */
void mb_graph_release_derived(mb_graph *g)
{
    for (int i = 0; i < g->n_values; i++) {
        mb_value_info *v = &g->values[i];
        if (!v->read) {
            continue;
        }
        if (v->tensor != NULL) {
            mb_weights_release_pages(g->weights, v->tensor);
        }
        if (v->tensor != NULL || v->derivation != NULL) {
            return_block(g, v->data, v->capacity);
            v->data = NULL;
        }
        v->read = false;
    }
}

/* The contents of the constant inputs too: what a kernel packs. */
void mb_graph_call_constants(mb_graph *g, const mb_node *n, mb_call *call, mb_pool *pool)
{
    for (int i = 0; i < n->n_in; i++) {
        if (mb_graph_is_constant(g, n->in[i])) {
            union {
                const float *in;
                void *out;
            } data = {
                mb_graph_floats(g, n->in[i], pool)}; /* kernels only read inputs; the view's pointer has no const */
            call->in[i].data = data.out;
        }
    }
}
