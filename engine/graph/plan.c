/* From a recorded graph to a plan: passes, schedule, kernels, lives of values, in-place merging, placement.
 *
 * The memory of a run is one block, the arena. Every value that is not a constant has a place there: a temporary only
 * while it is alive, so that values whose lives do not overlap share bytes; an input and a kept value for the whole
 * run. Slices (alias_of) have no memory of their own, they are channels of another value. "Root" is the value that has
 * the memory: the value itself, the map it is a slice of, or the input that it has taken over in place. */
#include "graph/plan.h"

#include "core/alloc.h"
#include "graph/passes/passes.h"
#include "graph/planner.h"
#include "graph/schedule.h"

#include <string.h>

/* Scratch of the placement. */
typedef struct placing {
    mb_plan *plan;
    int *root;  /* per value: the value whose memory it lives in (itself, the map it is a slice of, an input taken over)
                 */
    int *first; /* per root value: life in steps */
    int *last;
    mb_block *blocks;
    int *block_of; /* per root value */
    int n_blocks;
} placing;

/* Frees a plan in any state of being made: also a half-made one of mb_plan_create or mb_plan_prepare. */
void mb_plan_free(mb_plan *p)
{
    if (p == NULL) {
        return;
    }
    if (p->backend != NULL && p->backend->memory != NULL) {
        mb_plan_device_free(p);
    } else {
        mb_free_aligned(p->arena);
    }
    mb_free(p->checked);
    mb_graph_free(p->graph);
    mb_free(p->steps);
    mb_free(p->locations);
    mb_free(p->attrs);
    mb_free(p);
}

/* Values that must outlive the run, or are written before it. */
static bool is_pinned(const mb_value_info *v)
{
    return v->kept || v->kind == MB_VALUE_INPUT;
}

/* Follows the chain to the value that owns the memory. Chains are short: a slice of a slice, then an input taken
 * over. */
static int root_of(const placing *s, int value)
{
    while (s->root[value] != value) {
        value = s->root[value];
    }
    return value;
}

/* Bytes that a kernel reads or writes of a value; 0 for an absent input. */
static double view_bytes(const mb_view *v)
{
    return mb_view_present(v) ? (double)mb_dtype_size(v->dtype) * (double)mb_view_count(v) : 0.0;
}

/* The types that the plan has chosen for the values of a node (mb_plan_choose_types), into its call. */
static void set_types(const mb_plan *p, const mb_node *n, mb_call *c)
{
    c->out.dtype = p->locations[n->out].dtype;
    for (int i = 0; i < n->n_in; i++) {
        c->in[i].dtype = n->in[i] >= 0 ? p->locations[n->in[i]].dtype : MB_F32;
    }
}

/* One step for every node in order that has work to do: its kernel, workspace and amount of work. Nodes that are
 * free (a concat of slices) get none. */
static mb_status choose_kernels(mb_plan *p, const int *order, int n, mb_error *err)
{
    mb_graph *g = p->graph;
    for (int i = 0; i < n; i++) {
        const mb_node *node = &g->nodes[order[i]];
        if (mb_node_is_free(g, node)) {
            continue;
        }
        mb_step *s = &p->steps[p->n_steps];
        const mb_op_rule *rule = mb_op_get_rule(node->op);
        p->attrs[p->n_steps] = node->attrs;
        mb_graph_call(g, node, &s->call);
        s->call.attrs = &p->attrs[p->n_steps];
        s->call.pool = p->pool;
        s->call.device = p->backend->device;
        s->call.tf32 = p->backend->tf32;
        set_types(p, node, &s->call);
        s->node = order[i];
        s->kernel = mb_backend_choose(p->backend, node->op, &s->call);
        if (s->kernel == NULL) {
            return mb_fail(err, MB_E_UNSUPPORTED, "%s: the back end '%s' has no kernel for this %s", node->name,
                           p->backend->name, rule->name);
        }
        /* Workspaces and work follow from the kernel; the share of the progress bar from both. */
        s->workspace_bytes = s->kernel->workspace != NULL ? s->kernel->workspace(&s->call) : 0;
        p->stats.weight_bytes += s->kernel->more_weights != NULL ? s->kernel->more_weights(&s->call) : 0;
        s->macs = rule->macs != NULL ? rule->macs(&s->call) : 0.0;
        s->bytes = view_bytes(&s->call.out);
        for (int k = 0; k < node->n_in; k++) {
            s->bytes += view_bytes(&s->call.in[k]);
        }
        s->weight = s->macs + 4.0 * s->bytes; /* a byte costs about as much as four multiplications */
        p->stats.macs += s->macs;
        p->n_steps++;
    }
    p->stats.n_nodes = p->n_steps;
    return MB_OK;
}

/* On a device kernels may plan with its libraries. */
static mb_status choose_kernels_inside(mb_plan *p, const int *order, int n, mb_error *err)
{
    const mb_backend *b = p->backend;
    if (b->memory == NULL) {
        return choose_kernels(p, order, n, err);
    }
    mb_status status = b->memory->enter(b->device, err);
    if (status == MB_OK) {
        status = choose_kernels(p, order, n, err);
        b->memory->leave(b->device);
    }
    return status;
}

/* Life of every root, in steps: from its first writer to its last reader, both included.
 *
 * A kept value lives until after the last step: it is read after the run. An input lives from before the first step
 * to after the last, so that a run can be repeated on the same input (the run in the fallback type does). */
static void find_lives(placing *s)
{
    const mb_plan *p = s->plan;
    const mb_graph *g = p->graph;
    for (int v = 0; v < g->n_values; v++) {
        s->first[v] = p->n_steps;
        s->last[v] = -1;
    }
    for (int t = 0; t < p->n_steps; t++) {
        const mb_node *n = &g->nodes[p->steps[t].node];
        for (int k = -1; k < n->n_in; k++) {
            int value = k < 0 ? n->out : n->in[k];
            if (value >= 0 && !mb_graph_is_constant(g, value)) {
                int r = root_of(s, value);
                s->first[r] = t < s->first[r] ? t : s->first[r];
                s->last[r] = t > s->last[r] ? t : s->last[r];
            }
        }
    }
    for (int v = 0; v < g->n_values; v++) {
        int r = root_of(s, v);
        if (g->values[v].kept && (g->values[v].kind == MB_VALUE_INPUT || g->values[v].producer >= 0)) {
            s->last[r] = p->n_steps;
        }
        if (g->values[v].kind == MB_VALUE_INPUT) {
            s->first[r] = 0;
            s->last[r] = p->n_steps; /* so that a run can be repeated on the same input */
        }
    }
}

/* Whether other values are slices of this one (concat without a copy). */
static bool has_slices(const mb_graph *g, int value)
{
    for (int v = 0; v < g->n_values; v++) {
        if (g->values[v].alias_of == value) {
            return true;
        }
    }
    return false;
}

/* Same dimensions, distance between pixels, and element type: the bytes of one can take the place of the other. */
static bool same_shape(const mb_view *a, const mb_view *b)
{
    return memcmp(a->dims, b->dims, sizeof a->dims) == 0 && a->pitch == b->pitch && a->dtype == b->dtype;
}

/* An output takes over the memory of input k that dies at this node, where the kernel can write over that input
 * (in_place_input). Afterwards the input's root is the root of both, and lives as long as the output.
 *
 * Memory belongs to roots, so each condition is about the roots r of the input and o of the output:
 *   - not pinned: a kept value is read after the run, a network input by the repeated run; either would find the
 *     output of this node instead. An input that is itself a slice would drag the other slices of its map along.
 *   - whole: an output inside a larger map (or with slices of its own, or over a root with slices) must stay where
 *     its neighbours are; moving it tears the map that a later node reads as one.
 *   - read once: another input of this node in the same memory would be overwritten while the kernel still reads it.
 *   - r != o: already merged, or the node works within one map.
 *   - last[r] == t: a later reader would read the output. first[o] == t: an earlier writer of the output's root
 *     (a part of a map written before) would be lost.
 *   - same shape, pitch and type: otherwise elements move, and the kernel overwrites what it has yet to read. */
static void merge_in_place(placing *s)
{
    const mb_plan *p = s->plan;
    const mb_graph *g = p->graph;
    for (int t = 0; t < p->n_steps; t++) {
        const mb_node *n = &g->nodes[p->steps[t].node];
        int k = p->steps[t].kernel->in_place_input - 1;
        int in = k >= 0 && k < n->n_in ? n->in[k] : MB_NONE;
        if (in < 0 || mb_graph_is_constant(g, in)) {
            continue;
        }
        int r = root_of(s, in), o = root_of(s, n->out);
        bool pinned = is_pinned(&g->values[in]) || is_pinned(&g->values[r]) || g->values[in].alias_of >= 0;
        bool alone = g->values[n->out].alias_of < 0 && o == n->out && !has_slices(g, n->out) && !has_slices(g, r);
        bool read_twice = false;
        for (int i = 0; i < n->n_in; i++) {
            read_twice = read_twice || (i != k && n->in[i] >= 0 && root_of(s, n->in[i]) == r);
        }
        if (!pinned && alone && !read_twice && r != o && s->last[r] == t && s->first[o] == t &&
            same_shape(&p->steps[t].call.in[k], &p->steps[t].call.out)) {
            s->root[o] = r;
            s->last[r] = s->last[o];
        }
    }
}

/* Blocks of the live roots and of the workspaces, placed in one arena. A workspace lives for its step alone. */
static mb_status place(placing *s, mb_error *err)
{
    mb_plan *p = s->plan;
    mb_graph *g = p->graph;
    for (int v = 0; v < g->n_values; v++) {
        s->block_of[v] = -1;
        if (s->root[v] == v && s->last[v] >= 0) {
            size_t bytes = mb_dtype_size(p->locations[v].dtype);
            for (int i = 0; i < 4; i++) {
                if (!mb_mul_size(&bytes, bytes, (size_t)g->values[v].dims[i])) {
                    return mb_fail(err, MB_E_MEMORY, "%s: its size overflows", g->values[v].name);
                }
            }
            s->block_of[v] = s->n_blocks;
            s->blocks[s->n_blocks++] = (mb_block){s->first[v], s->last[v], bytes, 0};
        }
    }
    /* Workspaces come last, in the order of the steps, so that their blocks are found again below. */
    int first_workspace = s->n_blocks;
    for (int t = 0; t < p->n_steps; t++) {
        s->blocks[s->n_blocks++] = (mb_block){t, t, p->steps[t].workspace_bytes, 0};
    }
    mb_status status = mb_planner_place(s->blocks, s->n_blocks, &p->stats.arena_bytes, err);
    p->stats.lower_bound = mb_planner_lower_bound(s->blocks, s->n_blocks, p->n_steps);
    for (int t = 0; t < p->n_steps; t++) {
        p->steps[t].workspace_offset = s->blocks[first_workspace + t].offset;
    }
    return status;
}

/* Byte position of every value in the arena: that of its root plus the channels of the slices between. */
static void locate(placing *s)
{
    mb_plan *p = s->plan;
    const mb_graph *g = p->graph;
    for (int v = 0; v < g->n_values; v++) {
        size_t channels = 0;
        for (int a = v; g->values[a].alias_of >= 0; a = g->values[a].alias_of) {
            channels += (size_t)g->values[a].alias_channel;
        }
        int block = s->block_of[root_of(s, v)];
        p->locations[v].block = block;
        p->locations[v].byte_offset = channels * mb_dtype_size(p->locations[v].dtype);
        if (block >= 0) {
            p->locations[v].byte_offset += s->blocks[block].offset;
        }
    }
}

/* Where everything lies in the arena, in four steps: slices join the roots of their maps; lives; outputs take over
 * inputs; blocks are placed. Only the steps' and locations' offsets remain, the scratch is freed. */
static mb_status place_values(mb_plan *p, mb_error *err)
{
    size_t n = (size_t)p->graph->n_values + 1;
    placing s = {.plan = p};
    s.root = mb_alloc_array(n, sizeof *s.root);
    s.first = mb_alloc_array(n, sizeof *s.first);
    s.last = mb_alloc_array(n, sizeof *s.last);
    s.block_of = mb_alloc_array(n, sizeof *s.block_of);
    s.blocks = mb_calloc(n + (size_t)p->n_steps, sizeof *s.blocks);
    mb_status status = MB_OK;
    if (s.root == NULL || s.first == NULL || s.last == NULL || s.block_of == NULL || s.blocks == NULL) {
        status = mb_fail_memory(err, n * sizeof(int), "the plan");
        goto done;
    }
    for (int v = 0; v < p->graph->n_values; v++) {
        int alias = p->graph->values[v].alias_of;
        s.root[v] = alias >= 0 ? alias : v;
    }
    find_lives(&s);
    merge_in_place(&s);
    MB_TRY(place(&s, err));
    locate(&s);
done:
    mb_free(s.root);
    mb_free(s.first);
    mb_free(s.last);
    mb_free(s.block_of);
    mb_free(s.blocks);
    return status;
}

/* Bytes in f32 of all constants that some node still reads: an estimate of the packed weights. */
static size_t constant_bytes(const mb_graph *g)
{
    size_t bytes = 0;
    for (int v = 0; v < g->n_values; v++) {
        if (mb_graph_is_constant(g, v) && mb_graph_users(g, v, NULL) > 0) {
            const int64_t *d = g->values[v].dims;
            bytes += (size_t)(d[0] * d[1] * d[2] * d[3]) * sizeof(float);
        }
    }
    return bytes;
}

/* passes -> order -> types -> kernels -> placement. Each uses what the one before has decided: kernels depend on the
 * types, workspaces on the kernels, lives on the order. */
mb_status mb_plan_create(mb_plan **out, mb_graph *graph, const mb_runner_options *options, mb_error *err)
{
    mb_status status = MB_OK;
    int *order = NULL, n = 0;
    *out = NULL;
    mb_plan *p = mb_calloc(1, sizeof *p);
    if (p == NULL) {
        mb_graph_free(graph);
        return mb_fail_memory(err, sizeof *p, "the plan");
    }
    p->graph = graph;
    p->backend = options->backend;
    p->pool = options->pool;
    graph->output_multiple = p->backend->output_multiple;
    MB_TRY(mb_passes_run(graph, options->passes, err));
    size_t nodes = (size_t)graph->n_nodes + 1;
    order = mb_alloc_array(nodes, sizeof *order);
    p->steps = mb_calloc(nodes, sizeof *p->steps);
    p->attrs = mb_calloc(nodes, sizeof *p->attrs);
    p->locations = mb_calloc((size_t)graph->n_values + 1, sizeof *p->locations);
    if (order == NULL || p->steps == NULL || p->attrs == NULL || p->locations == NULL) {
        status = mb_fail_memory(err, nodes * sizeof *p->steps, "the plan");
        goto done;
    }
    MB_TRY(mb_schedule(order, &n, graph, err));
    mb_plan_choose_types(p);
    MB_TRY(choose_kernels_inside(p, order, n, err));
    MB_TRY(place_values(p, err));
    p->stats.weight_bytes += constant_bytes(graph);
    *out = p;
    p = NULL;
done:
    mb_free(order);
    mb_plan_free(p);
    return status;
}
