/* Fuzz target: any bytes as a file of frames, read in order and once back. An error has a message; frames of an animation
 * are of one size. */
#include "image/codec/frames.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_load_limits limits;
    mb_frame_file f;
    mb_error err = {0};
    mb_load_limits_init(&limits);
    limits.max_megapixels = 0.1;
    limits.max_frames = 40;
    limits.accept_partial = n % 2 == 0;
    limits.keep_alpha = limits.keep_depth = n % 3 != 0;
    mb_status status = mb_frame_file_open(&f, bytes, n, "x", &limits, &err);
    if (status != MB_OK) {
        if (err.message[0] == '\0') {
            abort();
        }
        return 0;
    }
    const int count = f.count;
    for (int k = 1; k <= count + 1; k++) {
        mb_image_u8 p = {0};
        mb_load_info info = {0};
        mb_error why = {0};
        const int i = k <= count ? k : 1;
        status = mb_frame_file_load(NULL, &p, &info, &f, i, &limits, &why);
        if (status == MB_OK
                ? f.walk != NULL && info.orientation < 5 && (p.width != f.head.width || p.height != f.head.height)
                : why.message[0] == '\0' || p.v != NULL) {
            abort();
        }
        mb_load_info_dispose(&info);
        mb_image_u8_dispose(&p);
    }
    mb_frame_file_close(&f);
    return 0;
}
