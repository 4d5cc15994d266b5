/* Checkpoints in several files: the index that names them, and the folder that holds them. Hubs split models above
 * some gigabytes and add an index.json with a weight_map from tensor to file. The list of files comes from that map
 * alone; each part is then read like a file of its own. Parts may be safetensors or torch files. */
#include "source_internal.h"

#include "core/json.h"
#include "core/text.h"
#include "core/os_file.h"

#include <stdio.h>
#include <string.h>

#define MAX_INDEX_FILES   1000
#define MAX_INDEX_TENSORS 65536

/* ---- index.json: {"metadata": {...}, "weight_map": {"tensor": "file", ...}} */

/* Number of the part with that path, the last one first; n_files: not there. Linear, as an index names few files. */
static size_t known_file(const source *s, const char *path)
{
    for (size_t i = s->n_files; i > 1; i--) {
        if (strcmp(s->files[i - 1].path, path) == 0) {
            return i - 1;
        }
    }
    return s->n_files;
}

/* Adds every file that the map names, once. A name with a slash (or what Windows takes for one), a colon (a drive there) or
 * a leading dot is refused: an index must not make the tool open files elsewhere on the machine. Names that come next to
 * each other are mostly the same. `folder` is the index's own, with its slash in folder_length bytes.
 * Errors of the JSON itself are left to the caller, who sees them in the reader. */
static mb_status read_weight_map(source *s, mb_json_reader *r, const char *folder, int folder_length, mb_error *err)
{
    char name[600], file[300], path[MB_OS_PATH_BYTES];
    size_t n_tensors = 0;
    (void)mb_json_enter(r, '{');
    while (mb_json_next_key(r, name, sizeof name, NULL) && mb_json_get_string(r, file, sizeof file, NULL)) {
        if (!mb_is_name(file, strlen(file), sizeof file) || strpbrk(file, "/\\:") != NULL || file[0] == '.') {
            return mb_fail(err, MB_E_FORMAT, "it names a file outside its folder");
        }
        if (++n_tensors > MAX_INDEX_TENSORS) {
            return mb_fail(err, MB_E_FORMAT, "it names more than %d tensors", MAX_INDEX_TENSORS);
        }
        const int n = snprintf(path, sizeof path, "%.*s%s", folder_length, folder, file);
        if (n < 0 || (size_t)n >= sizeof path) {
            return mb_fail(err, MB_E_ARGUMENT, "the path of a part is too long");
        }
        if (known_file(s, path) < s->n_files) {
            continue;
        }
        size_t index;
        if (s->n_files > MAX_INDEX_FILES) {
            return mb_fail(err, MB_E_FORMAT, "it names more than %d files", MAX_INDEX_FILES);
        }
        mb_status status = source_add_file(s, path, &index, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "a part that the index names");
            return status;
        }
    }
    return MB_OK;
}

/* Every tensor of the map must have been found, or a part is not what the index was made for. The names are those in
 * the files, since the model's tensors are selected later. */
static mb_status check_weight_map(source *s, const char *text, size_t bytes, mb_error *err)
{
    char key[600], file[300], a[210], b[210];
    mb_json_reader r;
    mb_status status = source_build_index(s, err);
    mb_json_read_init(&r, text, bytes);
    (void)mb_json_enter(&r, '{');
    while (status == MB_OK && mb_json_next_key(&r, key, sizeof key, NULL)) {
        if (strcmp(key, "weight_map") != 0) {
            (void)mb_json_skip(&r);
            continue;
        }
        (void)mb_json_enter(&r, '{');
        while (mb_json_next_key(&r, key, sizeof key, NULL) && mb_json_get_string(&r, file, sizeof file, NULL)) {
            if (source_find(s, key) == NULL) {
                return mb_fail(err, MB_E_FORMAT, "tensor %s should be in %s and is not",
                               mb_printable(a, sizeof a, key, strlen(key)),
                               mb_printable(b, sizeof b, file, strlen(file)));
            }
        }
    }
    return status;
}

/* A checkpoint in several files: reads the index, then the files, then checks that each tensor lies where the index
 * says. Reads the index (file 0, mapped already) and all parts. Missing weight_map: some other JSON, such as a
 * config.json that was named by mistake. */
mb_status source_read_index(source *s, const char *path, mb_error *err)
{
    const source_file *f = &s->files[0];
    const char *slash = strrchr(path, '/'), *text = f->map.data;
    const size_t bytes = f->map.bytes;
    int folder_length = slash != NULL ? (int)(slash - path) + 1 : 0;
    char key[64];
    bool found = false;
    mb_json_reader r;
    mb_status status = MB_OK;
    s->format = SOURCE_SHARDED;
    mb_json_read_init(&r, text, bytes);
    (void)mb_json_enter(&r, '{');
    while (status == MB_OK && mb_json_next_key(&r, key, sizeof key, NULL)) {
        bool map = strcmp(key, "weight_map") == 0;
        found = found || map;
        if (map) {
            status = read_weight_map(s, &r, path, folder_length, err);
        } else {
            (void)mb_json_skip(&r);
        }
    }
    if (status == MB_OK && !mb_json_finish(&r)) {
        status = mb_fail(err, MB_E_FORMAT, "not a valid index: byte %zu: %s", (size_t)(r.at - r.start), r.problem);
    }
    if (status == MB_OK && !found) {
        status = mb_fail(err, MB_E_FORMAT,
                         "a JSON file without a weight_map: not an index of a checkpoint in several files");
    }
    if (status != MB_OK) {
        mb_error_prefix(err, "%s", path);
        return status;
    }
    for (size_t i = 1; i < s->n_files && status == MB_OK; i++) {
        status = source_read_part(s, i, err);
    }
    if (status == MB_OK) {
        status = check_weight_map(s, text, bytes, err);
        if (status != MB_OK) {
            mb_error_prefix(err, "%s", path);
        }
    }
    return status;
}

/* ---- folders */

/* A hub folder: the file in it that holds the weights. The names are those that the hub's libraries write, in the
 * order of preference: safetensors before pickles, and a whole file before an index. `dst` gets the path unchanged
 * when it is no folder; whether it exists is found out when it is opened. */
mb_status source_find_in_folder(char *dst, size_t capacity, const char *folder, mb_error *err)
{
    static const char *const names[] = {"model.safetensors",
                                        "model.safetensors.index.json",
                                        "diffusion_pytorch_model.safetensors",
                                        "diffusion_pytorch_model.safetensors.index.json",
                                        "pytorch_model.bin",
                                        "pytorch_model.bin.index.json",
                                        "diffusion_pytorch_model.bin",
                                        "diffusion_pytorch_model.bin.index.json",
                                        "model.pth"};
    if (!mb_os_is_folder(folder)) {
        const int n = snprintf(dst, capacity, "%s", folder);
        return n >= 0 && (size_t)n < capacity ? MB_OK
                                              : mb_fail(err, MB_E_ARGUMENT, "%.100s...: the path is too long", folder);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int n = snprintf(dst, capacity, "%s/%s", folder, names[i]);
        if (n > 0 && (size_t)n < capacity && mb_os_is_file(dst)) {
            return MB_OK;
        }
    }
    return mb_fail(err, MB_E_IO,
                   "%s: a folder without model.safetensors, pytorch_model.bin or the index.json of either\n"
                   "name the file",
                   folder);
}
