/* Connected components of a grey picture, and which of those of an alpha stay. */
#ifndef MB_IMAGE_CONNECTED_COMPONENTS_H
#define MB_IMAGE_CONNECTED_COMPONENTS_H

#include "core/task.h"
#include "image/raster.h"

#include <stdbool.h>

/* Which pixels touch: those that share a side, or a side or a corner. */
typedef enum mb_connectivity { MB_CONNECT_4, MB_CONNECT_8 } mb_connectivity;

/* The sets of touching pixels of at least some value. */
typedef struct mb_connected {
    int32_t count;
    int32_t *label; /* [H,W] 1 .. count in raster order of their first pixels; 0: below the value */
    int64_t *area;  /* [count + 1] pixels of each label; area[0] is not used */
    int32_t *queue; /* [H,W] scratch */
} mb_connected;

/* Components of the pixels >= least (1 .. 255) of a grey picture of at most INT32_MAX pixels. Dispose of it, whatever
 * comes back. */
MB_MUST_CHECK mb_status mb_connected_find(const mb_task *task, mb_connected *out, const mb_image_u8 *gray, int least,
                                          mb_connectivity connectivity, mb_error *err);
void mb_connected_dispose(mb_connected *c);

typedef struct mb_component_rule {
    int64_t min_area; /* components of fewer pixels go; 0 or 1: none do */
    bool largest;     /* only the component of most pixels stays */
} mb_component_rule;

/* A component is a set of pixels of at least a tenth of full alpha that touch, also at corners; a fainter pixel belongs
 * to the component that it reaches through faint ones. What goes becomes 0 in `alpha` (grey) and, if not NULL, in
 * `alpha_f32`, the same alpha at more than 8 bits. *dropped: components that went. */
MB_MUST_CHECK mb_status mb_keep_components(const mb_task *task, mb_image_u8 *alpha, mb_image_f32 *alpha_f32,
                                           const mb_component_rule *rule, int *dropped, mb_error *err);

#endif
