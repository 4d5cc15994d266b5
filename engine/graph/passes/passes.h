/* The rewrites between the recorded graph and the planned one: exact algebra only, one file each, each switchable. */
#ifndef MB_GRAPH_PASSES_H
#define MB_GRAPH_PASSES_H

#include "graph/constants.h"

typedef mb_status (*mb_pass_fn)(mb_graph *g, mb_error *err);

mb_status mb_pass_drop_dead(mb_graph *g, mb_error *err);
mb_status mb_pass_fold_constants(mb_graph *g, mb_error *err);
mb_status mb_pass_drop_zero_offsets(mb_graph *g, mb_error *err);
mb_status mb_pass_fold_batchnorm(mb_graph *g, mb_error *err);
mb_status mb_pass_split_concat(mb_graph *g, mb_error *err);
mb_status mb_pass_sink_conv1x1(mb_graph *g, mb_error *err);
mb_status mb_pass_broadcast_pooled(mb_graph *g, mb_error *err);
mb_status mb_pass_compose_conv1x1(mb_graph *g, mb_error *err);
mb_status mb_pass_compose_conv3x3(mb_graph *g, mb_error *err);
mb_status mb_pass_merge_offset_convs(mb_graph *g, mb_error *err);
mb_status mb_pass_split_upsampled(mb_graph *g, mb_error *err);
mb_status mb_pass_centre_bottleneck(mb_graph *g, mb_error *err);
mb_status mb_pass_fold_layer_scale(mb_graph *g, mb_error *err);
mb_status mb_pass_fold_norm_affine(mb_graph *g, mb_error *err);
mb_status mb_pass_move_attention_bias(mb_graph *g, mb_error *err);
mb_status mb_pass_fold_attention_scale(mb_graph *g, mb_error *err);
mb_status mb_pass_join_pads(mb_graph *g, mb_error *err);
mb_status mb_pass_fuse_epilogue(mb_graph *g, mb_error *err);
mb_status mb_pass_alias_concat(mb_graph *g, mb_error *err);

int mb_pass_count(void);
const char *mb_pass_name(int i);
/* Runs the passes in their fixed order. which: NULL or "": all; "none"; "-a,-b": all but these (an unknown name is an
 * error); "a,b": only these. */
MB_MUST_CHECK mb_status mb_passes_run(mb_graph *g, const char *which, mb_error *err);

/* A conv2d's constants and sizes; false if it is no plain convolution (constant weight and bias, no border variants).
 */
typedef struct mb_conv_view {
    int weight, bias; /* values; bias MB_NONE: there is none */
    int64_t out, in, kh, kw;
} mb_conv_view;
bool mb_conv_read(const mb_graph *g, const mb_node *n, mb_conv_view *v);
bool mb_conv_is_1x1(const mb_graph *g, const mb_node *n); /* stride 1, pad 0 */

/* The linear layer that alone makes an attention's qkv; a rotary embedding between the two is looked through. */
mb_node *mb_attention_qkv(mb_graph *g, const mb_node *attention, bool *rotary);

/* Input i of a node; MB_NONE if it is absent. */
static inline int mb_node_input(const mb_node *n, int i)
{
    return n->n_in > i ? n->in[i] : MB_NONE;
}

#endif
