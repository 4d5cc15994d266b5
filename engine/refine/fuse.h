/* Joining two soft masks of one photo that were found by different means. */
#ifndef MB_REFINE_FUSE_H
#define MB_REFINE_FUSE_H

#include "core/status.h"
#include "image/plane.h"

/* mask (the network's) becomes the joint answer of itself and saliency; both grey and of one size. */
MB_MUST_CHECK mb_status mb_fuse(mb_picture *mask, const mb_picture *saliency, mb_error *err);

#endif
