/* import and export: models on and off this machine, without a network. A folder with models and SHA256SUMS is what
 * people carry to machines without a network: `sha256sum -c` checks it there without this program, and import does so
 * by itself. */
#define _GNU_SOURCE
#include "manager/install.h"
#include "manager/store.h"

#include "known.h"
#include "tool.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/os_file.h"
#include "weights/reader.h"

#include <limits.h>
#include <string.h>

#define SUMS     "SHA256SUMS"
#define MAX_SUMS ((size_t)1 << 20)

typedef struct bytes_call {
    const manager_options *o; /* its on_progress is asked */
    const char *stage;        /* "copying" or "checking", for the bar */
} bytes_call;

static int on_bytes(void *user, size_t done, size_t total)
{
    const bytes_call *b = user;
    return b->o->on_progress != NULL ? b->o->on_progress(b->o->user, b->stage, (double)done, (double)total) : 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static bool ends_in_mbw(const char *path)
{
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".mbw") == 0;
}

/* ---- SHA256SUMS, as sha256sum writes and checks them */

/* The file's digest in the list beside it; "" if there is none. A line is 64 digits, a space, a space or '*', and the
 * name. No list is no error: the digest stays empty. */
static mb_status find_sum(char sha256[65], const char *path, mb_error *err)
{
    char list[MB_OS_PATH_BYTES];
    void *data = NULL;
    size_t bytes;
    int folder = (int)(base_name(path) - path);
    sha256[0] = '\0';
    int n = snprintf(list, sizeof list, "%.*s" SUMS, folder, path);
    if (n < 0 || (size_t)n >= sizeof list || !mb_os_exists(list)) {
        return MB_OK;
    }
    mb_status status = mb_read_file(&data, &bytes, list, MAX_SUMS, err);
    for (const char *p = data; status == MB_OK && *p != '\0';) {
        size_t length = strcspn(p, "\n");
        if (length > 66 && p[64] == ' ' && strlen(base_name(path)) == length - 66 &&
            strncmp(p + 66, base_name(path), length - 66) == 0 && catalogue_read_sha256(sha256, p, 64)) {
            break;
        }
        p += length + (p[length] == '\n');
    }
    mb_free(data);
    return status;
}

/* Puts a line into the list of a folder, in place of the one of the same file. The list is written anew as a whole
 * (mb_write_file), so a crash leaves the old one. 80 bytes hold the digest, two spaces and the end of the line. */
static mb_status write_sum(const char *folder, const char *name, const char *sha256, mb_error *err)
{
    char list[MB_OS_PATH_BYTES];
    void *data = NULL;
    size_t bytes = 0, at = 0;
    char *text = NULL;
    mb_status status;
    MB_TRY(store_join(list, sizeof list, folder, SUMS, "", err));
    if (mb_os_exists(list)) {
        MB_TRY(mb_read_file(&data, &bytes, list, MAX_SUMS, err));
    }
    size_t capacity = bytes + strlen(name) + 80;
    text = mb_alloc(capacity);
    if (text == NULL) {
        status = mb_fail_memory(err, capacity, "a list of checksums");
        goto done;
    }
    for (const char *p = data; p != NULL && *p != '\0';) {
        size_t n = strcspn(p, "\n");
        bool same = n > 66 && strlen(name) == n - 66 && strncmp(p + 66, name, n - 66) == 0;
        if (n > 0 && !same) {
            memcpy(text + at, p, n);
            text[at + n] = '\n';
            at += n + 1;
        }
        p += n + (p[n] == '\n');
    }
    int n = snprintf(text + at, capacity - at, "%s  %s\n", sha256, name);
    status = mb_write_file(list, text, at + (size_t)n, true, err);
done:
    mb_free(data);
    mb_free(text);
    return status;
}

/* A model file says whether it is whole. */
static mb_status check_model(const manager_options *o, const char *path, mb_error *err)
{
    mb_weights *w = NULL;
    bytes_call b = {o, "checking"};
    mb_status status;
    MB_TRY(mb_weights_open(&w, path, err));
    status = mb_weights_verify(w, on_bytes, &b, err);
done:
    mb_weights_free(w);
    return status;
}

/* ---- export */

/* Copies a model to a file, or into a folder together with its line in the list. It is checked before: a sum over damage
 * would tell the next machine that all is well. A single model may go to a file whose name ends in .mbw; anything else
 * names a folder, which is made. */
int manager_export(const manager_options *o, const char *model, int n, const char *to, manager_result *out,
                   mb_error *err)
{
    const bool folder = n != 1 || !ends_in_mbw(to) || store_is_folder(to);
    bytes_call b = {o, "copying"};
    bool writing = false;
    mb_status status;
    *out = (manager_result){0};
    if (folder) {
        MB_TRY(store_join(out->path, sizeof out->path, to, base_name(model), "", err));
    } else if (snprintf(out->path, sizeof out->path, "%s", to) >= (int)sizeof out->path) {
        status = mb_fail(err, MB_E_ARGUMENT, "%.200s: the path is too long", to);
        goto done;
    }
    MB_TRY(check_model(o, model, err));
    writing = true;
    MB_TRY(folder ? store_make_folder(to, err) : MB_OK);
    MB_TRY(store_copy(model, out->path, o->force, out->sha256, on_bytes, &b, err));
    status = folder ? write_sum(to, base_name(model), out->sha256, err) : MB_OK;
done:
    return tool_exit_code(status, writing);
}

/* ---- import */

/* Gives the digest of the list beside the file; "" without one. A mismatch means a damaged copy. */
static mb_status check_sum(const manager_options *o, const char *path, char sha256[65], mb_error *err)
{
    char found[65];
    bytes_call b = {o, "checking"};
    mb_status status;
    MB_TRY(find_sum(sha256, path, err));
    if (sha256[0] != '\0') {
        MB_TRY(store_sha256(path, found, on_bytes, &b, err));
        if (strcmp(found, sha256) != 0) {
            status = mb_fail(err, MB_E_FORMAT,
                             "%.200s: is not the file that " SUMS " beside it names: SHA-256 %.16s... instead of "
                             "%.16s...\ncopy it again",
                             path, found, sha256);
        }
    }
done:
    return status;
}

/* The name that it is installed under: the catalogue's for a published file, else the file's own. A folder of the hub
 * is named by the folder, without closing slashes. */
static mb_status choose_name(char *name, size_t bytes, const catalogue_entry **e, const catalogue *c, const char *from,
                             mb_error *err)
{
    char path[MB_OS_PATH_BYTES];
    size_t n = strlen(from);
    while (n > 1 && from[n - 1] == '/') {
        n--;
    }
    (void)snprintf(path, sizeof path, "%.*s", (int)n, from);
    const known_model *known = known_find(path);
    const char *file = base_name(path), *dot = strrchr(file, '.');
    int stem = dot != NULL && dot != file && !store_is_folder(path) ? (int)(dot - file) : (int)strlen(file);
    (void)snprintf(name, bytes, "%.*s", stem, file);
    *e = known != NULL ? catalogue_find(c, known->name) : catalogue_find(c, name);
    if (*e != NULL || known != NULL) {
        (void)snprintf(name, bytes, "%s", *e != NULL ? (*e)->name : known->name);
    }
    if (!catalogue_is_name(name)) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "%.200s: its name cannot name a model: 1 to 64 letters, digits, '.', '_', '-'\nrename it first",
                       from);
    }
    return catalogue_refuse_reserved(name, from, err);
}

/* A model file is copied, a checkpoint is converted. `writing` tells an output that failed from an input that failed,
 * for the exit code. Checkpoints are converted, model files are checked and copied. A model that is there already is a
 * success unless --force asks for a new one. */
int manager_import(const manager_options *o, const catalogue *c, const char *from, manager_result *out, mb_error *err)
{
    char name[CATALOGUE_NAME_MAX + 2];
    const catalogue_entry *e;
    bool writing = false;
    bytes_call b = {o, "copying"};
    mb_status status;
    *out = (manager_result){0};
    if (mb_os_may_read(from) != 0) {
        status = mb_fail(err, MB_E_IO, "%.200s: no such file", from);
        goto done;
    }
    MB_TRY(choose_name(name, sizeof name, &e, c, from, err));
    MB_TRY(store_join(out->path, sizeof out->path, o->folder, name, ".mbw", err));
    if (!o->force && mb_os_exists(out->path)) {
        out->was_there = true;
        return EXIT_OK;
    }
    MB_TRY(check_sum(o, from, out->sha256, err));
    writing = true;
    MB_TRY(store_make_folder(o->folder, err));
    writing = false;
    if (!ends_in_mbw(from)) {
        return manager_convert(o, e, name, NULL, from, out->path, err);
    }
    MB_TRY(check_model(o, from, err));
    writing = true;
    status = store_copy(from, out->path, o->force, out->sha256, on_bytes, &b, err);
done:
    return tool_exit_code(status, writing);
}
