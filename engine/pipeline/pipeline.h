/* The pipeline's state. Internal to engine/pipeline. */
#ifndef MB_PIPELINE_PIPELINE_H
#define MB_PIPELINE_PIPELINE_H

#include "pipeline/edge.h"
#include "pipeline/objects.h"

struct mb_pipeline {
    mb_context *context;
    const mb_model *model, *matting; /* NULL: refines only; no matting network */
    mb_backend backend;              /* the context's, in the options' precision */
    mb_precision precision;          /* of the networks as they are */
    char left_gpu[200];              /* why the CPU has taken over, or "" */
    mb_options options;
    mb_pool *pool;
    mb_network *network; /* of `model`, on `pool` */
    mb_edge edge;
    mb_plan_info figures; /* of the mask network at the options' size */
    bool figures_known;
    size_t held_bytes; /* planned for the last run: most of it is still allocated */
    mb_progress_callback on_progress;
    void *user;
};

#endif
