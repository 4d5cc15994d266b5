/* The fixed order of the passes, and which of them run. */
#include "graph/passes/passes.h"

#include <string.h>

typedef struct pass {
    const char *name;
    mb_pass_fn run;
} pass;

static const pass passes[] = {
    {"drop_dead", mb_pass_drop_dead},
    {"fold_constants", mb_pass_fold_constants},
    {"drop_zero_offsets", mb_pass_drop_zero_offsets},
    {"fold_batchnorm", mb_pass_fold_batchnorm},
    {"split_concat", mb_pass_split_concat},
    {"sink_conv1x1", mb_pass_sink_conv1x1},
    {"broadcast_pooled", mb_pass_broadcast_pooled},
    {"compose_conv1x1", mb_pass_compose_conv1x1},
    {"compose_conv3x3", mb_pass_compose_conv3x3},
    {"merge_offset_convs", mb_pass_merge_offset_convs},
    {"split_upsampled", mb_pass_split_upsampled},
    {"centre_bottleneck", mb_pass_centre_bottleneck},
    {"fold_layer_scale", mb_pass_fold_layer_scale},
    {"fold_norm_affine", mb_pass_fold_norm_affine},
    {"move_attention_bias", mb_pass_move_attention_bias},
    {"fold_attention_scale", mb_pass_fold_attention_scale},
    {"join_pads", mb_pass_join_pads},
    {"fuse_epilogue", mb_pass_fuse_epilogue},
    {"alias_concat", mb_pass_alias_concat},
};
#define N_PASSES ((int)(sizeof passes / sizeof passes[0]))

int mb_pass_count(void)
{
    return N_PASSES;
}

const char *mb_pass_name(int i)
{
    return i >= 0 && i < N_PASSES ? passes[i].name : NULL;
}

/* Marks the passes named in "a,-b,c". A list that starts with '-' starts from all of them. */
static mb_status select_passes(bool on[N_PASSES], const char *which, mb_error *err)
{
    bool all = which == NULL || which[0] == '\0' || which[0] == '-';
    for (int i = 0; i < N_PASSES; i++) {
        on[i] = all;
    }
    if (which == NULL || strcmp(which, "none") == 0) {
        return MB_OK;
    }
    while (*which != '\0') {
        bool value = *which != '-';
        which += value ? 0 : 1;
        size_t n = strcspn(which, ",");
        int found = -1;
        for (int i = 0; i < N_PASSES; i++) {
            if (strlen(passes[i].name) == n && strncmp(passes[i].name, which, n) == 0) {
                found = i;
            }
        }
        if (found < 0) {
            return mb_fail(err, MB_E_ARGUMENT, "MATTEBOX_PASSES: there is no pass '%.*s'", (int)(n < 40 ? n : 40),
                           which);
        }
        on[found] = value;
        which += which[n] == ',' ? n + 1 : n;
    }
    return MB_OK;
}

/* In the order of the table: each pass relies on what those before it have left. */
mb_status mb_passes_run(mb_graph *g, const char *which, mb_error *err)
{
    bool on[N_PASSES];
    mb_status status = select_passes(on, which, err);
    for (int i = 0; i < N_PASSES && status == MB_OK; i++) {
        if (on[i]) {
            status = passes[i].run(g, err);
            if (status == MB_OK) {
                status = mb_graph_status(g, err);
            }
            if (status != MB_OK) {
                mb_error_prefix(err, "pass %s", passes[i].name);
            }
        }
    }
    return status;
}
