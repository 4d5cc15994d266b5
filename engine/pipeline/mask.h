/* From a photo to the network's mask: the recipe's way in, the network, the recipe's way back. */
#ifndef MB_PIPELINE_MASK_H
#define MB_PIPELINE_MASK_H

#include "image/plane.h"
#include "pipeline/objects.h"

/* AUTO resolved for a model: never MB_RECIPE_AUTO. */
mb_recipe mb_recipe_for(const mb_model *model, mb_recipe wish);

typedef struct mb_mask_spec {
    mb_recipe recipe;    /* not AUTO */
    int width, height;   /* of the network's input */
    bool mirror;         /* run on the mirror image too */
    double first, share; /* of the progress bar */
    mb_plane *fine;      /* out: the mask before it is rounded to 8 bits; NULL: not wanted */
} mb_mask_spec;

/* mask: grey, of the photo's size. photo: RGB. */
MB_MUST_CHECK mb_status mb_mask_make(mb_picture *mask, mb_network *network, const mb_picture *photo,
                                     const mb_mask_spec *spec, mb_error *err);

#endif
