#include "refine/fuse.h"

mb_status mb_fuse(mb_picture *mask, const mb_picture *saliency, mb_error *err)
{
    if (mask->channels != 1 || saliency->channels != 1 || mask->width != saliency->width ||
        mask->height != saliency->height) {
        return mb_fail(err, MB_E_ARGUMENT, "two grey masks of one size can be joined");
    }
    size_t n = (size_t)mask->width * (size_t)mask->height;
    for (size_t i = 0; i < n; i++) {
        mask->v[i] = (uint8_t)((mask->v[i] + saliency->v[i] + 1) / 2);
    }
    return MB_OK;
}
