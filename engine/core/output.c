/* Output files that are complete or absent: temporary name in the same folder, reserve, write, fsync, rename, fsync of
 * the folder. Every failure removes the temporary file.
 *
 *   open      the folder is opened, a temporary file created in it and locked, blocks reserved: a full disk shows
 *             before the work
 *   write     at the end, or at an offset
 *   commit    contents to the disk before the name: after a crash there is the old file, the new one, or none
 *   abort     at any point instead of commit
 *
 * A process that is killed leaves its temporary file behind, unlocked: the next writer of the same name removes it, and
 * mb_output_leftovers finds it a day later. */
#include "core/file.h"

#include "core/alloc.h"
#include "core/os_file.h"
#include "core/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MB_TEMPORARY_MARK ".mattebox-"
#define MB_SUFFIX_CHARS   6
#define MB_NAME_TRIES     100
#define MB_LEFTOVER_AGE_S 86400
#define MB_NAME_MOST      255 /* bytes of a file's name that every file system takes */

struct mb_output {
    int fd;               /* of the file that is written */
    mb_os_folder *folder; /* NULL for direct outputs */
    bool replace;         /* may take the place of an existing file */
    uint64_t at;          /* where the next append goes */
    uint64_t needed;      /* expected size, for the message about a full disk */
    char *path;           /* as the user gave it, for messages */
    char *name;           /* final name within the folder; NULL for direct outputs */
    char *temporary;      /* temporary name within the folder */
};

/* Where nothing may be replaced. */
static mb_status fail_exists(mb_error *err, const char *path)
{
    return mb_fail(err, MB_E_ARGUMENT, "%s exists\noverwrite=1 replaces it", path);
}

/* The message for an errno: what is full, and how much was needed. */
static mb_status fail_output(mb_error *err, const char *path, uint64_t needed, int code)
{
    char buffer[128];
    const char *what = mb_os_full(code);
    if (what != NULL) {
        if (needed > 0) {
            return mb_fail(err, MB_E_IO, "%s: %s (%.1f MB needed); nothing was left behind", path, what,
                           (double)needed * 1e-6);
        }
        return mb_fail(err, MB_E_IO, "%s: %s; nothing was left behind", path, what);
    }
    if (code == ENOMEM) {
        return mb_fail(err, MB_E_MEMORY, "%s: cannot be written: out of memory", path);
    }
    if (code == ENOENT) {
        return mb_fail(err, MB_E_IO, "%s: the folder does not exist", path);
    }
    return mb_fail(err, MB_E_IO, "%s: cannot be written: %s", path, mb_os_error_text(code, buffer, sizeof buffer));
}

/* Everything but the file itself. */
static void free_output(mb_output *o)
{
    mb_os_folder_close(o->folder);
    mb_free(o->path);
    mb_free(o->name);
    mb_free(o->temporary);
    mb_free(o);
}

/* ".NAME.mattebox-000000" and so on; NAME is cut, between two characters, where the whole would exceed what file systems
 * take. The names are the same in every run, so that the next run of an output meets what a killed one left. */
static bool make_temporary_name(char *dst, size_t capacity, const char *name, int attempt)
{
    const size_t longest = MB_NAME_MOST - 1 - sizeof MB_TEMPORARY_MARK - MB_SUFFIX_CHARS;
    size_t length = 0, whole = strlen(name);
    while (length < whole) {
        int bytes = mb_utf8_length(name + length, whole - length);
        size_t step = bytes > 0 ? (size_t)bytes : 1; /* a name that is no UTF-8 is cut anywhere */
        if (length + step > longest) {
            break;
        }
        length += step;
    }
    int n = snprintf(dst, capacity, ".%.*s" MB_TEMPORARY_MARK "%0*d", (int)length, name, MB_SUFFIX_CHARS, attempt);
    return n > 0 && (size_t)n < capacity;
}

/* In the folder of the final name, so that the renaming never crosses file systems. */
static mb_status create_temporary(mb_output *o, mb_error *err)
{
    char name[MB_NAME_MOST + 1];
    for (int i = 0; i < MB_NAME_TRIES; i++) {
        if (!make_temporary_name(name, sizeof name, o->name, i)) {
            return mb_fail(err, MB_E_IO, "%s: the name is too long", o->path);
        }
        mb_os_folder_drop_stale(o->folder, name, MB_LEFTOVER_AGE_S);
        int code = mb_os_folder_new(o->folder, name, &o->fd);
        if (code == 0) {
            o->temporary = mb_strdup(name);
            if (o->temporary == NULL) {
                (void)mb_os_close(o->fd);
                o->fd = -1;
                mb_os_folder_remove(o->folder, name);
                return mb_fail_memory(err, strlen(name), "a file name");
            }
            return MB_OK;
        }
        o->fd = -1;
        if (code != EEXIST) {
            return fail_output(err, o->path, o->needed, code);
        }
    }
    return mb_fail(err, MB_E_IO, "%s: %d other runs are writing it", o->path, MB_NAME_TRIES);
}

/* Blocks on the disk. */
static mb_status reserve(mb_output *o, mb_error *err)
{
    int code = o->needed == 0 || o->needed > INT64_MAX ? 0 : mb_os_reserve(o->fd, o->needed);
    return code == 0 ? MB_OK : fail_output(err, o->path, o->needed, code);
}

/* target: the path with links resolved. The folder stays open: the file is renamed within it even if the path
 * changes meanwhile. */
static mb_status open_regular(mb_output *o, const char *target, mb_error *err)
{
    const char *name = mb_os_file_name(target);
    size_t length = (size_t)(name - target);
    char *folder = mb_strdup(length == 0 ? "." : target);
    o->name = mb_strdup(name);
    if (folder == NULL || o->name == NULL) {
        mb_free(folder);
        return mb_fail_memory(err, strlen(target), "a file name");
    }
    if (length > 0) {
        folder[length] = '\0'; /* with its separator, so that "/" and "C:/" stay what they are */
    }
    int code = mb_os_folder_open(&o->folder, folder);
    mb_free(folder);
    if (code != 0) {
        return fail_output(err, o->path, 0, code);
    }
    if (name[0] == '\0') {
        return mb_fail(err, MB_E_IO, "%s: is a folder, not a file", o->path);
    }
    mb_status status = create_temporary(o, err);
    return status == MB_OK ? reserve(o, err) : status;
}

/* What lies at the path decides: "-" and devices or pipes are written directly, a regular file (or nothing, or a link
 * to one) goes by a temporary name. */
static mb_status open_target(mb_output *o, mb_error *err)
{
    mb_os_info info;
    char target[MB_OS_PATH_BYTES], why[256];
    int code;
    if (strcmp(o->path, "-") == 0) {
        code = mb_os_open_output(&o->fd);
        return code == 0 ? MB_OK : fail_output(err, "standard output", 0, code);
    }
    if (mb_os_name_trouble(why, sizeof why, o->path)) {
        return mb_fail(err, MB_E_ARGUMENT, "%s: %s", o->path, why);
    }
    if (mb_os_look(&info, o->path) != 0) {
        return open_regular(o, o->path, err); /* a link to nothing is replaced by the file */
    }
    if (info.kind == MB_OS_FOLDER) {
        return mb_fail(err, MB_E_IO, "%s: is a folder, not a file", o->path);
    }
    if (info.kind != MB_OS_FILE) {
        code = mb_os_open(&o->fd, o->path, MB_OS_WRITE);
        return code == 0 ? MB_OK : fail_output(err, o->path, 0, code);
    }
    if (!o->replace) {
        return fail_exists(err, o->path);
    }
    code = mb_os_real_path(target, o->path); /* write through a link instead of replacing it */
    return code == 0 ? open_regular(o, target, err) : fail_output(err, o->path, 0, code);
}

/* On an error nothing is left behind, the temporary file included. With expected_bytes the blocks are reserved, and a
 * full disk is an error here instead of in the middle. */
mb_status mb_output_open(mb_output **out, const char *path, bool replace, uint64_t expected_bytes, mb_error *err)
{
    *out = NULL;
    mb_output *o = mb_calloc(1, sizeof *o);
    if (o == NULL) {
        return mb_fail_memory(err, sizeof *o, "an output file");
    }
    *o = (mb_output){.fd = -1, .replace = replace, .needed = expected_bytes, .path = mb_strdup(path)};
    mb_status status = o->path != NULL ? open_target(o, err) : mb_fail_memory(err, strlen(path), "a file name");
    if (status != MB_OK) {
        mb_output_abort(o);
        return status;
    }
    *out = o;
    return MB_OK;
}

bool mb_output_is_regular(const mb_output *o)
{
    return o->temporary != NULL;
}

/* For writers that come back to fill in a header; pipes cannot. */
mb_status mb_output_write_at(mb_output *o, uint64_t offset, const void *data, size_t bytes, mb_error *err)
{
    const uint8_t *p = data;
    if (!mb_output_is_regular(o)) {
        return mb_fail(err, MB_E_IO, "%s: must be a regular file, not a pipe or device", o->path);
    }
    while (bytes > 0) {
        size_t n;
        int code = mb_os_write_at(o->fd, offset, p, bytes, &n);
        if (code != 0 || n == 0) {
            return fail_output(err, o->path, o->needed, code != 0 ? code : ENOSPC);
        }
        p += n;
        offset += n;
        bytes -= n;
    }
    return MB_OK;
}

/* At the end. Partial writes go on. */
mb_status mb_output_write(mb_output *o, const void *data, size_t bytes, mb_error *err)
{
    if (mb_output_is_regular(o)) {
        mb_status status = mb_output_write_at(o, o->at, data, bytes, err);
        o->at += bytes;
        return status;
    }
    const uint8_t *p = data;
    while (bytes > 0) {
        size_t n;
        int code = mb_os_write(o->fd, p, bytes, &n);
        if (code != 0 || n == 0) {
            return fail_output(err, o->path, o->needed, code != 0 ? code : ENOSPC);
        }
        p += n;
        bytes -= n;
    }
    return MB_OK;
}

/* Regular files: contents to the disk, then the name, then the folder's entry. In any other order a crash could leave
 * the new name with nothing behind it. */
static mb_status finish_regular(mb_output *o, mb_error *err)
{
    int code = mb_os_sync(o->fd), closed = mb_os_close(o->fd);
    o->fd = -1;
    code = code != 0 ? code : closed;
    if (code == 0) {
        code = mb_os_folder_rename(o->folder, o->temporary, o->name, o->replace);
    }
    if (code == EEXIST) {
        return fail_exists(err, o->path);
    }
    if (code != 0) {
        return fail_output(err, o->path, o->needed, code);
    }
    mb_free(o->temporary);
    o->temporary = NULL;
    mb_os_folder_sync(o->folder);
    return MB_OK;
}

/* Frees `o` in any case. */
mb_status mb_output_commit(mb_output *o, mb_error *err)
{
    mb_status status = MB_OK;
    if (o->temporary != NULL) {
        status = finish_regular(o, err);
    } else {
        int code = mb_os_close(o->fd);
        o->fd = -1;
        if (code != 0) {
            status = fail_output(err, o->path, 0, code);
        }
    }
    mb_output_abort(o);
    return status;
}

/* Nothing is left behind. NULL and half-made ones too. What was written directly to a pipe or device cannot be taken
 * back. */
void mb_output_abort(mb_output *o)
{
    if (o == NULL) {
        return;
    }
    if (o->fd >= 0) {
        (void)mb_os_close(o->fd); /* first: Windows removes no file that is open */
    }
    if (o->temporary != NULL) {
        mb_os_folder_remove(o->folder, o->temporary);
    }
    free_output(o);
}

/* For what is in memory as a whole. */
mb_status mb_write_file(const char *path, const void *data, size_t bytes, bool replace, mb_error *err)
{
    mb_output *o;
    mb_status status = mb_output_open(&o, path, replace, bytes, err);
    if (status != MB_OK) {
        return status;
    }
    status = mb_output_write(o, data, bytes, err);
    if (status != MB_OK) {
        mb_output_abort(o);
        return status;
    }
    return mb_output_commit(o, err);
}

/* Temporary files of runs that were killed: recognised by their name and by their age of a day, so that one which is
 * being written is never touched. */
mb_status mb_output_leftovers(const char *folder, bool remove, size_t *n_found, mb_error *err)
{
    char **names, buffer[128];
    size_t n;
    *n_found = 0;
    int code = mb_os_list(&names, &n, folder);
    if (code != 0) {
        return mb_fail(err, MB_E_IO, "%s: cannot be listed: %s", folder, mb_os_error_text(code, buffer, sizeof buffer));
    }
    int64_t now = (int64_t)time(NULL);
    for (size_t i = 0; i < n; i++) {
        const char *mark = names[i][0] == '.' ? strstr(names[i], MB_TEMPORARY_MARK) : NULL;
        char path[MB_OS_PATH_BYTES];
        mb_os_info info;
        int length = snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (mark == NULL || strlen(mark) != sizeof MB_TEMPORARY_MARK - 1 + MB_SUFFIX_CHARS || length < 0 ||
            (size_t)length >= sizeof path || mb_os_look_here(&info, path) != 0 || info.kind != MB_OS_FILE ||
            now - info.modified_s < MB_LEFTOVER_AGE_S) {
            continue;
        }
        *n_found += 1;
        if (remove) {
            (void)mb_os_remove(path);
        }
    }
    mb_os_free_names(names, n);
    return MB_OK;
}
