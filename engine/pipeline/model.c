/* Models: opening, describing and finding weight files.
 *
 * A name is looked for as NAME.mbw in the folders of MATTEBOX_MODELS, then the user's data folder, "models" and
 * "../share/mattebox/models" beside the program, /usr/local/share and /usr/share; the first one wins. A name with a
 * slash, with the ending .mbw, or of an existing file is a path. */
#include "pipeline/model.h"

#include "core/alloc.h"
#include "core/os_file.h"
#include "core/os_process.h"
#include "core/text.h"
#include "models/meta.h"
#include "pipeline/builtin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- description */

/* A positive number of the metadata; `standard` where there is none or it is out of range: only recommendations are
 * read so. */
static int meta_int(const mb_weights *w, const char *key, int standard)
{
    const char *text = mb_weights_meta(w, key);
    if (text == NULL) {
        return standard;
    }
    char *end;
    long v = strtol(text, &end, 10);
    return end != text && *end == '\0' && v > 0 && v <= 65536 ? (int)v : standard;
}

/* Text of the metadata, which lives as long as the model. */
static const char *meta_or(const mb_weights *w, const char *key, const char *standard)
{
    const char *text = mb_weights_meta(w, key);
    return text != NULL ? text : standard;
}

/* The type of most values; and how many there are, indices not counted. */
static mb_dtype main_dtype(const mb_weights *w, uint64_t *n_parameters)
{
    uint64_t counts[MB_DTYPE_COUNT] = {0}, total = 0;
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        uint64_t n = t->bytes / mb_dtype_size(t->dtype);
        counts[t->dtype] += n;
        total += t->dtype != MB_I64 ? n : 0;
    }
    int best = MB_F32;
    for (int d = 0; d < MB_I64; d++) {
        best = counts[d] > counts[best] ? d : best;
    }
    *n_parameters = total;
    return (mb_dtype)best;
}

/* "BiRefNet v2, Swin-L", "VITMatte-S": the names that people know, from the sizes in the metadata. */
static void name_variant(char *text, size_t bytes, const mb_model *m)
{
    const mb_weights *w = m->weights;
    if (m->architecture->family == MB_FAMILY_VITMATTE) {
        int hidden = meta_int(w, "arch.hidden", 0);
        const char *letter = hidden == 384 ? "-S" : hidden == 768 ? "-B" : "";
        (void)snprintf(text, bytes, "VITMatte%s", letter);
        if (letter[0] == '\0') {
            (void)snprintf(text, bytes, "VITMatte, width %d", hidden);
        }
        return;
    }
    const char *title = mb_weights_meta(w, "arch.title");
    if (title != NULL) {
        (void)snprintf(text, bytes, "BiRefNet %.8s, %.50s", meta_or(w, "arch.generation", ""), title);
        return;
    }
    int embed = meta_int(w, "arch.embed_dim", 0); /* a file of before arch.title */
    const char *depths = meta_or(w, "arch.depths", "");
    const char *letter = embed == 192                                        ? "L"
                         : embed == 128                                      ? "B"
                         : embed == 96 && strncmp(depths, "2,2,18,", 7) == 0 ? "S"
                         : embed == 96 && strncmp(depths, "2,2,6,", 6) == 0  ? "T"
                                                                             : NULL;
    if (letter != NULL) {
        (void)snprintf(text, bytes, "BiRefNet %.8s, Swin-%s", meta_or(w, "arch.generation", ""), letter);
    } else {
        (void)snprintf(text, bytes, "BiRefNet %.8s, Swin of width %d", meta_or(w, "arch.generation", ""), embed);
    }
}

/* What mb_model_get_info shows. Text points into the file's metadata and lives as long as the model. */
static void describe(mb_model *m)
{
    const mb_weights *w = m->weights;
    mb_model_info *i = &m->info;
    char variant[80], shown[90]; /* the file's own words are in it */
    i->path = mb_weights_path(w);
    i->name = meta_or(w, "name", "");
    i->architecture = m->architecture->name;
    i->licence = meta_or(w, "licence", "");
    i->finds_masks = m->architecture->family == MB_FAMILY_BIREFNET;
    i->input_channels = m->architecture->input_channels;
    i->input_width = meta_int(w, "input.width", 1024);
    i->input_height = meta_int(w, "input.height", 1024);
    i->size_multiple = m->architecture->size_step(w);
    i->n_tensors = mb_weights_count(w);
    i->file_bytes = mb_weights_file_bytes(w);
    mb_dtype dtype = main_dtype(w, &i->n_parameters);
    name_variant(variant, sizeof variant, m);
    (void)snprintf(m->summary, sizeof m->summary, "%s, %.1f M parameters, %s",
                   mb_printable(shown, sizeof shown, variant, strlen(variant)), (double)i->n_parameters * 1e-6,
                   mb_dtype_name(dtype));
    i->summary = m->summary;
}

/* ---- open, free */

/* The part that files and memory share: what the weights are. */
static mb_status finish_open(mb_model **out, mb_model *m, mb_context *context, mb_error *err)
{
    m->context = context;
    mb_status status = mb_registry_find(&m->architecture, m->weights, err);
    if (status != MB_OK) {
        return status;
    }
    describe(m);
    *out = m;
    return MB_OK;
}

/* A file, which stays mapped until mb_model_free: weights are read from it when a plan packs them. */
static mb_status open_file(mb_model **out, mb_context *context, const char *path, mb_error *err)
{
    mb_status status = MB_OK;
    *out = NULL;
    mb_model *m = mb_calloc(1, sizeof *m);
    if (m == NULL) {
        return mb_fail_memory(err, sizeof *m, "the model");
    }
    MB_TRY(mb_weights_open(&m->weights, path, err));
    MB_TRY(finish_open(out, m, context, err));
    m = NULL;
done:
    mb_model_free(m);
    return status;
}

/* The caller's bytes must outlive the model: weights are read from them when a plan packs them. */
mb_status mb_model_open_memory(mb_model **out, mb_context *context, const void *bytes, size_t n_bytes, mb_error *err)
{
    mb_status status = MB_OK;
    *out = NULL;
    mb_model *m = mb_calloc(1, sizeof *m);
    if (m == NULL) {
        return mb_fail_memory(err, sizeof *m, "the model");
    }
    MB_TRY(mb_weights_open_memory(&m->weights, bytes, n_bytes, err));
    MB_TRY(finish_open(out, m, context, err));
    m = NULL;
done:
    mb_model_free(m);
    return status;
}

mb_status mb_model_open(mb_model **out, mb_context *context, const char *name, mb_error *err)
{
    char path[MB_OS_PATH_BYTES];
    const void *bytes;
    size_t n_bytes;
    mb_error missing = {0};
    mb_status found = MB_E_IO;
    *out = NULL;
    if (strcmp(name, "default") != 0) {
        found = mb_find_model(path, sizeof path, name, &missing);
    } else if (mb_find_default_model(path, sizeof path)) {
        found = MB_OK;
    }
    if (found == MB_OK) {
        return open_file(out, context, path, err);
    }
    if (found != MB_E_MEMORY && mb_builtin_is_named(name) && mb_builtin_model(&bytes, &n_bytes)) {
        return mb_model_open_memory(out, context, bytes, n_bytes, err);
    }
    const mb_status status = mb_find_model(path, sizeof path, name, err); /* again, for its message */
    return status == MB_OK ? open_file(out, context, path, err) : status; /* it has come in between */
}

void mb_model_free(mb_model *model)
{
    if (model != NULL) {
        mb_weights_free(model->weights);
        mb_free(model);
    }
}

const mb_model_info *mb_model_get_info(const mb_model *model)
{
    return &model->info;
}

const char *mb_model_label(const mb_model *model)
{
    const mb_model_info *i = &model->info;
    return i->path[0] != '\0' ? i->path : i->name[0] != '\0' ? i->name : "a model in memory";
}

const char *mb_model_meta(const mb_model *model, const char *key)
{
    return mb_weights_meta(model->weights, key);
}

/* Checked here for both families, so that neither the host nor a device divides by zero. */
mb_status mb_model_normalization(mb_normalization *out, const mb_model *model, mb_error *err)
{
    bool known = mb_meta_floats(out->mean, 3, model->weights, "input.mean") &&
                 mb_meta_floats(out->std, 3, model->weights, "input.std");
    for (int c = 0; known && c < 3; c++) {
        known = out->std[c] > 0;
    }
    return known ? MB_OK
                 : mb_fail(err, MB_E_FORMAT,
                           "%.200s: the metadata input.mean or input.std is missing or out of range\nconvert the "
                           "checkpoint again",
                           mb_model_label(model));
}

typedef struct verify_call {
    mb_progress_callback on_progress;
    void *user;
} verify_call;

/* From bytes to the share of the whole. */
static int on_verify(void *user, size_t done, size_t total)
{
    const verify_call *v = user;
    mb_progress p = {total > 0 ? (double)done / (double)total : 1.0, "verify", ""};
    return v->on_progress != NULL ? v->on_progress(v->user, &p) : 0;
}

/* The only call that reads every byte of the file. */
mb_status mb_model_verify(const mb_model *model, mb_progress_callback on_progress, void *user, mb_error *err)
{
    verify_call v = {on_progress, user};
    return mb_weights_verify(model->weights, on_verify, &v, err);
}

/* ---- finding */

/* Folder number i of a list as in MATTEBOX_MODELS, empty ones skipped; false after the last. */
static bool list_part(char *out, size_t bytes, const char *list, int i)
{
    const char separators[] = {mb_os_list_separator, '\0'};
    for (; *list != '\0'; list += *list == mb_os_list_separator) {
        size_t n = strcspn(list, separators);
        if (n > 0 && i-- == 0) {
            return snprintf(out, bytes, "%.*s", (int)n, list) < (int)bytes;
        }
        list += n;
    }
    return false;
}

/* Empty parts (a separator too many) do not count. */
static int count_parts(const char *list)
{
    char unused[MB_OS_PATH_BYTES];
    int n = 0;
    while (list_part(unused, sizeof unused, list, n)) {
        n++;
    }
    return n;
}

/* Folder number i of those that need no variable: the user's data, beside the program, the machine's. */
static bool fixed_folder(char *out, size_t bytes, int i)
{
    char exe[MB_OS_PATH_BYTES] = "";
    int n = -1;
    if (i == 0) {
        if (mb_os_user_folder(out, bytes, MB_OS_DATA, "mattebox/models")) {
            return true;
        }
        n = snprintf(out, bytes, "/nonexistent"); /* the places that follow keep their numbers */
    } else if (i <= 2) {
        (void)mb_os_program_path(exe, sizeof exe);
        size_t folder = (size_t)(mb_os_file_name(exe) - exe);
        exe[folder > 0 ? folder - 1 : 0] = '\0';
        n = snprintf(out, bytes, i == 1 ? "%s/models" : "%s/../share/mattebox/models", exe);
    } else if (mb_os_shared_data(i - 3) != NULL) {
        n = snprintf(out, bytes, "%s/mattebox/models", mb_os_shared_data(i - 3));
    }
    return n >= 0 && (size_t)n < bytes;
}

/* MATTEBOX_MODELS first, so that it can hide what is installed. */
int mb_model_folder(char *path, size_t path_bytes, int i)
{
    const char *list = mb_os_env("MATTEBOX_MODELS");
    int n_list = list != NULL ? count_parts(list) : 0;
    if (path_bytes > 0) {
        path[0] = '\0';
    }
    if (i < n_list) {
        return list_part(path, path_bytes, list, i);
    }
    return fixed_folder(path, path_bytes, i - n_list);
}

/* MB_OK: there is one; MB_E_IO: none (a folder with a model's name is none); MB_E_MEMORY: it cannot be told. A disk that
 * fails counts as a file: opening it says what is wrong, where going on would take another model of the same name. */
static mb_status look_for(const char *path, mb_error *err)
{
    mb_os_info info;
    const int code = mb_os_look(&info, path);
    if (code == ENOMEM) {
        return mb_fail(err, MB_E_MEMORY, "%.200s: the system has no memory to look at it", path);
    }
    return (code == 0 && info.kind != MB_OS_FOLDER) || code == EIO ? MB_OK : MB_E_IO;
}

/* The message lists every folder that was searched. */
static mb_status not_found(const char *name, mb_error *err)
{
    char places[400] = "", folder[MB_OS_PATH_BYTES];
    for (int i = 0; mb_model_folder(folder, sizeof folder, i); i++) {
        size_t at = strlen(places), capacity = sizeof places - at;
        if (capacity > 4) {
            (void)snprintf(places + at, capacity, "%s%.*s", i > 0 ? ", " : "", (int)(capacity - 4), folder);
        }
    }
    return mb_fail(err, MB_E_IO, "no model \"%.60s\" in: %s\ngive a .mbw file, or put one there", name, places);
}

/* A path where the name looks like one or is one; else the first folder with NAME.mbw. */
mb_status mb_find_model(char *path, size_t path_bytes, const char *name, mb_error *err)
{
    size_t n = strlen(name);
    const bool is_path = mb_os_file_name(name) != name || (n > 4 && strcmp(name + n - 4, ".mbw") == 0);
    mb_status status = look_for(name, err);
    if (is_path || status == MB_OK) {
        if (n >= path_bytes) {
            return mb_fail(err, MB_E_ARGUMENT, "the model's path is too long");
        }
        memcpy(path, name, n + 1);
        return status != MB_E_IO ? status
                                 : mb_fail(err, MB_E_IO, "%.200s: %s", name,
                                           mb_os_is_folder(name) ? "is a folder, not a model file" : "no such file");
    }
    char folder[MB_OS_PATH_BYTES];
    for (int i = 0; status == MB_E_IO && mb_model_folder(folder, sizeof folder, i); i++) {
        int used = snprintf(path, path_bytes, "%s/%s.mbw", folder, name);
        status = used > 0 && (size_t)used < path_bytes ? look_for(path, err) : MB_E_IO;
    }
    return status != MB_E_IO ? status : not_found(name, err);
}

/* Does this file hold a network that finds masks? Only its header and table are read. `untold` is the answer for files
 * that cannot be opened. Where memory is missing, it counts as one: opening it says so. */
static bool finds_masks(const char *path, bool untold)
{
    mb_weights *w = NULL;
    const mb_architecture *a = NULL;
    mb_status status = mb_weights_open(&w, path, NULL);
    status = status == MB_OK ? mb_registry_find(&a, w, NULL) : status;
    mb_weights_free(w);
    return status == MB_OK ? a->family == MB_FAMILY_BIREFNET : status == MB_E_MEMORY || untold;
}

/* The first file of a folder, by name, that finds masks. */
static bool first_of_folder(char *path, size_t path_bytes, const char *folder)
{
    char **names;
    size_t n;
    bool found = false;
    if (mb_os_list(&names, &n, folder) != 0) {
        return false;
    }
    for (size_t i = 0; i < n && !found; i++) {
        size_t length = strlen(names[i]);
        if (length > 4 && names[i][0] != '.' && strcmp(names[i] + length - 4, ".mbw") == 0) {
            int used = snprintf(path, path_bytes, "%s/%s", folder, names[i]);
            found = used > 0 && (size_t)used < path_bytes && finds_masks(path, false);
        }
    }
    mb_os_free_names(names, n);
    return found;
}

int mb_find_default_model(char *path, size_t path_bytes)
{
    /* Whoever has installed official weights means them: they are better than what is built in by far. */
    static const char *const preferred[] = {"default", "birefnet-general", "birefnet-general-lite"};
    char folder[MB_OS_PATH_BYTES];
    for (size_t p = 0; p < sizeof preferred / sizeof preferred[0]; p++) {
        for (int i = 0; mb_model_folder(folder, sizeof folder, i); i++) {
            int used = snprintf(path, path_bytes, "%s/%s.mbw", folder, preferred[p]);
            /* Memory that is missing says nothing of the file; opening it does. A damaged file is what somebody means by
             * that name, and opening it says what is wrong; one that refines masks could only fail. */
            if (used > 0 && (size_t)used < path_bytes && look_for(path, NULL) != MB_E_IO && finds_masks(path, true)) {
                return 1;
            }
        }
    }
    for (int i = 0; mb_model_folder(folder, sizeof folder, i); i++) {
        if (first_of_folder(path, path_bytes, folder)) {
            return 1;
        }
    }
    return 0;
}
