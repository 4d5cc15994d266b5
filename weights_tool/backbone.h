/* The backbones of BiRefNet in numbers: recognised by names, read from shapes, listed tensor by tensor. One file a
 * family (backbone_<family>.c); backbone.c holds the table of families and what they share. */
#ifndef MB_WEIGHTS_TOOL_BACKBONE_H
#define MB_WEIGHTS_TOOL_BACKBONE_H

#include "source.h"
#include "spec.h"
#include "writer.h"

#define BACKBONE_MAPS      4  /* feature maps that a backbone gives to the decoder, the finest first */
#define BACKBONE_MAX_DEPTH 64 /* blocks of a stage */

typedef struct backbone_family backbone_family;

/* Which numbers a family has is its own affair; the others stay 0. */
typedef struct backbone_arch {
    const backbone_family *family;
    int64_t maps[BACKBONE_MAPS];   /* channels of the maps of one pass */
    int64_t depths[BACKBONE_MAPS]; /* blocks of each stage */
    int64_t heads[BACKBONE_MAPS];
    int64_t hidden[BACKBONE_MAPS];     /* width inside the MLPs of each stage */
    int64_t reductions[BACKBONE_MAPS]; /* PVTv2: side of the cells that keys and values are made of */
    int64_t outputs[BACKBONE_MAPS];    /* DINOv3: the blocks after which the maps are taken, from 0 */
    int64_t window;                    /* Swin */
    int64_t registers;                 /* DINOv3 */
    bool gated;                        /* DINOv3: SwiGLU in place of the MLP with GELU */
    bool separate_biases;              /* DINOv3: q_bias and v_bias beside the qkv weight */
    bool batch_norm;                   /* VGG */
    char norm_eps[48];                 /* as it is recorded: see backbone_family.n_eps */
    char rope_base[16];                /* DINOv3: of the periods of rotary positions, as it is recorded; "": none */
} backbone_arch;

/* Overrides of what shapes do not tell; NULL: by the rules of the family. */
typedef struct backbone_told {
    const char *heads, *outputs, *norm_eps; /* numbers with commas between them */
    const char *rope_base;                  /* a number */
} backbone_told;

/* An official size. */
typedef struct backbone_preset {
    const char *name;  /* "pvt-v2-b2": what follows "birefnet-" in the names of generated models */
    const char *title; /* "PVTv2-B2" */
    backbone_arch numbers;
} backbone_preset;

struct backbone_family {
    const char *name;     /* arch.backbone in the model file */
    const char *kind;     /* "PVTv2": for sizes of their own */
    const char *marks[2]; /* tensors that this family alone has, all of them (the second may be NULL) */
    const char
        *trace[2]; /* in a file that lacks a mark, one of these is enough: it is damaged, and can be told what of */
    int stages;    /* numbers in the lists of depths and heads; 0: there are none */
    bool heads_unknown;   /* no shape tells the heads: they follow a rule, and can be told */
    bool outputs_unknown; /* the same for the blocks that give maps */
    int n_eps;            /* numbers in arch.norm_eps; 0: the family records none */
    bool neck;            /* the decoder begins with pyramid_neck_x1..4 */
    const backbone_preset *presets;
    size_t n_presets;
    /* Numbers of the tensors; official ones where a tensor is missing, which recognise_check then reports. */
    mb_status (*describe)(backbone_arch *a, const source *s, mb_error *err);
    /* Every tensor under "bb.", in the order of the official state dict. */
    void (*specs)(spec_list *l, const backbone_arch *a);
    bool (*ignores)(const char *name); /* tensors without a meaning for inference; NULL: none */
    double (*gain)(const char *name);  /* of generated weights, by role */
};

/* The families in the order in which they are tried. */
const backbone_family *const *backbone_families(size_t *n);
/* The family whose marks the file has; NULL: none. */
const backbone_family *backbone_find(const source *s);

/* Numbers of the file's backbone, overrides applied and checked. told may be NULL. */
MB_MUST_CHECK mb_status backbone_describe(backbone_arch *a, const backbone_family *family, const source *s,
                                          const backbone_told *told, mb_error *err);
/* arch.backbone and the numbers that shapes do not tell (docs/format.md). */
MB_MUST_CHECK mb_status backbone_write_meta(mbw_writer *w, const backbone_arch *a, mb_error *err);
/* "PVTv2-B2", or "a PVTv2 of its own size". */
const char *backbone_title(const backbone_arch *a, char *buffer, size_t capacity);

/* ---- for the families */

/* "2,2,18,2" */
void arch_join(char *dst, size_t capacity, const int64_t *v, size_t n);
/* Dimension `axis` of a tensor, or `otherwise` where it is absent or of lower rank. A number is looked for in more than
 * one tensor (`otherwise` being what the next one says), so that one that is missing does not make the others wrong. */
int64_t arch_dim(const source *s, const char *name, int axis, int64_t otherwise);
/* The same with a printf format for the name. */
int64_t backbone_dim(const source *s, int axis, int64_t otherwise, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* How many blocks there are without a gap: of PREFIX0., PREFIX1. ... the file has at least one of the tensors of `inner`,
 * a list that NULL ends. So a tensor that is missing does not hide its block. The format makes the prefix. */
int64_t backbone_count(const source *s, const char *const *inner, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Does the file have a tensor of that name? */
bool backbone_has(const source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* BatchNorm, LayerNorm, linear and convolution layers whose prefix is a printf format. */
void backbone_pair(spec_list *l, spec_kind kind, const int64_t dims[4], const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void backbone_layer_norm(spec_list *l, int64_t channels, const char *format, ...) __attribute__((format(printf, 3, 4)));
void backbone_batch_norm(spec_list *l, int64_t channels, const char *format, ...) __attribute__((format(printf, 3, 4)));

extern const backbone_family backbone_swin, backbone_pvt, backbone_dino, backbone_resnet, backbone_vgg;

#endif
