/* The two architectures in numbers: read from the tensors of a checkpoint, or given; and what they consist of. */
#ifndef MB_WEIGHTS_TOOL_ARCH_H
#define MB_WEIGHTS_TOOL_ARCH_H

#include "backbone.h"

#define ARCH_MAX_KERNELS 8
#define ARCH_MAX_DEPTH   64

/* One BasicDecBlk: 3x3 to `inner`, ASPP with branches of `branch` channels, 3x3 out. */
typedef struct decoder_arch {
    int64_t inner, branch;
    int n_kernels;
    int64_t kernels[ARCH_MAX_KERNELS]; /* of aspp_deforms, in order; aspp1 (1x1) not counted */
} decoder_arch;

/* The kinds of batch norms of BiRefNet. The official code puts identities in place of those of a kind when it is
 * trained with one picture at a time. */
typedef enum norm_place {
    NORM_BRANCH, /* "bn", behind the branches of the ASPP */
    NORM_IN,     /* "bn_in" */
    NORM_OUT,    /* "bn_out" */
    NORM_JOINED, /* "bn1", behind the branches' 1x1 */
    NORM_POOL,   /* "global_avg_pool.2" */
    NORM_GATE,   /* "gdt_convs.1" */
    NORM_PLACES
} norm_place;

typedef struct birefnet_arch {
    backbone_arch backbone;
    int64_t levels[BACKBONE_MAPS]; /* widths of the decoder: those of the backbone's maps, or of the neck */
    bool ipt_blk5, gate4;
    decoder_arch squeeze, block[5];     /* block[1..4] = decoder_block1..4 */
    int64_t tile_inner[6], tile_out[6]; /* [1..5] = ipt_blk1..5 */
    int64_t gate_width[5];              /* [2..4] = gdt_convs_2..4 */
    bool no_norm[NORM_PLACES];          /* all norms of the kind are identities, without tensors */
} birefnet_arch;

typedef struct vitmatte_arch {
    int64_t hidden, depth, heads, window, patch, mlp_ratio;
    int64_t table_side;  /* position table: table_side^2 + 1 rows */
    int64_t global_side; /* tokens a side that the global relative tables are made for; 0: no global block */
    bool windowed[ARCH_MAX_DEPTH], residual[ARCH_MAX_DEPTH];
    int64_t bottleneck; /* channels inside the residual blocks */
    int64_t conv[3], fusion[4], head;
} vitmatte_arch;

/* Reads the numbers from a normalised source. Tensors that are missing leave official values behind: arch_check lists
 * them. Errors: shapes that contradict each other, options of the official code that no published model uses. */
MB_MUST_CHECK mb_status birefnet_describe(birefnet_arch *a, const backbone_family *backbone, const source *s,
                                          const backbone_told *told, mb_error *err);
MB_MUST_CHECK mb_status vitmatte_describe(vitmatte_arch *a, const source *s, mb_error *err);

/* All tensors of the official state dict, the ignored ones included. */
void birefnet_specs(spec_list *l, const birefnet_arch *a);
void vitmatte_specs(spec_list *l, const vitmatte_arch *a);

/* True for tensors that a file may have or not, without a meaning for inference. */
bool birefnet_ignores(const birefnet_arch *a, const char *name);
bool vitmatte_ignores(const char *name);

/* arch.* and input.* of docs/format.md. */
MB_MUST_CHECK mb_status birefnet_write_meta(mbw_writer *w, const birefnet_arch *a, mb_error *err);
MB_MUST_CHECK mb_status vitmatte_write_meta(mbw_writer *w, const vitmatte_arch *a, mb_error *err);

/* The decoder as published, for a backbone: v2, or v1 without its later parts. */
void birefnet_fit(birefnet_arch *a, const backbone_arch *backbone, bool v2);

/* "VITMatte-S" ... */
const char *vitmatte_size(const vitmatte_arch *a);

bool birefnet_lacks_norms(const birefnet_arch *a); /* of any kind */
/* A BiRefNet without any batch norm, as training with one picture at a time leaves it. */
void birefnet_drop_norms(birefnet_arch *a);

#endif
