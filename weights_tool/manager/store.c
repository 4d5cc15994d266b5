/* Paths follow the XDG base directory rules. Copies go through mb_output like all files of ours: a temporary name,
 * then a rename. */
#include "manager/store.h"

#include "core/file.h"
#include "core/hash.h"
#include "core/os_process.h"
#include "core/os_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE ((size_t)1 << 22)

mb_status store_cache_folder(char *out, size_t bytes, mb_error *err)
{
    if (!mb_os_user_folder(out, bytes, MB_OS_CACHE, "mattebox")) {
        return mb_fail(err, MB_E_IO, "no folder for downloads\nset HOME or XDG_CACHE_HOME to an absolute path");
    }
    return MB_OK;
}

bool store_user_catalogue(char *out, size_t bytes)
{
    return mb_os_user_folder(out, bytes, MB_OS_CONFIG, "mattebox/models.txt");
}

bool store_is_folder(const char *path)
{
    return mb_os_is_folder(path);
}

mb_status store_join(char *out, size_t bytes, const char *folder, const char *name, const char *ending, mb_error *err)
{
    int n = snprintf(out, bytes, "%s/%s%s", folder, name, ending);
    return n > 0 && (size_t)n < bytes ? MB_OK : mb_fail(err, MB_E_ARGUMENT, "%.200s: the path is too long", folder);
}

mb_status store_make_folder(const char *path, mb_error *err)
{
    char buffer[128];
    int code = mb_os_make_folders(path);
    return code == 0 ? MB_OK
                     : mb_fail(err, MB_E_IO, "%.200s: the folder cannot be made: %s", path,
                               mb_os_error_text(code, buffer, sizeof buffer));
}

/* The next folder above that is there. Free space and disk of a folder that is yet to be made are those of its
 * parent. */
static void existing(char out[MB_OS_PATH_BYTES], const char *path)
{
    (void)snprintf(out, MB_OS_PATH_BYTES, "%s", path);
    while (!store_is_folder(out)) {
        char *slash = strrchr(out, '/');
        if (slash == NULL || slash == out) {
            (void)snprintf(out, MB_OS_PATH_BYTES, "%s", slash == NULL ? "." : "/");
            return;
        }
        *slash = '\0';
    }
}

double store_free_bytes(const char *path)
{
    char folder[MB_OS_PATH_BYTES];
    double left;
    size_t unused;
    existing(folder, path);
    return mb_os_space(folder, &left, &unused) == 0 ? left : -1;
}

bool store_same_disk(const char *a, const char *b)
{
    char x[MB_OS_PATH_BYTES], y[MB_OS_PATH_BYTES];
    mb_os_info s, t;
    existing(x, a);
    existing(y, b);
    return mb_os_look(&s, x) == 0 && mb_os_look(&t, y) == 0 && s.device == t.device;
}

/* Hashes the file's bytes, and writes them to `o` unless it is NULL. One pass over the mapping does both, as reading
 * gigabytes twice would take twice as long. */
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

/* The size is known, so a full disk shows before the first byte is copied. A file of the same name is replaced only
 * with `replace`. */
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
