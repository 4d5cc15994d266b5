/* The static graph: values (tensors) and nodes (ops), recorded by a model, rewritten by passes, planned, run.
 *
 * Plain arrays indexed by id. Values are written once. Shapes are [N,C,H,W], known when a node is added (every op's
 * rule checks its inputs then). Errors are sticky: after the first one every call does nothing and returns an invalid
 * id, so that model code has no error branches; mb_graph_status tells. Passes keep their scratch in side arrays, never
 * here. */
#ifndef MB_GRAPH_GRAPH_H
#define MB_GRAPH_GRAPH_H

#include "core/status.h"
#include "core/tensor.h"
#include "kernel.h"
#include "weights/reader.h"

#define MB_NONE (-1) /* no value, no node */

typedef struct mb_derivation mb_derivation; /* constants.h */

typedef enum mb_value_kind {
    MB_VALUE_INPUT,    /* written by the caller before a run */
    MB_VALUE_WEIGHT,   /* a tensor of the model file, as published */
    MB_VALUE_CONSTANT, /* f32 computed for a pass (constants.h); owned by the graph */
    MB_VALUE_TEMPORARY /* the output of a node */
} mb_value_kind;

typedef struct mb_value_info {
    mb_value_kind kind;
    int64_t dims[4];
    const char *name;          /* the scope name of the node or tensor */
    const mb_tensor *tensor;   /* weights */
    float *data;               /* contents in f32 where they are not the file's own: see constants.h. Aligned, owned */
    size_t capacity;           /* bytes at `data` */
    mb_derivation *derivation; /* derived constants; owned */
    bool read;                 /* contents were asked for since the last mb_graph_release_derived */
    uint64_t key;              /* constants and weights: what the contents were made from; equal keys, equal contents */
    int producer;              /* node, or MB_NONE */
    bool kept;                 /* an output or tap: no pass may remove or change it */
    int alias_of;              /* a slice of the channels of another value (concat without a copy), or MB_NONE */
    int64_t alias_channel;
} mb_value_info;

typedef struct mb_node {
    mb_op op;
    bool removed;
    mb_attrs attrs;
    int in[MB_MAX_INPUTS]; /* values; MB_NONE where an optional input is absent */
    int n_in;
    int out;
    double position; /* order of execution among nodes that could run; passes put new nodes where the old ones were */
    const char *name;
} mb_node;

typedef struct mb_tap {
    const char *name; /* a second name of a value, as the specification calls it */
    int value;
} mb_tap;

typedef struct mb_text_block mb_text_block;

#define MB_FREE_BLOCKS 3 /* as many as derivations are deep */
typedef struct mb_free_block {
    float *data;
    size_t bytes;
} mb_free_block;

typedef struct mb_graph {
    const mb_weights *weights; /* borrowed */
    mb_value_info *values;
    int n_values, values_capacity;
    int *of_tensor; /* by tensor of the file: its value + 1 */
    mb_node *nodes;
    int n_nodes, nodes_capacity;
    mb_tap *taps;
    int n_taps, taps_capacity;
    mb_text_block *text;
    mb_free_block free_list[MB_FREE_BLOCKS]; /* owned; memory of released constants, for the next ones (constants.c) */
    double next_position;
    int64_t output_multiple; /* passes that make convolutions may pad their outputs to this; 0, 1: they do not */
    mb_error error;          /* sticky */
} mb_graph;

MB_MUST_CHECK mb_status mb_graph_create(mb_graph **out, const mb_weights *weights, mb_error *err);
void mb_graph_free(mb_graph *g);
MB_MUST_CHECK mb_status mb_graph_status(const mb_graph *g, mb_error *err); /* copies the sticky error */
void mb_graph_fail(mb_graph *g, mb_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A copy of `text` that lives as long as the graph; NULL after an error. */
const char *mb_graph_text(mb_graph *g, const char *format, ...) __attribute__((format(printf, 2, 3)));

int mb_graph_input(mb_graph *g, const char *name, const int64_t dims[4]);
/* The tensor `name` of the model file, with its published shape (rank <= 4, missing dimensions are 1). */
int mb_graph_weight(mb_graph *g, const char *name);
bool mb_graph_has_weight(const mb_graph *g, const char *name);
bool mb_graph_is_constant(const mb_graph *g, int value); /* its contents: constants.h */

/* Adds a node and its output value; shapes are inferred. position < 0: after all others. */
int mb_graph_node(mb_graph *g, mb_op op, const char *name, const mb_attrs *attrs, const int *in, int n_in,
                  double position);
void mb_graph_tap(mb_graph *g, const char *name, int value);
/* The value called `name`: a tap, an input, or the output of the last node of that name; MB_NONE if there is none. */
int mb_graph_find(const mb_graph *g, const char *name);
void mb_graph_keep(mb_graph *g, int value);

/* ---- for passes ---- */
int mb_graph_users(const mb_graph *g, int value, int *only_user); /* live nodes that read it; the last one found */
void mb_graph_replace(mb_graph *g, int old_value, int new_value); /* in all live nodes and taps; kept moves along */
void mb_graph_remove(mb_graph *g, int node);
/* `node` writes `value` from now on (its old output becomes unused); name, taps and kept stay with the value. */
void mb_graph_adopt(mb_graph *g, mb_node *node, int value);
/* The live producer of a value if it is of this op and has no other reader and is not kept; else NULL. */
mb_node *mb_graph_sole_producer(mb_graph *g, int value, mb_op op);
/* The views of a node's inputs and output, without data. */
void mb_graph_call(const mb_graph *g, const mb_node *n, mb_call *call);
/* Gives the constant inputs of a call their data (mb_graph_floats). */
void mb_graph_call_constants(mb_graph *g, const mb_node *n, mb_call *call, mb_pool *pool);
/* A new value without a producer. */
int mb_graph_add_value(mb_graph *g, mb_value_kind kind, const char *name, const int64_t dims[4]);

#endif
