/* Folders and files of the model manager. */
#ifndef MB_MANAGER_STORE_H
#define MB_MANAGER_STORE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

/* $XDG_CACHE_HOME/mattebox (default ~/.cache): downloads in progress. */
MB_MUST_CHECK mb_status store_cache_folder(char *out, size_t bytes, mb_error *err);
/* $XDG_CONFIG_HOME/mattebox/models.txt (default ~/.config): the user's catalogue. False: no home. */
bool store_user_catalogue(char *out, size_t bytes);

/* The folder and those above it, as far as they are missing. */
MB_MUST_CHECK mb_status store_make_folder(const char *path, mb_error *err);
/* "FOLDER/NAME" + ending; MB_E_ARGUMENT where it does not fit. */
MB_MUST_CHECK mb_status store_join(char *out, size_t bytes, const char *folder, const char *name, const char *ending,
                                   mb_error *err);
bool store_is_folder(const char *path);

/* Bytes that may still be written where `path` is or will be; -1: not known. */
double store_free_bytes(const char *path);
bool store_same_disk(const char *a, const char *b);

typedef int (*store_progress)(void *user, size_t done, size_t total);

/* Copies a file, as a whole or not at all, and gives its SHA-256. */
MB_MUST_CHECK mb_status store_copy(const char *from, const char *to, bool replace, char sha256[65],
                                   store_progress on_progress, void *user, mb_error *err);
MB_MUST_CHECK mb_status store_sha256(const char *path, char sha256[65], store_progress on_progress, void *user,
                                     mb_error *err);

#endif
