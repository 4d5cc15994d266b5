/* Models from elsewhere and to elsewhere: get, rm, import, export. The work is the manager's (weights_tool/manager). */
#include "commands.h"
#include "message.h"
#include "models.h"

#include "manager/manager.h"

#include "core/os_process.h"
#include "core/os_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* ---- what the manager says */

static void on_text(void *user, const char *text)
{
    (void)user;
    message_closing("%s", text);
}

static int on_progress(void *user, const char *stage, double done, double total)
{
    static char shown[160]; /* what the line says already need not be written again */
    char text[160], a[32], b[32];
    if (done <= 0 && total <= 0) {
        (void)snprintf(text, sizeof text, "%.60s: connecting", (const char *)user);
    } else if (total > 0) {
        (void)snprintf(text, sizeof text, "%.60s: %s %3.0f %% (%s of %s)", (const char *)user, stage,
                       100.0 * done / total, format_bytes(a, sizeof a, done), format_bytes(b, sizeof b, total));
    } else {
        (void)snprintf(text, sizeof text, "%.60s: %s %s", (const char *)user, stage, format_bytes(a, sizeof a, done));
    }
    if (strcmp(text, shown) != 0) {
        memcpy(shown, text, sizeof shown);
        message_progress(text);
    }
    return interrupted();
}

/* `folder` is where models go: the first of the search. */
static int prepare(manager_options *o, char *folder, size_t bytes, const args *a)
{
    static char sha256[65];
    if (!mb_model_folder(folder, bytes, 0)) {
        return message_error(CODE_USAGE, NULL, "no folder for models");
    }
    if (a->sha256 != NULL && !catalogue_read_sha256(sha256, a->sha256, strlen(a->sha256))) {
        return message_error(CODE_USAGE, NULL, "--sha256 %s: 64 hexadecimal digits", a->sha256);
    }
    *o = (manager_options){.folder = folder,
                           .address = a->from,
                           .sha256 = a->sha256 != NULL ? sha256 : NULL,
                           .dtype = args_given(a, "dtype") ? args_dtype_name(a->dtype) : NULL,
                           .force = a->force != 0,
                           .quiet = a->quiet != 0,
                           .offline = a->offline != 0,
                           .timeout = a->timeout,
                           .retries = a->retries,
                           .out = stderr,
                           .on_text = on_text,
                           .on_progress = on_progress};
    return CODE_OK;
}

/* The report of a model that was to come from `input` (NULL: from the network) as `name` or, where that is NULL, under the
 * name of its file. */
static void report(const char *name, const char *input, int code, const manager_result *r)
{
    json j;
    char stem[300];
    models_name_of(stem, sizeof stem, r->path);
    models_report_begin(&j, name != NULL || r->path[0] == '\0' ? name : stem, code == CODE_OK ? r->path : NULL,
                        code == CODE_OK);
    if (input != NULL) {
        json_path(&j, "input", input);
    }
    if (code == CODE_OK) {
        json_text(&j, "sha256", r->sha256[0] != '\0' ? r->sha256 : NULL);
        json_bool(&j, "was_there", r->was_there);
    }
    models_report_end(&j, code == CODE_OK);
}

/* The manager's exit codes are the program's. `label` is for people. */
static int finish(const args *a, const char *label, const char *name, const char *input, int code,
                  const manager_result *r, const mb_error *err)
{
    message_progress("");
    if (code != CODE_OK) {
        code = message_status(interrupted() ? CODE_INTERRUPTED : code, NULL, err);
    } else if (r->was_there) {
        message_closing("%s is installed already: %s (--force replaces it)", label, r->path);
    } else if (!a->quiet && !a->json) {
        (void)printf("%s\n", r->path);
    }
    if (a->json) {
        report(name, input, code, r);
    }
    return code;
}

/* ---- the commands */

/* One name of the command line or the catalogue; a name that is not in the catalogue needs --from. Licence warning
 * first. */
static int get_one(const args *a, const catalogue *c, const char *name)
{
    manager_options o;
    manager_result r;
    mb_error err = {0};
    char folder[MB_OS_PATH_BYTES], label[80];
    const catalogue_entry *e = catalogue_find(c, name);
    int code = prepare(&o, folder, sizeof folder, a);
    if (code != CODE_OK) {
        return code;
    }
    if (e != NULL && e->noncommercial) {
        message_warning(e->name, "these weights are not for commercial use: see their licence");
    }
    (void)snprintf(label, sizeof label, "%s", e != NULL ? e->name : name);
    o.user = label;
    code = manager_get(&o, c, name, &r, &err);
    return finish(a, label, label, NULL, code, &r, &err);
}

/* Continues after a model that failed, so that --all gets the others; a failed write ends it. The last failure's code
 * is returned. */
int models_get(const args *a)
{
    catalogue c;
    if (a->all == (a->n_paths > 1)) {
        return message_error(CODE_USAGE, "mattebox models list names what there is",
                             a->all ? "models get takes names or --all, not both" : "models get needs a name");
    }
    if ((a->from != NULL || a->sha256 != NULL) && a->n_paths != 2) {
        return message_error(CODE_USAGE, NULL, "--from and --sha256 belong to one model");
    }
    int code = models_catalogue(&c);
    if (code != CODE_OK) {
        return code;
    }
    const int n = a->all ? (int)c.n : a->n_paths - 1;
    for (int i = 0; i < n && code != CODE_OUTPUT && !interrupted(); i++) {
        if (a->all && c.v[i].gated && mb_os_env("MATTEBOX_TOKEN") == NULL) {
            message_warning(c.v[i].name, "skipped: accept its authors' terms first");
            continue;
        }
        int one = get_one(a, &c, a->all ? c.v[i].name : a->paths[i + 1]);
        code = one != CODE_OK ? one : code;
    }
    catalogue_dispose(&c);
    return interrupted() ? CODE_INTERRUPTED : code;
}

/* A model by its name, never by a path: nothing but models of the model folders can be removed. `path` gets that of what
 * is removed, "" where that is only an unfinished download. */
static int remove_one(char *path, size_t bytes, const catalogue *c, const char *name)
{
    const catalogue_entry *e = catalogue_find(c, name);
    int forgotten = manager_forget(c, name);
    if (!catalogue_is_name(name) || !models_installed(path, bytes, name)) {
        path[0] = '\0';
        if (e != NULL && strcmp(e->name, name) != 0) {
            return remove_one(path, bytes, c, e->name);
        }
        return forgotten
                   ? CODE_OK
                   : message_error(CODE_MODEL, "mattebox models list shows them", "no model \"%s\" is installed", name);
    }
    char why[128];
    int gone = mb_os_remove(path);
    if (gone != 0) {
        return message_error(CODE_OUTPUT, NULL, "%s: cannot be removed: %s", path,
                             mb_os_error_text(gone, why, sizeof why));
    }
    message_closing("%s is removed", path);
    return CODE_OK;
}

/* Removes each name; the last failure's code is returned. */
int models_remove(const args *a)
{
    catalogue c;
    if (a->n_paths < 2) {
        return message_error(CODE_USAGE, "mattebox models list shows them", "models rm needs a model");
    }
    int code = models_catalogue(&c);
    if (code != CODE_OK) {
        return code;
    }
    for (int i = 1; i < a->n_paths; i++) {
        char path[MB_OS_PATH_BYTES];
        int one = remove_one(path, sizeof path, &c, a->paths[i]);
        code = one != CODE_OK ? one : code;
        if (a->json) {
            json j;
            models_report_begin(&j, a->paths[i], path, one == CODE_OK);
            models_report_end(&j, one == CODE_OK);
        }
    }
    catalogue_dispose(&c);
    return code;
}

/* A folder stands for the model files in it; one without any is a checkpoint of its own (a folder of the hub). */
static int import_one(const args *a, const catalogue *c, const char *path)
{
    manager_options o;
    manager_result r;
    mb_error err = {0};
    char folder[MB_OS_PATH_BYTES], label[MB_OS_PATH_BYTES];
    int code = prepare(&o, folder, sizeof folder, a);
    if (code == CODE_OK) {
        (void)escape_text(label, sizeof label, path);
        o.user = label;
        code = manager_import(&o, c, path, &r, &err);
        code = finish(a, label, NULL, path, code, &r, &err);
    }
    return code;
}

static int import_path(const args *a, const catalogue *c, const char *path)
{
    char **names = NULL;
    int n = models_in_folder(&names, path), code = CODE_OK;
    for (int i = 0; i < n && !interrupted(); i++) {
        char file[MB_OS_PATH_BYTES];
        if (snprintf(file, sizeof file, "%s/%s", path, names[i]) < (int)sizeof file) {
            int one = import_one(a, c, file);
            code = one != CODE_OK ? one : code;
        }
    }
    models_free_names(names, n);
    return n > 0 ? code : import_one(a, c, path);
}

/* Continues after a file that failed; the last failure's code is returned. */
int models_import(const args *a)
{
    catalogue c;
    if (a->n_paths < 2) {
        return message_error(CODE_USAGE, "mattebox models import FILE|FOLDER...",
                             "models import needs a model file, a checkpoint or a folder");
    }
    int code = models_catalogue(&c);
    if (code != CODE_OK) {
        return code;
    }
    for (int i = 1; i < a->n_paths && !interrupted(); i++) {
        int one = import_path(a, &c, a->paths[i]);
        code = one != CODE_OK ? one : code;
    }
    catalogue_dispose(&c);
    return interrupted() ? CODE_INTERRUPTED : code;
}

/* Copies one model of n. */
static int export_one(const args *a, const manager_options *o, const char *model, int n)
{
    manager_result r;
    mb_error err = {0};
    char name[300];
    int code = manager_export(o, model, n, a->paths[1], &r, &err);
    message_progress("");
    if (code != CODE_OK) {
        code = message_status(interrupted() ? CODE_INTERRUPTED : code, code == CODE_MODEL ? model : NULL, &err);
    }
    if (a->json) {
        models_name_of(name, sizeof name, model);
        report(name, model, code, &r);
    }
    return code;
}

/* Copies the installed models (all, or those named) into a folder, for a machine without a network. A model that is
 * damaged, or there already, does not keep the others from it; an output that fails does. */
int models_export(const args *a)
{
    manager_options o;
    char folder[MB_OS_PATH_BYTES], label[] = "export";
    if (a->n_paths < 2) {
        return message_error(CODE_USAGE, "mattebox models export FOLDER [NAME]...", "models export needs a folder");
    }
    int code = prepare(&o, folder, sizeof folder, a), n = 0;
    char **models = NULL;
    if (code == CODE_OK) {
        code = models_named(&models, &n, a->paths + 2, a->n_paths - 2);
    }
    if (code == CODE_OK && n == 0) {
        code = message_error(CODE_MODEL, "mattebox models list shows what can be had", "no models are installed");
    }
    if (code == CODE_OK) {
        o.user = label;
        int copied = 0;
        for (int i = 0; i < n && code != CODE_OUTPUT && !interrupted(); i++) {
            int one = export_one(a, &o, models[i], n);
            copied += one == CODE_OK;
            code = one != CODE_OK ? one : code;
        }
        if (copied > 0) {
            message_closing("%d model%s copied to %s", copied, copied == 1 ? "" : "s", a->paths[1]);
        }
    }
    models_free_names(models, n);
    return code;
}
