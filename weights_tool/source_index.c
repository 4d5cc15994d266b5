/* Checkpoints in several files: the index that names them, and the folder that holds them. */
#include "source_internal.h"

#include "core/json.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_INDEX_FILES 1000

/* ---- index.json: {"metadata": {...}, "weight_map": {"tensor": "file", ...}} */

static size_t known_file(const source *s, size_t first, const char *path)
{
    size_t i = first;
    while (i < s->n_files && strcmp(s->files[i].path, path) != 0) {
        i++;
    }
    return i;
}

/* Maps each file that the index names, once. Names with a slash or a leading dot are refused: they could lead out of
 * the folder. */
static mb_status read_weight_map(source *s, mb_json_reader *r, const char *folder, int folder_length, mb_error *err)
{
    char name[600], file[300], path[1200];
    (void)mb_json_enter(r, '{');
    while (mb_json_next_key(r, name, sizeof name, NULL) && mb_json_get_string(r, file, sizeof file, NULL)) {
        if (file[0] == '\0' || strchr(file, '/') != NULL || file[0] == '.') {
            return mb_fail(err, MB_E_FORMAT, "it names a file outside its folder");
        }
        (void)snprintf(path, sizeof path, "%.*s%s", folder_length, folder, file);
        if (known_file(s, 1, path) < s->n_files) {
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

/* Every tensor of the map must have been found, or a part is not what the index was made for. */
static mb_status check_weight_map(source *s, const char *text, size_t bytes, mb_error *err)
{
    char key[600], file[300];
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
                return mb_fail(err, MB_E_FORMAT, "tensor %.200s should be in %.200s and is not", key, file);
            }
        }
    }
    return status;
}

/* A checkpoint in several files: reads the index, then the files, then checks that each tensor lies where the index
 * says. */
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

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A hub folder: the file in it that holds the weights. */
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
    struct stat st;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        (void)snprintf(dst, capacity, "%s", folder);
        return MB_OK;
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int n = snprintf(dst, capacity, "%s/%s", folder, names[i]);
        if (n > 0 && (size_t)n < capacity && exists(dst)) {
            return MB_OK;
        }
    }
    return mb_fail(err, MB_E_IO,
                   "%s: a folder without model.safetensors, pytorch_model.bin or the index.json of either\n"
                   "name the file",
                   folder);
}
