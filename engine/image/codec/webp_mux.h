/* What single and animated WebP files have in common. */
#ifndef MB_IMAGE_CODEC_WEBP_MUX_H
#define MB_IMAGE_CODEC_WEBP_MUX_H

#include "core/status.h"

#include <webp/mux.h>

/* Assembles what is in the mux with profile, EXIF and resolution (m may be NULL, mux too: no memory); *whole is freed by
 * WebPDataClear. */
MB_MUST_CHECK mb_status mb_webp_wrap(WebPMux *mux, WebPData *whole, const mb_metadata *m, mb_error *err);

#endif
