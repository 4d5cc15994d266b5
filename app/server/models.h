/* Which models requests may name, and opening them. No path comes from a request: a name is one of those that were given
 * to `serve`, or a file's in one of the model folders. */
#ifndef SERVER_MODELS_H
#define SERVER_MODELS_H

#include "../json.h"
#include "server.h"

typedef struct served_models served_models;

/* Opens what `serve --model` names, or what runs without it. CODE_OK, or the message has been printed. */
int served_models_create(served_models **out, const args *a, mb_context *context);
void served_models_free(served_models *m);

/* What a request's name stands for. */
typedef struct served_choice {
    char name[80];       /* to open; "": none is needed */
    int builtin_default; /* comes with the preset "small" */
    int saliency;
} served_choice;
/* name NULL: the default. 0: no such model is served; `list` then has the names of those that are. */
int served_models_choose(served_models *m, served_choice *out, const char *name, char *list, size_t list_bytes);
/* The model of that name (of served_choice), opened by the first who asks; it stays open. Any thread. */
mb_status served_models_open(served_models *m, const mb_model **out, const char *name, mb_error *err);
/* VITMatte weights that are installed under this name or alias; 0: none. name is checked. */
int served_models_has_matting(served_models *m, const char *name);
const char *served_models_default(served_models *m);
/* The members of /v1/models. */
void served_models_write(served_models *m, json *j);

#endif
