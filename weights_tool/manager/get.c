/* get: an address from the catalogue, a download, the converter, an installed model. Steps of one call: check the
 * request, find the address, download into the cache, convert into the folder of models, drop the checkpoint. Killing
 * the program at any point leaves something that the next call continues: a part with its notes, or a complete
 * checkpoint that is renamed back to a part. */
#define _GNU_SOURCE
#include "manager/download.h"
#include "manager/install.h"
#include "manager/store.h"

#include "progress.h"
#include "recognise.h"
#include "tool.h"

#include "core/file.h"
#include "core/os_process.h"
#include "core/os_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_MODEL ((uint64_t)1 << 36) /* where nothing tells a size */

void manager_interrupt(void)
{
    progress_interrupt();
}

bool manager_user_catalogue(char *out, size_t bytes)
{
    return store_user_catalogue(out, bytes);
}

void manager_describe(char *text, size_t bytes)
{
    download_describe(text, bytes);
}

/* ---- where it comes from */

typedef struct source_of {
    char address[1100];
    char file[CATALOGUE_NAME_MAX + 16]; /* of the checkpoint, in the cache */
} source_of;

/* The last part of an address, without a query. */
static void last_part(char *out, size_t bytes, const char *address)
{
    size_t n = strcspn(address, "?#"), start = n;
    while (start > 0 && address[start - 1] != '/') {
        start--;
    }
    (void)snprintf(out, bytes, "%.*s", (int)(n - start), address + start);
}

/* The checkpoint's name where the catalogue has none: the model's, with the ending of the address. */
static void name_file(source_of *s, const char *name)
{
    static const char *const endings[] = {".safetensors", ".pth", ".bin", ".pt", ".mbw"};
    char last[256];
    const char *ending = endings[0];
    last_part(last, sizeof last, s->address);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t n = strlen(last), m = strlen(endings[i]);
        ending = n > m && strcmp(last + n - m, endings[i]) == 0 ? endings[i] : ending;
    }
    (void)snprintf(s->file, sizeof s->file, "%s%s", name, ending);
}

/* The address, in this order: --from (with the catalogue's file name behind a closing slash), MATTEBOX_MIRROR in place
 * of the catalogue's scheme and host, the catalogue's own. Up to 1000 bytes fit the notes of a part. */
static mb_status find_source(source_of *s, const manager_options *o, const catalogue_entry *e, const char *name,
                             mb_error *err)
{
    const char *mirror = mb_os_env("MATTEBOX_MIRROR");
    int n;
    if (o->address != NULL) {
        char last[256] = "";
        size_t length = strlen(o->address);
        if (length > 0 && o->address[length - 1] == '/' && e != NULL) {
            last_part(last, sizeof last, e->address);
        }
        n = snprintf(s->address, sizeof s->address, "%s%s", o->address, last);
    } else if (mirror != NULL && mirror[0] != '\0') {
        /* The catalogue's addresses have been checked: each has "://". */
        const char *path = strstr(e->address, "://") + 3;
        path += strcspn(path, "/");
        n = snprintf(s->address, sizeof s->address, "%.*s%s",
                     (int)(strlen(mirror) - (mirror[strlen(mirror) - 1] == '/')), mirror, path);
    } else {
        n = snprintf(s->address, sizeof s->address, "%s", e->address);
    }
    if (n < 0 || (size_t)n >= 1000) {
        return mb_fail(err, MB_E_ARGUMENT, "the address is too long");
    }
    if (strncmp(s->address, "https://", 8) != 0 && strncmp(s->address, "http://", 7) != 0) {
        return mb_fail(err, MB_E_ARGUMENT, "%.200s: an address begins with https:// or http://", s->address);
    }
    if (e != NULL) {
        (void)snprintf(s->file, sizeof s->file, "%s", e->file);
    } else {
        name_file(s, name);
    }
    return MB_OK;
}

/* ---- download */

typedef struct get_call {
    const manager_options *o;
    const catalogue_entry *e; /* NULL: not in the catalogue */
    const char *name, *part;  /* of the model; path of the growing file */
    char revision[65];        /* of what has come; "" */
    bool told;                /* the user has been told size and licence */
} get_call;

static void tell(const manager_options *o, const char *text)
{
    if (o->on_text != NULL && !o->quiet) {
        o->on_text(o->user, text);
    }
}

/* Size, licence and room are known before the first byte is kept. The result is as large as the checkpoint. On one
 * disk the rest of the download and the model must fit together. It is called again after each broken connection, but
 * speaks once. */
static mb_status on_start(void *user, const download_facts *f, mb_error *err)
{
    get_call *g = user;
    char text[700], size[64] = "of unknown size";
    const double rest = f->total != UINT64_MAX ? (double)(f->total - f->have) : 0;
    const double whole = f->total != UINT64_MAX ? (double)f->total : 0;
    const double here = store_free_bytes(g->part), there = store_free_bytes(g->o->folder);
    const bool same = store_same_disk(g->part, g->o->folder);
    const double need_here = same ? rest + whole : rest;
    if (here >= 0 && need_here > here) {
        return mb_fail(err, MB_E_IO,
                       "%s needs %.0f MB on the disk of %.150s, %.0f MB are free\nmake room, or let "
                       "XDG_CACHE_HOME and MATTEBOX_MODELS point elsewhere",
                       g->name, need_here * 1e-6, g->part, here * 1e-6);
    }
    if (!same && there >= 0 && whole > there) {
        return mb_fail(err, MB_E_IO,
                       "%s needs %.0f MB on the disk of %.150s, %.0f MB are free\nmake room, or let "
                       "MATTEBOX_MODELS point elsewhere",
                       g->name, whole * 1e-6, g->o->folder, there * 1e-6);
    }
    if (g->told) {
        return MB_OK;
    }
    g->told = true;
    if (f->total != UINT64_MAX) {
        (void)snprintf(size, sizeof size, "%.1f MB", whole * 1e-6);
    }
    int n = snprintf(text, sizeof text, "%s: %s from %s, licence %s%s; %.1f GB free", g->name, size, f->host,
                     g->e != NULL && g->e->licence[0] != '\0' ? g->e->licence : "not known",
                     f->sha256[0] != '\0' ? "" : " (no checksum is declared)", here * 1e-9);
    if (f->have > 0 && n > 0 && (size_t)n < sizeof text) {
        (void)snprintf(text + n, sizeof text - (size_t)n, "; %.1f MB are here already", (double)f->have * 1e-6);
    }
    tell(g->o, text);
    return MB_OK;
}

static int on_bytes(void *user, uint64_t done, uint64_t total)
{
    const get_call *g = user;
    const char *stage = total == done ? "checking" : "fetching";
    return g->o->on_progress != NULL
               ? g->o->on_progress(g->o->user, stage, (double)done, total != UINT64_MAX ? (double)total : 0)
               : 0;
}

/* Downloads one file. --sha256 wins over the catalogue's checksum. The page of the licence is shown only for the
 * catalogue's own address. The page with the terms is named only for the catalogue's own address: another one has
 * other terms. An empty token counts as none. */
static mb_status fetch(get_call *g, const source_of *s, manager_result *out, bool *output_failed, mb_error *err)
{
    const catalogue_entry *e = g->e;
    const char *token = mb_os_env("MATTEBOX_TOKEN");
    download_result result;
    download_request r = {
        .address = s->address,
        .part = g->part,
        .sha256 = g->o->sha256 != NULL ? g->o->sha256
                  : e != NULL          ? e->sha256
                                       : "",
        .token = token != NULL && token[0] != '\0' ? token : NULL,
        .page = e != NULL && g->o->address == NULL ? e->page : "",
        .limit = LARGEST_MODEL,
        .timeout = g->o->timeout,
        .retries = g->o->retries,
        .on_start = on_start,
        .on_progress = on_bytes,
        .user = g,
    };
    mb_status status = download_file(&r, &result, output_failed, err);
    memcpy(out->sha256, result.sha256, sizeof out->sha256);
    memcpy(g->revision, result.revision, sizeof g->revision);
    return status;
}

/* ---- installing */

/* The network of a checkpoint that the catalogue names must be the one that people get by that name. An address can
 * begin to serve another file, and a catalogue of the user's can be wrong. */
static mb_status check_family(const catalogue_entry *e, const char *checkpoint, mb_error *err)
{
    source *opened = NULL;
    recognised r = {0};
    mb_status status;
    MB_TRY(source_open(&opened, checkpoint, err));
    MB_TRY(recognise(&r, opened, NULL, err));
    const char *family = r.family == FAMILY_VITMATTE ? "vitmatte" : "birefnet";
    if (strcmp(family, e->family) != 0) {
        status = mb_fail(err, MB_E_MISMATCH,
                         "%s: what came is a %s network, not %s\nask whoever keeps that address, or "
                         "--from another",
                         e->name, family, e->family);
    }
done:
    recognised_dispose(&r);
    source_free(opened);
    return status;
}

/* Runs the converter in this process, with task and licence of the catalogue. Refuses a network of another family
 * first. The converter with the options of the catalogue's entry. Its messages go to o->out; the exit code is the
 * converter's own. */
int manager_convert(const manager_options *o, const catalogue_entry *e, const char *name, const char *revision,
                    const char *checkpoint, const char *target, mb_error *err)
{
    tool_options t = {.command = COMMAND_CONVERT,
                      .source = checkpoint,
                      .output = target,
                      .dtype = -1,
                      .order = PATCH_AUTO,
                      .name = name,
                      .force = o->force,
                      .quiet = o->quiet};
    for (int d = MB_F32; o->dtype != NULL && d <= MB_BF16; d++) {
        t.dtype = strcmp(o->dtype, mb_dtype_name((mb_dtype)d)) == 0 ? d : t.dtype;
    }
    if (e != NULL) {
        t.task = e->task[0] != '\0' ? e->task : NULL;
        t.licence = e->licence[0] != '\0' ? e->licence : NULL;
        t.revision = e->revision[0] != '\0' ? e->revision : NULL;
        t.note = e->note[0] != '\0' ? e->note : NULL;
    }
    t.revision = revision != NULL && revision[0] != '\0' ? revision : t.revision; /* what the server says counts */
    mb_status status = e != NULL ? check_family(e, checkpoint, err) : MB_OK;
    return status == MB_OK ? tool_convert(&t, o->out, stderr, err) : tool_exit_code(status, false);
}

/* MATTEBOX_OFFLINE=0 and an empty value mean online. */
static bool is_offline(const manager_options *o, const char **why)
{
    const char *variable = mb_os_env("MATTEBOX_OFFLINE");
    *why = o->offline ? "--offline was given" : "MATTEBOX_OFFLINE is set";
    return o->offline || (variable != NULL && variable[0] != '\0' && strcmp(variable, "0") != 0);
}

/* What makes a request impossible, before anything is done. *e is NULL for a name of the user's own. */
static mb_status check_request(const catalogue_entry **e, const manager_options *o, const catalogue *c,
                               const char *name, mb_error *err)
{
    const char *why;
    *e = catalogue_find(c, name);
    if (*e == NULL && o->address == NULL) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "no model \"%.60s\" is known\nmattebox models list names them; --from ADDRESS takes another",
                       name);
    }
    if (*e == NULL && !catalogue_is_name(name)) {
        return mb_fail(err, MB_E_ARGUMENT, "\"%.60s\" cannot name a model: 1 to 64 letters, digits, '.', '_', '-'",
                       name);
    }
    if (catalogue_is_reserved(*e != NULL ? (*e)->name : name)) {
        return catalogue_refuse_reserved(*e != NULL ? (*e)->name : name, "models get", err);
    }
    if (is_offline(o, &why)) {
        return mb_fail(err, MB_E_IO,
                       "models get: offline (%s)\ncopy the file by hand and run mattebox models import FILE", why);
    }
    return MB_OK;
}

/* The download is whole: converted from a name that the converter may know. It keeps that name only while it is
 * converted. A failure of the output (disk full) keeps the download for the next run. */
static int install(get_call *g, const char *checkpoint, const char *target, mb_error *err)
{
    char text[200];
    (void)snprintf(text, sizeof text, "%s: converting", g->name);
    tell(g->o, text);
    if (mb_os_rename(g->part, checkpoint) != 0) {
        (void)mb_fail(err, MB_E_IO, "%.200s: cannot be renamed", g->part);
        return EXIT_OUTPUT;
    }
    int code = manager_convert(g->o, g->e, g->name, g->revision, checkpoint, target, err);
    if (code == EXIT_OK || code == EXIT_MODEL) { /* used up, or no model at all: it must come anew */
        (void)mb_os_remove(checkpoint);
        (void)download_forget(g->part);
    } else if (mb_os_rename(checkpoint, g->part) != 0) {
        (void)mb_os_remove(checkpoint);
    }
    return code;
}

/* `output_failed` turns an I/O error into exit code 5 while folders and files of ours are concerned, and stays false
 * while the network is. */
int manager_get(const manager_options *o, const catalogue *c, const char *name, manager_result *out, mb_error *err)
{
    char cache[MB_OS_PATH_BYTES], part[MB_OS_PATH_BYTES], checkpoint[MB_OS_PATH_BYTES];
    get_call g = {.o = o, .part = part};
    source_of s = {0};
    bool output_failed = false;
    size_t leftovers;
    mb_status status;
    *out = (manager_result){0};
    MB_TRY(check_request(&g.e, o, c, name, err));
    g.name = g.e != NULL ? g.e->name : name;
    MB_TRY(store_join(out->path, sizeof out->path, o->folder, g.name, ".mbw", err));
    if (!o->force && mb_os_exists(out->path)) {
        out->was_there = true;
        return EXIT_OK;
    }
    MB_TRY(find_source(&s, o, g.e, g.name, err));
    MB_TRY(store_cache_folder(cache, sizeof cache, err));
    MB_TRY(store_join(part, sizeof part, cache, s.file, ".part", err));
    MB_TRY(store_join(checkpoint, sizeof checkpoint, cache, s.file, "", err));
    output_failed = true;
    MB_TRY(store_make_folder(cache, err));
    MB_TRY(store_make_folder(o->folder, err));
    MB_TRY(mb_output_leftovers(o->folder, true, &leftovers, err)); /* of runs that were killed, days ago */
    MB_TRY(mb_output_leftovers(cache, true, &leftovers, err));
    (void)mb_os_rename(checkpoint, part); /* of a run that was killed while it converted */
    output_failed = false;
    MB_TRY(fetch(&g, &s, out, &output_failed, err));
    return install(&g, checkpoint, out->path, err);
done:
    return status == MB_E_IO && output_failed ? EXIT_OUTPUT : tool_exit_code(status, false);
}

bool manager_forget(const catalogue *c, const char *name)
{
    char cache[MB_OS_PATH_BYTES], part[MB_OS_PATH_BYTES];
    const catalogue_entry *e = catalogue_find(c, name);
    return e != NULL && store_cache_folder(cache, sizeof cache, NULL) == MB_OK &&
           store_join(part, sizeof part, cache, e->file, ".part", NULL) == MB_OK && download_forget(part);
}
