/* What generate.c (architectures, values) and generate_file.c (files) share. */
#ifndef MB_WEIGHTS_TOOL_GENERATE_INTERNAL_H
#define MB_WEIGHTS_TOOL_GENERATE_INTERNAL_H

#include "arch.h"
#include "generate.h"

typedef struct built_in {
    backbone_arch backbone; /* maps of 0: it is a VITMatte */
    bool v1;
    const float *amplitudes; /* of the convolutions behind the backbone */
    vitmatte_arch vitmatte;
    double last_gain; /* VITMatte: of the last 1x1 convolution */
} built_in;

struct generator {
    const built_in *model;  /* a row of the table above; NULL: a preset */
    const double *gains;    /* of the preset; NULL: by role */
    char name[40];          /* without suffixes */
    birefnet_arch birefnet; /* the model's, or without its norms */
    bool is_birefnet;
    bool columns;         /* the checkpoint is in column order */
    bool small_residuals; /* so that the epsilons of the norms count */
    uint64_t seed;        /* enters each tensor's stream */
    spec_list specs;
    float *amp, *offset; /* of each tensor */
};

/* generator_fill for a model file: tile convolutions of a column-order checkpoint with their input channels in row
 * order. */
void generator_fill_as_rows(const generator *g, size_t index, size_t first, size_t n, float *dst);

#endif
