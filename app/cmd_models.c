/* Installed models: where they are, what they are, whether they are sound. What brings and takes them is
 * in models_manage.c.
 *
 * A model is named by a path or by the name of its file without .mbw, in the folders that mb_model_folder
 * lists; aliases of the catalogue work too (models_find). */
#include "builtin.h"
#include "commands.h"
#include "json.h"
#include "message.h"
#include "models.h"

#include "core/os_file.h"

#include <limits.h>
#include <string.h>

/* A file in the model folders hides the built-in model of the same name. When nothing is found, the hint
 * names the command that gets the model, if the catalogue knows it; otherwise the library's list of places
 * is the hint. */
int open_model(mb_model **out, mb_context *context, const char *name)
{
    char path[MB_OS_PATH_BYTES], hint[160];
    mb_error err = {0};
    *out = NULL;
    const mb_status found = models_find(path, sizeof path, name, &err);
    if (found == MB_E_MEMORY) { /* whether there is a file cannot be told */
        return message_status(CODE_MACHINE, NULL, &err);
    }
    if (found != MB_OK && builtin_has(name)) {
        err = (mb_error){0};
        const mb_status opened = builtin_open(out, context, name, &err);
        return opened == MB_OK ? CODE_OK : message_status(failure_code(opened, CODE_MODEL), name, &err);
    }
    if (found != MB_OK) {
        models_hint(hint, sizeof hint, name);
        err.message[hint[0] != '\0' ? strcspn(err.message, "\n") : strlen(err.message)] = '\0';
        return hint[0] != '\0' ? message_error(CODE_MODEL, hint, "%s", err.message)
                               : message_status(CODE_MODEL, NULL, &err);
    }
    if (mb_model_open(out, context, path, &err) != MB_OK) {
        return message_status(failure_code(err.code, CODE_MODEL), NULL, &err);
    }
    return CODE_OK;
}

/* Below the model that is used where none is named. */
#define IS_DEFAULT "    the default: what mattebox PHOTO takes\n"

/* One model of a list, as JSON or as two lines. A file that cannot be opened is listed with the reason:
 * leaving it out would hide why a name is not found. */
static void report_model(const args *a, const char *name, const char *path, int is_default, const mb_model *model,
                         const mb_error *err)
{
    const mb_model_info *info = model != NULL ? mb_model_get_info(model) : NULL;
    if (a->json) {
        json j = {stdout, 0};
        json_begin(&j, NULL, '{');
        json_text(&j, "name", name);
        json_text(&j, "path", path);
        json_text(&j, "status", info != NULL ? "ok" : "failed");
        json_bool(&j, "default", is_default);
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
    (void)printf("%-24s %8s  %s%s%s\n    %s\n%s", name, format_bytes(size, sizeof size, (double)info->file_bytes),
                 info->summary, info->licence[0] != '\0' ? ", licence " : "",
                 escape_text(line, sizeof line, info->licence), path, is_default ? IS_DEFAULT : "");
}

/* All model files of a folder. Opening one maps it and checks its header: milliseconds, whatever its size. */
static int list_folder(const args *a, mb_context *context, const char *folder, const char *standard, int *n_found)
{
    char **names = NULL;
    int n = models_in_folder(&names, folder), code = CODE_OK;
    for (int i = 0; i < n; i++) {
        char path[MB_OS_PATH_BYTES + 300], name[300];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)snprintf(name, sizeof name, "%.*s", (int)strlen(names[i]) - 4, names[i]);
        mb_model *model = NULL;
        mb_error err = {0};
        if (mb_model_open(&model, context, path, &err) != MB_OK) {
            code = CODE_MODEL;
        }
        report_model(a, name, path, strcmp(path, standard) == 0, model, &err);
        mb_model_free(model);
        ++*n_found;
    }
    models_free_names(names, n);
    return code;
}

/* What needs no file. The default is the network "demo" and saliency together, unless a model is installed. A file of the
 * name "demo" is listed in place of that network, which then has no name of its own. */
static int list_builtin(const args *a, mb_context *context, const char *standard, int *n)
{
    mb_model *model = NULL;
    mb_error err = {0};
    char hidden[MB_OS_PATH_BYTES];
    const int is_default = standard[0] == '\0' && builtin_has("default");
    if (builtin_has("demo") && !models_installed(hidden, sizeof hidden, "demo")) {
        int code = builtin_open(&model, context, "demo", &err) == MB_OK ? CODE_OK : CODE_MODEL;
        report_model(a, "demo", "(built in)", is_default && a->json, model, &err);
        mb_model_free(model);
        ++*n;
        if (code != CODE_OK) {
            return code;
        }
    }
    if (is_default && !a->json) {
        (void)printf(
            "%-24s %8s  demo or saliency, whichever cuts better, then snap and closed-form matting\n    (built "
            "in)\n" IS_DEFAULT,
            "default", "");
    }
    if (!a->json) {
        (void)printf("%-24s %8s  what stands out from the border, no network\n    (built in)\n", "saliency", "");
    }
    return CODE_OK;
}

/* What is built in, what is installed, what can be had. A damaged file makes the exit code 3, after
 * everything has been listed. */
static int list_models(const args *a, mb_context *context)
{
    char folder[MB_OS_PATH_BYTES], standard[MB_OS_PATH_BYTES];
    if (!mb_find_default_model(standard, sizeof standard)) {
        standard[0] = '\0';
    }
    int n = 0, code = list_builtin(a, context, standard, &n);
    for (int i = 0; mb_model_folder(folder, sizeof folder, i); i++) {
        int one = list_folder(a, context, folder, standard, &n);
        code = one != CODE_OK ? one : code;
    }
    if (n == 0 && !a->json) {
        (void)printf("no models installed; \"mattebox models path\" lists the folders that are searched\n");
    }
    catalogue c;
    int known = models_catalogue(&c);
    if (known != CODE_OK) {
        return known;
    }
    models_list_known(a, &c);
    catalogue_dispose(&c);
    return code;
}

/* A folder that is searched, as a line of its own. */
static void print_folder(const args *a, const char *folder)
{
    if (!a->json) {
        (void)puts(folder);
        return;
    }
    json j = {stdout, 0};
    json_begin(&j, NULL, '{');
    json_path(&j, "folder", folder);
    json_end(&j, '}');
    json_line(&j);
}

/* For scripts: plain paths or JSON on stdout, nothing else. */
static int print_paths(const args *a)
{
    char path[MB_OS_PATH_BYTES];
    if (a->n_paths < 2) {
        for (int i = 0; mb_model_folder(path, sizeof path, i); i++) {
            print_folder(a, path);
        }
        return CODE_OK;
    }
    const char *name = a->paths[1];
    mb_error err = {0};
    const mb_status found = models_find(path, sizeof path, name, &err);
    int code = CODE_OK;
    if (found != MB_OK && found != MB_E_MEMORY && (builtin_has(name) || strcmp(name, "saliency") == 0)) {
        code = message_error(CODE_MODEL, NULL, "%s is built in: it has no file", name);
    } else if (found != MB_OK) {
        code = message_status(failure_code(found, CODE_MODEL), NULL, &err);
    } else if (!a->json) {
        (void)puts(path);
    }
    if (a->json) {
        json j;
        models_report_begin(&j, name, code == CODE_OK ? path : NULL, code == CODE_OK);
        models_report_end(&j, code == CODE_OK);
    }
    return code;
}

/* "verify:  43 %", and whether Ctrl-C was pressed. */
static int show_progress(void *user, const mb_progress *p)
{
    char text[128];
    (void)snprintf(text, sizeof text, "%.60s: %3.0f %%", (const char *)user, 100.0 * p->done);
    message_progress(text);
    return interrupted();
}

/* Every value of one model, given by name or path. */
static int verify_one(const args *a, mb_context *context, const char *given)
{
    mb_model *model = NULL;
    mb_error err = {0};
    char stage[] = "verify", path[MB_OS_PATH_BYTES], name[300];
    int code = open_model(&model, context, given);
    if (code == CODE_OK && mb_model_verify(model, show_progress, stage, &err) != MB_OK) {
        code = err.code == MB_E_CANCELLED ? CODE_INTERRUPTED : failure_code(err.code, CODE_MODEL);
        (void)message_status(code, given, &err);
    }
    message_progress("");
    if (a->json) {
        json j;
        const char *place = model != NULL ? model_place(mb_model_get_info(model)) : NULL;
        place = place == NULL && models_find(path, sizeof path, given, &err) == MB_OK ? path : place;
        models_name_of(name, sizeof name, given);
        models_report_begin(&j, name, place, code == CODE_OK);
        if (code == CODE_OK) {
            json_int(&j, "tensors", (long long)mb_model_get_info(model)->n_tensors);
        }
        models_report_end(&j, code == CODE_OK);
    } else if (code == CODE_OK) {
        (void)printf("%s: sound, %zu tensors\n", given, mb_model_get_info(model)->n_tensors);
    }
    mb_model_free(model);
    return code;
}

/* Reads every byte of the named models, or of all. It goes on after a damaged one, so that one run tells
 * the state of all. */
static int verify_models(const args *a, mb_context *context)
{
    char **paths = NULL;
    int n = 0, code = a->n_paths < 2 ? models_named(&paths, &n, NULL, 0) : CODE_OK;
    /* Named models as they were named, else the paths of all. */
    const char *const *models = n > 0 ? (const char *const *)paths : a->paths + 1;
    n = n > 0 ? n : a->n_paths - 1;
    if (n == 0 && !a->json) {
        (void)printf("no models installed\n");
    }
    for (int i = 0; i < n && !interrupted(); i++) {
        int one = verify_one(a, context, models[i]);
        code = one != CODE_OK ? one : code;
    }
    models_free_names(paths, paths != NULL ? n : 0);
    return interrupted() ? CODE_INTERRUPTED : code;
}

/* get, rm, import, export and path need no context: they work on files, and must work where no device
 * does. list and verify open models. */
int cmd_models(args *a)
{
    const char *what = a->n_paths > 0 ? a->paths[0] : "list";
    static const struct {
        const char *name;
        int (*run)(const args *a);
    } parts[] = {{"path", print_paths},
                 {"get", models_get},
                 {"rm", models_remove},
                 {"import", models_import},
                 {"export", models_export}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(what, parts[i].name) == 0) {
            return parts[i].run(a);
        }
    }
    int list = strcmp(what, "list") == 0;
    if (!list && strcmp(what, "verify") != 0) {
        return message_error(CODE_USAGE, "list, get, rm, path, verify, import or export", "models has no \"%s\"", what);
    }
    mb_context *context = NULL;
    int code = args_context(&context, a);
    if (code == CODE_OK) {
        code = list ? list_models(a, context) : verify_models(a, context);
    }
    mb_context_free(context);
    return code;
}
