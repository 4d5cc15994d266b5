/* The backbones of BiRefNet: what each has to offer to the rest of the network. A new one is a file of its own, which
 * defines an mb_backbone_model, and a row in backbone.c. */
#ifndef MB_MODELS_BACKBONE_H
#define MB_MODELS_BACKBONE_H

#include "graph/build.h"

#define MB_BACKBONE_MAPS 4

typedef struct mb_backbone_model {
    const char *name; /* arch.backbone in the model file */
    int least_side;   /* of the picture, a multiple of the network's size step */
    /* One pass: picture [N,3,H,W] -> maps[i] [N,C_i,h_i,w_i], the finest first. s: the scope "bb". Numbers that no shape
     * tells stand in the file's metadata (models/meta.h); where they are wrong the graph fails (mb_backbone_fail). tap:
     * a prefix for the second names of the maps, "bb" or "bb_half". */
    void (*record)(mb_value maps[MB_BACKBONE_MAPS], mb_scope s, mb_value picture, const char *tap);
    /* Between the encoder and the decoder: x[0..2], both passes joined, and the squeezed context become maps of the
     * decoder's sizes and widths. decoder: the scope "decoder". NULL: they are such maps already. */
    void (*neck)(mb_value x[3], mb_value *squeezed, mb_scope decoder, mb_value picture);
} mb_backbone_model;

/* Borrowed, static: by arch.backbone (files without that key hold a Swin). MB_E_MISMATCH: not known. */
MB_MUST_CHECK mb_status mb_backbone_find(const mb_backbone_model **out, const mb_weights *w, mb_error *err);

/* The numbers in the metadata are incomplete or out of range: `keys` says which. */
void mb_backbone_fail(mb_scope s, const char *keys);
/* A second name: "bb.out" and i, or without a number where i < 0. */
void mb_backbone_tap(mb_scope s, const char *prefix, const char *name, int i, mb_value v);

#endif
