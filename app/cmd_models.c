/* Installed models: where they are, what they are, whether they are sound. */
#include "commands.h"
#include "json.h"
#include "message.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int open_model(mb_model **out, mb_context *context, const char *name)
{
    char path[PATH_MAX];
    mb_error err = {0};
    *out = NULL;
    if (mb_find_model(path, sizeof path, name, &err) != MB_OK || mb_model_open(out, context, path, &err) != MB_OK) {
        return message_status(err.code == MB_E_MEMORY ? CODE_MACHINE : CODE_MODEL, NULL, &err);
    }
    return CODE_OK;
}

static void report_model(const args *a, const char *name, const char *path, const mb_model *model, const mb_error *err)
{
    const mb_model_info *info = model != NULL ? mb_model_get_info(model) : NULL;
    if (a->json) {
        json j = {stdout, 0};
        json_begin(&j, NULL, '{');
        json_text(&j, "name", name);
        json_text(&j, "path", path);
        json_text(&j, "status", info != NULL ? "ok" : "failed");
        if (info != NULL) {
            json_text(&j, "architecture", info->architecture);
            json_text(&j, "summary", info->summary);
            json_text(&j, "licence", info->licence);
            json_int(&j, "input_width", info->input_width);
            json_int(&j, "input_height", info->input_height);
            json_int(&j, "file_bytes", (long long)info->file_bytes);
        } else {
            json_text(&j, "message", err->message);
        }
        json_end(&j, '}');
        json_line(&j);
        return;
    }
    char size[32], line[512];
    if (info == NULL) {
        (void)message_status(CODE_MODEL, path, err);
        return;
    }
    (void)printf("%-24s %8s  %s%s%s\n    %s\n", name, format_bytes(size, sizeof size, (double)info->file_bytes),
                 info->summary, info->licence[0] != '\0' ? ", licence " : "",
                 escape_text(line, sizeof line, info->licence), path);
}

static int only_mbw(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 4, ".mbw") == 0;
}

static int list_folder(const args *a, mb_context *context, const char *folder, int *n_found)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, only_mbw, alphasort), code = CODE_OK;
    for (int i = 0; i < n; i++) {
        char path[PATH_MAX + 300], name[300];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        (void)snprintf(name, sizeof name, "%.*s", (int)strlen(entries[i]->d_name) - 4, entries[i]->d_name);
        mb_model *model = NULL;
        mb_error err = {0};
        if (mb_model_open(&model, context, path, &err) != MB_OK) {
            code = CODE_MODEL;
        }
        report_model(a, name, path, model, &err);
        mb_model_free(model);
        free(entries[i]);
        ++*n_found;
    }
    if (n >= 0) {
        free(entries);
    }
    return code;
}

static int list_models(const args *a, mb_context *context)
{
    char folder[PATH_MAX];
    int code = CODE_OK, n = 0;
    for (int i = 0; mb_model_folder(folder, sizeof folder, i); i++) {
        int one = list_folder(a, context, folder, &n);
        code = one != CODE_OK ? one : code;
    }
    if (n == 0 && !a->json) {
        (void)printf("no models installed; \"mattebox models path\" lists the folders that are searched\n");
    }
    return code;
}

static int print_paths(const args *a)
{
    char path[PATH_MAX];
    if (a->n_paths < 2) {
        for (int i = 0; mb_model_folder(path, sizeof path, i); i++) {
            (void)puts(path);
        }
        return CODE_OK;
    }
    mb_error err = {0};
    if (mb_find_model(path, sizeof path, a->paths[1], &err) != MB_OK) {
        return message_status(CODE_MODEL, NULL, &err);
    }
    (void)puts(path);
    return CODE_OK;
}

static int show_progress(void *user, const mb_progress *p)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%.60s: %3.0f %%", (const char *)user, 100.0 * p->done);
    message_progress(text);
    return interrupted();
}

static int verify_models(const args *a, mb_context *context)
{
    if (a->n_paths < 2) {
        return message_error(CODE_USAGE, "mattebox models list shows them", "models verify needs a model");
    }
    int code = CODE_OK;
    for (int i = 1; i < a->n_paths && !interrupted(); i++) {
        mb_model *model = NULL;
        mb_error err = {0};
        if (open_model(&model, context, a->paths[i]) != CODE_OK) {
            code = CODE_MODEL;
            continue;
        }
        char name[] = "verify";
        if (mb_model_verify(model, show_progress, name, &err) != MB_OK) {
            code = err.code == MB_E_CANCELLED ? CODE_INTERRUPTED : CODE_MODEL;
            (void)message_status(code, a->paths[i], &err);
        } else {
            message_progress("");
            (void)printf("%s: sound, %zu tensors\n", a->paths[i], mb_model_get_info(model)->n_tensors);
        }
        mb_model_free(model);
    }
    return interrupted() ? CODE_INTERRUPTED : code;
}

int cmd_models(args *a)
{
    const char *what = a->n_paths > 0 ? a->paths[0] : "list";
    if (strcmp(what, "path") == 0) {
        return print_paths(a);
    }
    int list = strcmp(what, "list") == 0;
    if (!list && strcmp(what, "verify") != 0) {
        return message_error(CODE_USAGE, "list, path or verify", "models has no \"%s\"", what);
    }
    mb_context *context = NULL;
    int code = args_context(&context, a);
    if (code == CODE_OK) {
        code = list ? list_models(a, context) : verify_models(a, context);
    }
    mb_context_free(context);
    return code;
}
