#define _GNU_SOURCE
#include "manager/store.h"

#include "core/file.h"
#include "core/hash.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define PIECE ((size_t)1 << 22)

/* BASE of the XDG rules: the variable if it holds an absolute path, else ~/FALLBACK. */
static bool base_folder(char *out, size_t bytes, const char *variable, const char *fallback, const char *tail)
{
    const char *base = getenv(variable), *home = getenv("HOME");
    int n = -1;
    if (base != NULL && base[0] == '/') {
        n = snprintf(out, bytes, "%s/%s", base, tail);
    } else if (home != NULL && home[0] == '/') {
        n = snprintf(out, bytes, "%s/%s/%s", home, fallback, tail);
    }
    return n > 0 && (size_t)n < bytes;
}

mb_status store_cache_folder(char *out, size_t bytes, mb_error *err)
{
    if (!base_folder(out, bytes, "XDG_CACHE_HOME", ".cache", "mattebox")) {
        return mb_fail(err, MB_E_IO, "no folder for downloads\nset HOME or XDG_CACHE_HOME to an absolute path");
    }
    return MB_OK;
}

bool store_user_catalogue(char *out, size_t bytes)
{
    return base_folder(out, bytes, "XDG_CONFIG_HOME", ".config", "mattebox/models.txt");
}

bool store_is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

mb_status store_join(char *out, size_t bytes, const char *folder, const char *name, const char *ending, mb_error *err)
{
    int n = snprintf(out, bytes, "%s/%s%s", folder, name, ending);
    return n > 0 && (size_t)n < bytes ? MB_OK : mb_fail(err, MB_E_ARGUMENT, "%.200s: the path is too long", folder);
}

/* Like mkdir -p. Another process may make the same folder meanwhile: only the result counts. */
mb_status store_make_folder(const char *path, mb_error *err)
{
    char made[PATH_MAX], buffer[128];
    if (strlen(path) >= sizeof made) {
        return mb_fail(err, MB_E_ARGUMENT, "%.200s: the path is too long", path);
    }
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(made, path, i);
        made[i] = '\0';
        int why = mkdir(made, 0777) != 0 ? errno : 0;
        if (why != 0 && !store_is_folder(made)) {
            return mb_fail(err, MB_E_IO, "%.200s: the folder cannot be made: %s", made,
                           strerror_r(why, buffer, sizeof buffer));
        }
    }
    return MB_OK;
}

/* The next folder above that is there. */
static void existing(char out[PATH_MAX], const char *path)
{
    (void)snprintf(out, PATH_MAX, "%s", path);
    while (!store_is_folder(out)) {
        char *slash = strrchr(out, '/');
        if (slash == NULL || slash == out) {
            (void)snprintf(out, PATH_MAX, "%s", slash == NULL ? "." : "/");
            return;
        }
        *slash = '\0';
    }
}

double store_free_bytes(const char *path)
{
    char folder[PATH_MAX];
    struct statvfs s;
    existing(folder, path);
    return statvfs(folder, &s) == 0 ? (double)s.f_bavail * (double)s.f_frsize : -1;
}

bool store_same_disk(const char *a, const char *b)
{
    char x[PATH_MAX], y[PATH_MAX];
    struct stat s, t;
    existing(x, a);
    existing(y, b);
    return stat(x, &s) == 0 && stat(y, &t) == 0 && s.st_dev == t.st_dev;
}

/* Hashes the file's bytes, and writes them to `o` unless it is NULL. */
static mb_status pass(const mb_mapping *m, mb_output *o, char sha256[65], store_progress on_progress, void *user,
                      mb_error *err)
{
    mb_sha256 h;
    uint8_t digest[32];
    mb_status status = MB_OK;
    mb_sha256_init(&h);
    for (size_t at = 0; at < m->bytes && status == MB_OK; at += PIECE) {
        const char *p = (const char *)m->data + at;
        size_t n = m->bytes - at < PIECE ? m->bytes - at : PIECE;
        mb_sha256_update(&h, p, n);
        status = o != NULL ? mb_output_write(o, p, n, err) : MB_OK;
        if (status == MB_OK && on_progress != NULL && on_progress(user, at + n, m->bytes) != 0) {
            status = mb_fail(err, MB_E_CANCELLED, "interrupted");
        }
    }
    mb_sha256_final(&h, digest);
    mb_hex(sha256, digest, sizeof digest);
    return status;
}

mb_status store_copy(const char *from, const char *to, bool replace, char sha256[65], store_progress on_progress,
                     void *user, mb_error *err)
{
    mb_mapping m = {0};
    mb_output *o = NULL;
    mb_status status;
    MB_TRY(mb_map_file(&m, from, err));
    MB_TRY(mb_output_open(&o, to, replace, m.bytes, err));
    MB_TRY(pass(&m, o, sha256, on_progress, user, err));
    status = mb_output_commit(o, err);
    o = NULL;
done:
    mb_output_abort(o);
    mb_unmap_file(&m);
    return status;
}

mb_status store_sha256(const char *path, char sha256[65], store_progress on_progress, void *user, mb_error *err)
{
    mb_mapping m = {0};
    mb_status status = mb_map_file(&m, path, err);
    if (status == MB_OK) {
        status = pass(&m, NULL, sha256, on_progress, user, err);
    }
    mb_unmap_file(&m);
    return status;
}
