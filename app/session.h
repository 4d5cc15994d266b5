/* What a run of the picture commands holds: options, inputs, and for each device a context, models and a pipeline. */
#ifndef APP_SESSION_H
#define APP_SESSION_H

#include "batch.h"

/* Everything that a run holds. */
typedef struct session {
    item_list list;
    mb_options options;
    mb_context *contexts[MAX_DEVICES]; /* more than one only for cuda:all */
    mb_model *models[MAX_DEVICES], *mattings[MAX_DEVICES];
    mb_pipeline *pipelines[MAX_DEVICES];
    int n; /* of devices in use */
} session;

/* Opens devices, models and pipelines for s->options; with_model: a network finds the masks. The message has been printed
 * where the code is not CODE_OK. */
int session_open(session *s, const args *a, int with_model);
void session_dispose(session *s);

#endif
