/* A short list under a lock. Models are mapped files, so an open one costs nothing until it runs. */
#include "models.h"

#include "../builtin.h"
#include "../commands.h"
#include "../message.h"
#include "../models.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef struct entry {
    struct entry *next;
    char name[80];
    char place[PATH_MAX]; /* what mb_model_open is given */
    mb_model *model;      /* NULL: not opened yet */
    int given;            /* by --model */
} entry;

struct served_models {
    pthread_mutex_t lock;
    mb_context *context;
    entry *first;
    int only_given; /* requests may name those of --model alone */
    served_choice standard;
};

/* Names as files and catalogues have them; what mb_model_open would take for a path is none. */
static int is_name(const char *name)
{
    size_t n = strlen(name);
    return catalogue_is_name(name) && (n < 4 || strcmp(name + n - 4, ".mbw") != 0);
}

static entry *find(served_models *m, const char *name)
{
    for (entry *e = m->first; e != NULL; e = e->next) {
        if (strcmp(e->name, name) == 0) {
            return e;
        }
    }
    return NULL;
}

/* With the lock held, or before there are threads. */
static entry *add(served_models *m, const char *name, const char *place, int given)
{
    entry *e = calloc(1, sizeof *e);
    if (e != NULL) {
        (void)snprintf(e->name, sizeof e->name, "%s", name);
        (void)snprintf(e->place, sizeof e->place, "%s", place);
        e->given = given;
        entry **at = &m->first;
        while (*at != NULL) {
            at = &(*at)->next;
        }
        *at = e;
    }
    return e;
}

/* "models/birefnet.mbw" is called birefnet. */
static void name_of(char *name, size_t bytes, const char *given)
{
    const char *slash = strrchr(given, '/');
    (void)snprintf(name, bytes, "%s", slash != NULL ? slash + 1 : given);
    size_t n = strlen(name);
    if (n > 4 && strcmp(name + n - 4, ".mbw") == 0) {
        name[n - 4] = '\0';
    }
}

static int open_given(served_models *m, const char *given, served_choice *choice)
{
    const model_choice c = model_choose(given);
    *choice = (served_choice){.builtin_default = c.standard, .saliency = c.saliency};
    if (c.saliency) {
        return add(m, "saliency", "", 1) != NULL ? CODE_OK : message_error(CODE_MACHINE, NULL, "out of memory");
    }
    name_of(choice->name, sizeof choice->name, c.standard ? "demo" : c.name);
    if (find(m, choice->name) != NULL) {
        return CODE_OK;
    }
    entry *e = add(m, choice->name, c.name, 1);
    if (e == NULL) {
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    return open_model(&e->model, m->context, c.name);
}

int served_models_create(served_models **out, const args *a, mb_context *context)
{
    served_models *m = calloc(1, sizeof *m);
    *out = m;
    if (m == NULL) {
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    (void)pthread_mutex_init(&m->lock, NULL);
    m->context = context;
    m->only_given = a->serve.models.n > 0;
    int code = CODE_OK, standard = 0;
    for (int i = 0; i < a->serve.models.n && code == CODE_OK; i++) {
        served_choice choice;
        code = open_given(m, a->serve.models.names[i], &choice);
        const entry *e = code == CODE_OK ? find(m, choice.name) : NULL;
        if (code == CODE_OK && !standard && (e == NULL || mb_model_get_info(e->model)->finds_masks)) {
            m->standard = choice;
            standard = 1;
        }
    }
    if (code == CODE_OK && !standard) {
        code = open_given(m, NULL, &m->standard);
    }
    return code;
}

void served_models_free(served_models *m)
{
    while (m != NULL && m->first != NULL) {
        entry *e = m->first;
        m->first = e->next;
        mb_model_free(e->model);
        free(e);
    }
    if (m != NULL) {
        (void)pthread_mutex_destroy(&m->lock);
        free(m);
    }
}

const char *served_models_default(served_models *m)
{
    return m->standard.saliency ? "saliency" : m->standard.builtin_default ? "default" : m->standard.name;
}

/* Calls `each` for every name that requests may use, until it returns 0. Without --model the folders are read anew:
 * models may be installed while the server runs. */
static void each_name(served_models *m, int (*each)(void *user, const char *name, const char *path), void *user)
{
    if (m->only_given) {
        for (entry *e = m->first; e != NULL; e = e->next) {
            if (e->given && !each(user, e->name, e->place)) {
                return;
            }
        }
        return;
    }
    char **paths = NULL;
    int n = 0, more = 1;
    if (m->standard.builtin_default) {
        more = each(user, "default", "");
    }
    if (more && builtin_has("demo")) {
        more = each(user, "demo", "");
    }
    more = more && each(user, "saliency", "");
    if (more && models_named(&paths, &n, NULL, 0) == CODE_OK) {
        for (int i = 0; i < n && more; i++) {
            char name[80];
            name_of(name, sizeof name, paths[i]);
            more = each(user, name, paths[i]);
        }
    }
    models_free_names(paths, n);
}

typedef struct listing {
    char *text;
    size_t bytes;
} listing;

static int list_one(void *user, const char *name, const char *path)
{
    listing *l = user;
    size_t at = strlen(l->text);
    (void)path;
    (void)snprintf(l->text + at, l->bytes - at, "%s%s", at > 0 ? ", " : "", name);
    return 1;
}

int served_models_choose(served_models *m, served_choice *out, const char *name, char *list, size_t list_bytes)
{
    char path[PATH_MAX];
    mb_error err = {0};
    listing l = {list, list_bytes};
    *out = m->standard;
    list[0] = '\0';
    if (name == NULL || name[0] == '\0' || strcmp(name, "default") == 0 ||
        strcmp(name, served_models_default(m)) == 0) {
        return 1;
    }
    *out = (served_choice){0};
    (void)pthread_mutex_lock(&m->lock);
    const entry *e = find(m, name);
    int given = e != NULL && e->given, saliency = strcmp(name, "saliency") == 0;
    (void)pthread_mutex_unlock(&m->lock);
    int found = given || (!m->only_given && is_name(name) &&
                          (saliency || builtin_has(name) || models_find(path, sizeof path, name, &err) == MB_OK));
    if (!found) {
        each_name(m, list_one, &l);
        return 0;
    }
    if (saliency) {
        out->saliency = 1;
        return 1;
    }
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    return 1;
}

mb_status served_models_open(served_models *m, const mb_model **out, const char *name, mb_error *err)
{
    char path[PATH_MAX];
    mb_status status = MB_OK;
    *out = NULL;
    (void)pthread_mutex_lock(&m->lock);
    entry *e = find(m, name);
    if (e == NULL) {
        const char *place = name;
        if (!is_name(name)) {
            status = own_error(err, MB_E_ARGUMENT, "no model \"%.60s\"", name);
        } else if (!builtin_has(name)) {
            status = models_find(path, sizeof path, name, err);
            place = path;
        }
        e = status == MB_OK ? add(m, name, place, 0) : NULL;
        if (status == MB_OK && e == NULL) {
            status = own_error(err, MB_E_MEMORY, "out of memory");
        }
    }
    if (status == MB_OK && e->model == NULL) {
        status = mb_model_open(&e->model, m->context, e->place, err);
    }
    *out = status == MB_OK ? e->model : NULL;
    (void)pthread_mutex_unlock(&m->lock);
    return status;
}

int served_models_has_matting(served_models *m, const char *name)
{
    char path[PATH_MAX];
    mb_error err = {0};
    (void)pthread_mutex_lock(&m->lock);
    const entry *e = find(m, name);
    (void)pthread_mutex_unlock(&m->lock);
    return e != NULL || (is_name(name) && models_find(path, sizeof path, name, &err) == MB_OK);
}

typedef struct writing {
    served_models *m;
    json *j;
} writing;

/* What an opened model says of itself is in its file already: an unopened one is opened for that. */
static int write_one(void *user, const char *name, const char *path)
{
    writing *w = user;
    const mb_model *model = NULL;
    mb_error err = {0};
    (void)path;
    int builtin = strcmp(name, "default") == 0, saliency = strcmp(name, "saliency") == 0;
    if (!saliency && served_models_open(w->m, &model, builtin ? "demo" : name, &err) != MB_OK) {
        return 1;
    }
    json_begin(w->j, NULL, '{');
    json_text(w->j, "name", name);
    json_bool(w->j, "default", strcmp(name, served_models_default(w->m)) == 0);
    const mb_model_info *info = model != NULL ? mb_model_get_info(model) : NULL;
    json_text(w->j, "task", saliency || info->finds_masks ? "mask" : "matting");
    json_text(w->j, "architecture", saliency ? "saliency" : info->architecture);
    json_text(w->j, "summary", saliency ? "saliency detection, without a network" : info->summary);
    json_text(w->j, "licence", saliency ? "" : info->licence);
    json_int(w->j, "input_width", saliency ? 0 : info->input_width);
    json_int(w->j, "input_height", saliency ? 0 : info->input_height);
    json_int(w->j, "parameters", saliency ? 0 : (long long)info->n_parameters);
    json_int(w->j, "bytes", saliency ? 0 : (long long)info->file_bytes);
    json_end(w->j, '}');
    return 1;
}

void served_models_write(served_models *m, json *j)
{
    writing w = {m, j};
    json_text(j, "default", served_models_default(m));
    json_begin(j, "models", '[');
    each_name(m, write_one, &w);
    json_end(j, ']');
}
