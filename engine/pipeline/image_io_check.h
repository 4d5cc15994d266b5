/* Whether a device prepares pictures as the CPU does. */
#ifndef MB_PIPELINE_IMAGE_IO_CHECK_H
#define MB_PIPELINE_IMAGE_IO_CHECK_H

#include "kernel.h"

/* One small photo and its mask by every recipe, on the device and on the CPU: true if all bytes are equal. A back end
 * without pictures agrees. */
bool mb_image_io_agrees(const mb_backend *b);

#endif
