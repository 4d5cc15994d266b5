/* Which models there are: files of the folders, and what the catalogue knows beside them.
 *
 * A folder is read anew each time: models come and go while a program runs, and a search takes less than a
 * millisecond. */
#include "builtin.h"
#include "commands.h"
#include "json.h"
#include "message.h"
#include "models.h"

#include "manager/manager.h"

#include "core/os_file.h"

#include <stdlib.h>
#include <string.h>

/* The catalogue is part of the program; the file of the user, if there is one, adds entries to it. */
int models_catalogue(catalogue *out)
{
    char path[MB_OS_PATH_BYTES];
    mb_error err = {0};
    if (catalogue_load(out, manager_user_catalogue(path, sizeof path) ? path : NULL, &err) != MB_OK) {
        catalogue_dispose(out);
        return message_status(failure_code(err.code, CODE_USAGE), NULL, &err);
    }
    return CODE_OK;
}

int models_installed(char *path, size_t bytes, const char *name)
{
    char folder[MB_OS_PATH_BYTES];
    for (int i = 0; mb_model_folder(folder, sizeof folder, i); i++) {
        int n = snprintf(path, bytes, "%s/%s.mbw", folder, name);
        if (n > 0 && (size_t)n < bytes && mb_os_exists(path)) {
            return 1;
        }
    }
    return 0;
}

/* "default" is what a photo is cut out with when no model is named. An alias counts only when the name itself is not
 * found: a file of the user's that is called like an alias is that file. */
mb_status models_find(char *path, size_t bytes, const char *name, mb_error *err)
{
    catalogue c;
    mb_error none = {0};
    if (strcmp(name, "default") == 0) {
        if (mb_find_default_model(path, bytes)) {
            return MB_OK;
        }
        if (builtin_has(name)) { /* a file "default" that lies about here is none of the models */
            return own_error(err, MB_E_IO, "%s is built in: it has no file", name);
        }
    }
    mb_status status = mb_find_model(path, bytes, name, err);
    if (status == MB_E_IO && catalogue_load(&c, NULL, &none) == MB_OK) {
        const catalogue_entry *e = catalogue_find(&c, name);
        if (e != NULL && models_installed(path, bytes, e->name)) {
            *err = (mb_error){0};
            status = MB_OK;
        }
        catalogue_dispose(&c);
    }
    return status;
}

/* Without a catalogue there is no hint: the message itself is complete without. */
void models_hint(char *text, size_t bytes, const char *name)
{
    catalogue c;
    mb_error err = {0};
    char size[32];
    text[0] = '\0';
    if (catalogue_load(&c, NULL, &err) == MB_OK) {
        const catalogue_entry *e = catalogue_find(&c, name);
        if (e != NULL) {
            (void)snprintf(text, bytes, "mattebox models get %s (%s, %s)", e->name,
                           format_bytes(size, sizeof size, e->size), e->licence);
        }
    }
    catalogue_dispose(&c);
}

/* ---- what is installed */

static int is_mbw(const char *name)
{
    size_t n = strlen(name);
    return n > 4 && name[0] != '.' && strcmp(name + n - 4, ".mbw") == 0;
}

/* A folder that is missing or cannot be read has no models: it is only one of several that are searched. */
int models_in_folder(char ***names, const char *folder)
{
    char **all;
    size_t n;
    int kept = 0;
    *names = NULL;
    if (mb_os_list(&all, &n, folder) != 0) {
        return 0;
    }
    *names = calloc(n + 1, sizeof **names);
    for (size_t i = 0; i < n && *names != NULL; i++) {
        if (is_mbw(all[i]) && ((*names)[kept] = strdup(all[i])) != NULL) {
            kept++;
        }
    }
    mb_os_free_names(all, n);
    return kept;
}

void models_free_names(char **names, int n)
{
    for (int i = 0; i < n; i++) {
        free(names[i]);
    }
    free(names);
}

/* Grows by one: there are tens of models, not thousands. */
static int add_path(char ***paths, int *n, const char *path)
{
    char **more = realloc(*paths, ((size_t)*n + 1) * sizeof *more);
    if (more == NULL || (more[*n] = strdup(path)) == NULL) {
        *paths = more != NULL ? more : *paths;
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    *paths = more;
    ++*n;
    return CODE_OK;
}

/* The first model of a name hides the others, as in a search. */
static int add_all(char ***paths, int *n)
{
    char folder[MB_OS_PATH_BYTES], path[MB_OS_PATH_BYTES + 300];
    int code = CODE_OK;
    for (int i = 0; code == CODE_OK && mb_model_folder(folder, sizeof folder, i); i++) {
        char **names;
        int count = models_in_folder(&names, folder);
        for (int k = 0; k < count && code == CODE_OK; k++) {
            /* A model of this name in an earlier folder is the one that is used. */
            int hidden = 0;
            for (int j = 0; j < *n; j++) {
                const char *slash = strrchr((*paths)[j], '/');
                hidden |= slash != NULL && strcmp(slash + 1, names[k]) == 0;
            }
            (void)snprintf(path, sizeof path, "%s/%s", folder, names[k]);
            code = hidden ? CODE_OK : add_path(paths, n, path);
        }
        models_free_names(names, count);
    }
    return code;
}

/* The first name that is not found ends the search with its message; what was found so far is in the list,
 * which the caller frees. */
int models_named(char ***paths, int *n, const char *const *names, int n_names)
{
    int code = CODE_OK;
    *paths = NULL;
    *n = 0;
    for (int i = 0; i < n_names && code == CODE_OK; i++) {
        char path[MB_OS_PATH_BYTES];
        mb_error err = {0};
        const mb_status status = models_find(path, sizeof path, names[i], &err);
        code =
            status == MB_OK ? add_path(paths, n, path) : message_status(failure_code(status, CODE_MODEL), NULL, &err);
    }
    return n_names == 0 ? add_all(paths, n) : code;
}

/* "main" is what its authors publish now. */
static const char *revision_of(const catalogue_entry *e)
{
    return e->revision[0] != '\0' ? e->revision : strstr(e->address, "/resolve/main/") != NULL ? "main" : "not stated";
}

/* "models/birefnet.mbw" is called birefnet. */
void models_name_of(char *name, size_t bytes, const char *path)
{
    const char *file = mb_os_file_name(path);
    (void)snprintf(name, bytes, "%.*s", (int)(strlen(file) - (is_mbw(file) ? 4 : 0)), file);
}

void models_report_begin(json *j, const char *name, const char *path, int ok)
{
    *j = (json){stdout, 0};
    json_begin(j, NULL, '{');
    json_text(j, "name", name);
    if (path != NULL && path[0] != '\0') {
        json_path(j, "path", path);
    } else {
        json_text(j, "path", NULL);
    }
    json_text(j, "status", ok ? "ok" : "failed");
}

void models_report_end(json *j, int ok)
{
    if (!ok) {
        json_text(j, "message", message_last_error());
    }
    json_end(j, '}');
    json_line(j);
}

/* A model that can be had; `path` null tells it from an installed one. */
static void known_json(const catalogue_entry *e)
{
    json j = {stdout, 0};
    json_begin(&j, NULL, '{');
    json_text(&j, "name", e->name);
    json_text(&j, "path", NULL);
    json_text(&j, "status", "available");
    json_text(&j, "task", e->task);
    json_text(&j, "licence", e->licence);
    json_bool(&j, "non_commercial", e->noncommercial);
    json_int(&j, "input_width", e->width);
    json_int(&j, "input_height", e->height);
    json_int(&j, "download_bytes", (long long)e->size);
    json_text(&j, "address", e->address);
    json_text(&j, "revision", revision_of(e));
    json_text(&j, "sha256", e->sha256[0] != '\0' ? e->sha256 : NULL);
    json_text(&j, "note", e->note[0] != '\0' ? e->note : NULL);
    json_end(&j, '}');
    json_line(&j);
}

/* Nothing is asked of a network: sizes and licences are the catalogue's. */
void models_list_known(const args *a, const catalogue *c)
{
    int n = 0;
    for (size_t i = 0; i < c->n; i++) {
        const catalogue_entry *e = &c->v[i];
        char path[MB_OS_PATH_BYTES], size[32], input[32] = "any size";
        if (models_installed(path, sizeof path, e->name)) {
            continue;
        }
        if (a->json) {
            known_json(e);
            continue;
        }
        if (n++ == 0) {
            (void)printf("\nnot installed; mattebox models get NAME fetches one:\n");
        }
        if (e->width > 0) {
            (void)snprintf(input, sizeof input, "%dx%d", e->width, e->height);
        }
        (void)printf("%-26s %7s  %-8s %-9s  %s%s\n", e->name, format_bytes(size, sizeof size, e->size), e->task, input,
                     e->licence[0] != '\0' ? e->licence : "licence not known",
                     e->gated ? "; terms to accept first" : "");
        (void)printf("    revision %s, SHA-256 %s%s%s\n", revision_of(e),
                     e->sha256[0] != '\0' ? e->sha256 : "as the server declares", e->note[0] != '\0' ? "\n    " : "",
                     e->note);
    }
}
