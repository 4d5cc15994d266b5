/* What was chosen, kept on disk: mb_cuda_choice (tune.h), then an algorithm for a gemm, a serialised plan for a
 * convolution, or nothing where our own kernel is faster. One file per device, driver and library versions (all of them
 * are in its name, so a change starts a new one). It may be deleted at any time; a damaged or foreign file counts as
 * empty; a failed write is no error. */
#ifndef MB_CUDA_VENDOR_PLAN_CACHE_H
#define MB_CUDA_VENDOR_PLAN_CACHE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct mb_plan_cache mb_plan_cache;
enum { MB_CACHE_GEMM = 1, MB_CACHE_CONVOLUTION = 2 };

/* title: what the entries are valid for, becomes the file's name; the folder is MATTEBOX_CACHE (empty: no cache), else
 * XDG_CACHE_HOME/mattebox, else HOME/.cache/mattebox. NULL in *out without an error: none of them is set. */
MB_MUST_CHECK mb_status mb_plan_cache_open(mb_plan_cache **out, const char *title, mb_error *err);
/* Writes what is new (temporary name, renamed). NULL is fine for all of these. */
void mb_plan_cache_save(mb_plan_cache *c);
/* Reads the file again: what others have written meanwhile counts more than what we have. */
void mb_plan_cache_refresh(mb_plan_cache *c);
void mb_plan_cache_close(mb_plan_cache *c); /* saves and frees */

/* Borrowed until the next put or refresh; NULL: not there. A NULL cache has nothing. */
const void *mb_plan_cache_get(const mb_plan_cache *c, uint32_t kind, const void *key, size_t key_bytes, size_t *bytes);
/* Replaces an entry of the same key. Out of memory: not kept. */
void mb_plan_cache_put(mb_plan_cache *c, uint32_t kind, const void *key, size_t key_bytes, const void *value,
                       size_t bytes);
/* The record at *at (0 at first), which moves on to the next; NULL behind the last. */
const void *mb_plan_cache_at(const mb_plan_cache *c, size_t *at, uint32_t *kind, size_t *bytes);

#endif
