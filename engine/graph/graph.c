/* The graph's arrays: recording, names, and the small edits that passes are made of.
 *
 * What holds at any time:
 *   - a value has one producer, and node.out and value.producer point at each other, except for values whose node was
 *     removed and those that mb_graph_adopt has moved
 *   - nodes and values are never deleted, only marked removed: ids stay valid through all passes
 *   - a pointer to a node or value dies with the next one that is added (the arrays grow); ids do not */
#include "graph/constants.h"

#include "core/alloc.h"
#include "core/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BLOCK_BYTES 16384u
/* Passes and schedule take the square of it: a file that claims thousands of blocks, each of one weight, must not cost minutes.
 * The largest network there is (DINOv3 7B) has 2,400. */
#define MAX_NODES 16384

struct mb_text_block {
    mb_text_block *next;
    size_t used;
    char bytes[TEXT_BLOCK_BYTES];
};

/* weights are borrowed: names and contents of the file are used in place. */
mb_status mb_graph_create(mb_graph **out, const mb_weights *weights, mb_error *err)
{
    *out = mb_calloc(1, sizeof **out);
    if (*out == NULL) {
        return mb_fail_memory(err, sizeof **out, "the graph");
    }
    (*out)->weights = weights;
    return MB_OK;
}

void mb_graph_clear_free_list(mb_graph *g)
{
    for (int i = 0; i < MB_FREE_BLOCKS; i++) {
        mb_free_aligned(g->free_list[i].data);
        g->free_list[i] = (mb_free_block){0};
    }
}

/* Also a graph with a sticky error, at any point of its recording. */
void mb_graph_free(mb_graph *g)
{
    if (g == NULL) {
        return;
    }
    for (int i = 0; i < g->n_values; i++) {
        mb_free_aligned(g->values[i].data);
        mb_free(g->values[i].derivation);
    }
    mb_graph_clear_free_list(g);
    while (g->text != NULL) {
        mb_text_block *next = g->text->next;
        mb_free(g->text);
        g->text = next;
    }
    mb_free(g->values);
    mb_free(g->of_tensor);
    mb_free(g->nodes);
    mb_free(g->taps);
    mb_free(g);
}

mb_status mb_graph_status(const mb_graph *g, mb_error *err)
{
    if (g->error.code != MB_OK && err != NULL && err->code == MB_OK) {
        *err = g->error;
    }
    return g->error.code;
}

/* The first error stays; everything recorded after it is ignored. */
void mb_graph_fail(mb_graph *g, mb_status code, const char *format, ...)
{
    if (g->error.code == MB_OK) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(g->error.message, sizeof g->error.message, format, args);
        va_end(args);
        g->error.code = code;
    }
}

/* Names live in blocks of 16 kB that are never moved: pointers to them stay valid as long as the graph. */
const char *mb_graph_text(mb_graph *g, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line) {
        mb_graph_fail(g, MB_E_FORMAT, "a name of %d characters is too long", n);
        return NULL;
    }
    size_t bytes = (size_t)n + 1;
    if (g->text == NULL || TEXT_BLOCK_BYTES - g->text->used < bytes) {
        mb_text_block *b = mb_alloc(sizeof *b);
        if (b == NULL) {
            mb_graph_fail(g, MB_E_MEMORY, "could not allocate memory for the graph's names");
            return NULL;
        }
        b->next = g->text;
        b->used = 0;
        g->text = b;
    }
    char *copy = g->text->bytes + g->text->used;
    memcpy(copy, line, bytes);
    g->text->used += bytes;
    return copy;
}

/* `array` with space for one more element, perhaps moved. NULL: out of memory, and `array` is what it was. */
static void *grow(mb_graph *g, void *array, int count, int *capacity, size_t size)
{
    if (count < *capacity) {
        return array;
    }
    int wanted = *capacity > 0 ? *capacity * 2 : 256;
    void *p = mb_realloc_array(array, (size_t)wanted, size);
    if (p == NULL) {
        mb_graph_fail(g, MB_E_MEMORY, "could not allocate memory for a graph of %d elements", wanted);
        return NULL;
    }
    *capacity = wanted;
    return p;
}

/* A value without a producer; the caller links it. */
int mb_graph_add_value(mb_graph *g, mb_value_kind kind, const char *name, const int64_t dims[4])
{
    if (g->error.code != MB_OK) {
        return MB_NONE;
    }
    mb_value_info *values = grow(g, g->values, g->n_values, &g->values_capacity, sizeof *g->values);
    if (values == NULL) {
        return MB_NONE;
    }
    g->values = values;
    mb_value_info *v = &g->values[g->n_values];
    *v = (mb_value_info){.kind = kind, .name = name, .producer = MB_NONE, .alias_of = MB_NONE};
    memcpy(v->dims, dims, sizeof v->dims);
    return g->n_values++;
}

int mb_graph_input(mb_graph *g, const char *name, const int64_t dims[4])
{
    return mb_graph_add_value(g, MB_VALUE_INPUT, name, dims);
}

bool mb_graph_has_weight(const mb_graph *g, const char *name)
{
    return mb_weights_find(g->weights, name) != NULL;
}

/* Where the value of a tensor is noted (its number + 1; 0: none yet). A file may have 65,536 tensors: no search among the values.
 * NULL: no memory. */
static int *value_of_tensor(mb_graph *g, const mb_tensor *t)
{
    if (g->of_tensor == NULL) {
        g->of_tensor = mb_calloc(mb_weights_count(g->weights), sizeof *g->of_tensor);
    }
    if (g->of_tensor == NULL) {
        mb_graph_fail(g, MB_E_MEMORY, "could not allocate memory for the graph's weights");
        return NULL;
    }
    return &g->of_tensor[t - mb_weights_at(g->weights, 0)];
}

/* A tensor of the file as a value of four dimensions, missing ones 1. One value for each tensor, however many nodes
 * read it. */
int mb_graph_weight(mb_graph *g, const char *name)
{
    if (g->error.code != MB_OK || name == NULL) {
        return MB_NONE;
    }
    const mb_tensor *t = mb_weights_find(g->weights, name);
    if (t == NULL) {
        mb_graph_fail(g, MB_E_MISMATCH, "tensor '%s' is missing: the file belongs to another model", name);
        return MB_NONE;
    }
    int *known = value_of_tensor(g, t);
    if (known == NULL) {
        return MB_NONE;
    }
    if (*known > 0 &&
        g->values[*known - 1].kind == MB_VALUE_WEIGHT) { /* both passes of the backbone share their weights */
        return *known - 1;
    }
    if (t->rank > 4 || t->dtype == MB_I64) {
        mb_graph_fail(g, MB_E_MISMATCH, "tensor '%s': %s with %d dimensions cannot be a weight", name,
                      mb_dtype_name(t->dtype), t->rank);
        return MB_NONE;
    }
    int64_t dims[4] = {1, 1, 1, 1};
    int skip = t->rank == 3 && t->dims[0] == 1; /* tables published as [1,rows,C] */
    for (int i = skip; i < t->rank; i++) {
        dims[i - skip] = t->dims[i];
        if (t->dims[i] < 1) {
            mb_graph_fail(g, MB_E_MISMATCH, "tensor '%s' is empty", name);
            return MB_NONE;
        }
    }
    int id = mb_graph_add_value(g, MB_VALUE_WEIGHT, t->name, dims);
    if (id >= 0) {
        *known = id + 1;
        g->values[id].tensor = t;
        g->values[id].key = mb_fnv1a64(MB_FNV1A64_BASIS, t->name, strlen(t->name));
    }
    return id;
}

bool mb_graph_is_constant(const mb_graph *g, int value)
{
    return value >= 0 && (g->values[value].kind == MB_VALUE_WEIGHT || g->values[value].kind == MB_VALUE_CONSTANT);
}

/* Shape and pitch (floats from one pixel to the next) of a value, without an address. A slice has the pitch of the
 * map that it is part of. */
static mb_view value_view(const mb_graph *g, int id)
{
    mb_view view = {0};
    if (id < 0) {
        return view;
    }
    memcpy(view.dims, g->values[id].dims, sizeof view.dims);
    view.pitch = view.dims[1];
    for (int v = id; v >= 0; v = g->values[v].alias_of) {
        view.pitch = g->values[v].dims[1]; /* that of the widest map it is a slice of */
    }
    return view;
}

/* Shapes and which inputs are constant: what a rule or a kernel looks at before it runs. No addresses yet. */
void mb_graph_call(const mb_graph *g, const mb_node *n, mb_call *call)
{
    *call = (mb_call){.attrs = n->attrs.bytes, .n_in = n->n_in};
    for (int i = 0; i < n->n_in; i++) {
        call->in[i] = value_view(g, n->in[i]);
        call->constants |= mb_graph_is_constant(g, n->in[i]) ? 1u << i : 0u;
    }
    call->out = value_view(g, n->out);
}

/* Checks a new node by its op's rule, which also gives the shape of the output. position < 0: behind everything
 * recorded so far; else where a pass wants it, usually the position of the node that it replaces. */
int mb_graph_node(mb_graph *g, mb_op op, const char *name, const mb_attrs *attrs, const int *in, int n_in,
                  double position)
{
    const mb_op_rule *rule = mb_op_get_rule(op);
    if (g->error.code != MB_OK) {
        return MB_NONE;
    }
    if (g->n_nodes >= MAX_NODES) {
        mb_graph_fail(g, MB_E_UNSUPPORTED,
                      "a network of more than %d operations: its metadata are damaged, or say too much", MAX_NODES);
        return MB_NONE;
    }
    mb_node node = {.op = op, .n_in = n_in, .name = name, .out = MB_NONE};
    node.position = position >= 0 ? position : g->next_position;
    memcpy(node.attrs.bytes, attrs->bytes, rule->attrs_bytes);
    for (int i = 0; i < n_in; i++) {
        node.in[i] = in[i];
        if (in[i] < 0 && i < rule->least_inputs) {
            mb_graph_fail(g, MB_E_INTERNAL, "%s: input %d of %s is missing", name, i, rule->name);
            return MB_NONE;
        }
    }
    mb_call call;
    int64_t dims[4] = {0};
    mb_graph_call(g, &node, &call);
    mb_error error = {0};
    if (rule->shape(dims, &call, &error) != MB_OK) {
        mb_graph_fail(g, MB_E_MISMATCH, "%s: %s", name, error.message);
        return MB_NONE;
    }
    node.out = mb_graph_add_value(g, MB_VALUE_TEMPORARY, name, dims);
    mb_node *nodes = node.out >= 0 ? grow(g, g->nodes, g->n_nodes, &g->nodes_capacity, sizeof *g->nodes) : NULL;
    if (nodes == NULL) {
        return MB_NONE;
    }
    g->nodes = nodes;
    g->values[node.out].producer = g->n_nodes;
    g->nodes[g->n_nodes++] = node;
    if (position < 0) {
        g->next_position += 1;
    }
    return node.out;
}

void mb_graph_tap(mb_graph *g, const char *name, int value)
{
    if (value < 0 || name == NULL) {
        return;
    }
    mb_tap *taps = grow(g, g->taps, g->n_taps, &g->taps_capacity, sizeof *g->taps);
    if (taps == NULL) {
        return;
    }
    g->taps = taps;
    g->taps[g->n_taps++] = (mb_tap){name, value};
}

/* By a tap's name, else by the name of a live value. The newest first: after a pass that replaced a node it is the
 * one that is still computed. */
int mb_graph_find(const mb_graph *g, const char *name)
{
    for (int i = 0; i < g->n_taps; i++) {
        if (strcmp(g->taps[i].name, name) == 0) {
            return g->taps[i].value;
        }
    }
    for (int i = g->n_values - 1; i >= 0; i--) {
        const mb_value_info *v = &g->values[i];
        bool live = v->kind == MB_VALUE_INPUT || (v->producer >= 0 && !g->nodes[v->producer].removed);
        if (live && strcmp(v->name, name) == 0) {
            return i;
        }
    }
    return MB_NONE;
}

void mb_graph_keep(mb_graph *g, int value)
{
    if (value >= 0) {
        g->values[value].kept = true;
    }
}

/* How often live nodes read a value (a node that reads it twice counts twice), and the last such node. */
int mb_graph_users(const mb_graph *g, int value, int *only_user)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const mb_node *node = &g->nodes[i];
        for (int k = 0; !node->removed && k < node->n_in; k++) {
            if (node->in[k] == value) {
                n++;
                if (only_user != NULL) {
                    *only_user = i;
                }
            }
        }
    }
    return n;
}

/* All readers, taps and the kept mark move from one value to the other. The old producer stays: the caller removes
 * it. */
void mb_graph_replace(mb_graph *g, int old_value, int new_value)
{
    if (old_value < 0 || new_value < 0) {
        return;
    }
    for (int i = 0; i < g->n_nodes; i++) {
        for (int k = 0; k < g->nodes[i].n_in; k++) {
            if (g->nodes[i].in[k] == old_value && !g->nodes[i].removed) {
                g->nodes[i].in[k] = new_value;
            }
        }
    }
    for (int i = 0; i < g->n_taps; i++) {
        if (g->taps[i].value == old_value) {
            g->taps[i].value = new_value;
        }
    }
    if (g->values[old_value].kept) {
        g->values[old_value].kept = false;
        g->values[new_value].kept = true;
    }
}

void mb_graph_remove(mb_graph *g, int node)
{
    g->nodes[node].removed = true;
}

/* The node writes another value than it was recorded with: that of a node which a pass replaces. */
void mb_graph_adopt(mb_graph *g, mb_node *node, int value)
{
    node->out = value;
    g->values[value].producer = (int)(node - g->nodes);
}

/* The node of this op that made the value, if a pass may change it: nothing else reads the value, nobody wants to see
 * it, and it is no slice of another. NULL otherwise. */
mb_node *mb_graph_sole_producer(mb_graph *g, int value, mb_op op)
{
    if (value < 0 || g->values[value].producer < 0 || g->values[value].kept || g->values[value].alias_of >= 0) {
        return NULL;
    }
    mb_node *n = &g->nodes[g->values[value].producer];
    return n->op == op && n->out == value && !n->removed && mb_graph_users(g, value, NULL) == 1 ? n : NULL;
}
