/* The computing threads' own: pipelines. Each keeps those of its last two models, so that a change back costs nothing. */
#ifndef SERVER_LANES_H
#define SERVER_LANES_H

#include "models.h"
#include "work.h"

typedef struct lanes lanes;
typedef struct lane lane;

/* Context and models. CODE_OK, or the message has been printed. */
int lanes_create(lanes **out, server *s);
void lanes_free(lanes *l);
served_models *lanes_models(lanes *l);
mb_context *lanes_context(lanes *l);

lane *lane_create(lanes *l);
void lane_free(lane *n);
/* The pipeline for the models and options of this work. */
mb_status lane_pipeline(lane *n, mb_pipeline **out, const char *model, const char *matting, const mb_options *options,
                        mb_error *err);

/* ---- what runs took, for estimates. Any thread. */
void lanes_learn(lanes *l, const work *w);
typedef struct lane_costs {
    double network_ms; /* of this model; 0: it has not run yet */
    double refine_ms;  /* per megapixel, of this method */
    double rest_ms;    /* per megapixel: decoding, colours, encoding */
    int refine_is_measured;
} lane_costs;
lane_costs lanes_costs(lanes *l, const char *model, int detail);
/* Runs the default model once on a small picture, so that the first request finds everything prepared. */
void lane_warm(lane *n);

#endif
