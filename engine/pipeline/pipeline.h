/* The pipeline's state. Internal to engine/pipeline. */
#ifndef MB_PIPELINE_PIPELINE_H
#define MB_PIPELINE_PIPELINE_H

#include "pipeline/matte_stage.h"
#include "pipeline/net.h"

struct mb_pipeline {
    mb_context *context;
    const mb_model *model, *matting; /* NULL: refines only; no matting network */
    mb_backend base;                 /* the context's; the CPU's from when the GPU was left */
    mb_backend backend;              /* base in the options' precision: what the networks run on */
    mb_backend mask_backend;         /* the same, or in f32: what the mask network runs on */
    mb_precision precision;          /* of the networks as they are */
    char left_gpu[200];              /* why the CPU has taken over, or "" */
    mb_options options;
    mb_pool *pool;
    mb_network *network; /* of `model`, on `pool` */
    mb_matte_stage matte;
    mb_plan_info stats; /* of the mask network at the options' size */
    bool stats_known;
    size_t held_bytes;   /* planned for the last run: most of it is still allocated */
    int n_pending;       /* pictures started and not finished */
    unsigned generation; /* how often the networks were rebuilt */
    mb_progress_callback on_progress;
    void *user;
    /* Milliseconds of the last finished run's stages, for the shares of the next one's progress; all 0: none yet. Of runs
     * that find the mask ([0]) and of those that are given one. */
    struct mb_stage_times {
        double mask, refine, compose;
    } last_run[2];
};

/* The networks anew in the CPU's arithmetic, and for all runs to come. */
MB_MUST_CHECK mb_status mb_pipeline_move_to_cpu(mb_pipeline *p, mb_error *err);
/* What a run will hold at most; and what of that is there while its mask is refined, beside the refinement's scratch. */
typedef struct mb_run_memory {
    size_t total, beside_refine;
} mb_run_memory;
/* Refuses before any work what cannot fit. given: the caller's mask or trimap, or NULL. */
MB_MUST_CHECK mb_status mb_pipeline_check_memory(mb_run_memory *out, mb_pipeline *p, const mb_image *photo,
                                                 const mb_image *given, mb_error *err);
int mb_pipeline_input_width(const mb_pipeline *p); /* of the mask network */
int mb_pipeline_input_height(const mb_pipeline *p);

#endif
