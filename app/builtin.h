/* What the program can use without any file: the small network that is linked in, and saliency. */
#ifndef APP_BUILTIN_H
#define APP_BUILTIN_H

#include <mattebox.h>

/* What --model (or its absence) means. */
typedef struct model_choice {
    const char *name; /* to open; NULL: none is needed */
    int standard; /* 1: the built-in default, to be used with the preset "small" unless something else is asked for */
    int saliency; /* 1: found by saliency alone */
} model_choice;

/* Without --model: the first standard model that is installed, else the built-in default. `model` may be NULL. */
model_choice model_choose(const char *model);

/* Is this the name of the network that is linked in (and is it)? */
int builtin_has(const char *name);
/* Opens it by one of its names, where models_find has found no file of that name. */
mb_status builtin_open(mb_model **out, mb_context *context, const char *name, mb_error *err);

/* Where a model lies, for people: its path, or words that say that it is built in. */
const char *model_place(const mb_model_info *info);

/* On a terminal, once for a user: how to get official weights. */
void builtin_hint(void);

#endif
