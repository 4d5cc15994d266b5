/* Which architecture a checkpoint is of, and whether it is whole. */
#ifndef MB_WEIGHTS_TOOL_RECOGNISE_H
#define MB_WEIGHTS_TOOL_RECOGNISE_H

#include "arch.h"

#include <stdio.h>

typedef enum model_family { FAMILY_NONE, FAMILY_BIREFNET, FAMILY_VITMATTE } model_family;

typedef struct recognised {
    model_family family;
    birefnet_arch birefnet;
    vitmatte_arch vitmatte;
    spec_list specs; /* every tensor of the official state dict */
} recognised;

/* From names and shapes alone; what no shape tells follows the rules of the backbone, or `told` (may be NULL; a model
 * file's own record counts before the rules). What is neither of the two is refused by the name of what it is, where
 * that is known. */
MB_MUST_CHECK mb_status recognise(recognised *r, const source *s, const backbone_told *told, mb_error *err);
void recognised_dispose(recognised *r);

/* Every tensor that inference needs is there with its shape and a type of numbers, and nothing is there that belongs to
 * neither the network nor its training. The first ten of each kind of finding go to `report` (may be NULL), one a line.
 */
MB_MUST_CHECK mb_status recognise_check(const recognised *r, const source *s, FILE *report, mb_error *err);

/* "BiRefNet v2, Swin-L" ... */
void recognised_title(const recognised *r, char *dst, size_t capacity);
/* Tensors that convert leaves out. */
bool recognised_ignores(const recognised *r, const char *name);
/* Elements of all tensors that inference uses. */
uint64_t recognised_parameters(const recognised *r);

#endif
