/* Connected parts of an alpha: which of them stay. */
#ifndef MB_IMAGE_CONNECTED_COMPONENTS_H
#define MB_IMAGE_CONNECTED_COMPONENTS_H

#include "image/raster.h"

#include <stdbool.h>

typedef struct mb_component_rule {
    int64_t min_area; /* parts of fewer pixels go; 0 or 1: none do */
    bool largest;     /* only the part of most pixels stays */
} mb_component_rule;

/* A part is a set of pixels of at least a tenth of full alpha that touch, also at corners; fainter pixels belong to the
 * part they reach through faint ones. What goes becomes 0 in `alpha` (grey) and, if not NULL, in `fine`, the same alpha
 * at more than 8 bits. *dropped: parts that went. */
MB_MUST_CHECK mb_status mb_keep_components(mb_image_u8 *alpha, mb_image_f32 *fine, const mb_component_rule *rule,
                                           int *dropped, mb_error *err);

#endif
