/* F6, files of several pictures: read in order and once back. An error has a message; frames of an animation are of one
 * size. */
#include "fuzz.h"
#include "image/codec/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_load_limits limits;
    mb_frame_file f;
    mb_error err = {0};
    mb_load_limits_init(&limits);
    limits.max_megapixels = 0.01;
    limits.max_frames = 12;
    limits.accept_partial = n % 2 == 0;
    limits.keep_alpha = limits.keep_depth = n % 3 != 0;
    fuzz_fault_begin(bytes, n);
    mb_status status = mb_frame_file_open(&f, bytes, n, "x", &limits, &err);
    FUZZ_MUST(status == MB_OK || (err.message[0] != '\0' && err.code == status));
    for (int k = 1; status == MB_OK && k <= f.count + 1; k++) {
        mb_image_u8 p = {0};
        mb_load_info info = {0};
        mb_error why = {0};
        const int i = k <= f.count ? k : 1;
        const mb_status read = mb_frame_file_load(NULL, &p, &info, &f, i, &limits, &why);
        const bool upright = f.walk != NULL && info.orientation < 5;
        FUZZ_MUST(read == MB_OK ? !upright || (p.width == f.head.width && p.height == f.head.height)
                                : why.message[0] != '\0' && p.v == NULL);
        mb_load_info_dispose(&info);
        mb_image_u8_dispose(&p);
    }
    if (status == MB_OK) {
        mb_frame_file_close(&f);
    }
    (void)fuzz_fault_end();
    return 0;
}
