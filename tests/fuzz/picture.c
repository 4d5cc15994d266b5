/* Fuzz target: any bytes as a picture file. An error has a message, a picture has the size that the header says. */
#include "image/codec/load.h"
#include "image/codec/sniff.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_load_limits limits;
    mb_load_info info;
    mb_image_u8 p;
    mb_error err = {0};
    mb_load_limits_init(&limits);
    limits.max_megapixels = 0.1;
    limits.accept_partial = n % 2 == 0;
    limits.keep_alpha = limits.keep_depth = n % 3 != 0;
    mb_metadata metadata;
    mb_metadata_init(&metadata);
    limits.metadata = &metadata;
    mb_sniffed s = mb_sniff(bytes, n);
    mb_status status = mb_load_memory(NULL, &p, &info, bytes, n, "x", &limits, &err);
    bool turned = info.orientation >= 5;
    const bool turns_itself =
        s.type == MB_FILE_HEIC || s.type == MB_FILE_AVIF || s.type == MB_FILE_JXL; /* not by EXIF */
    if (status == MB_OK && turns_itself ? p.width * p.height > s.width * s.height
        : status == MB_OK ? p.width != (turned ? s.height : s.width) || p.height != (turned ? s.width : s.height)
                          : err.message[0] == '\0' || p.v != NULL) {
        abort();
    }
    if (metadata.icc_bytes > n * 1100 || metadata.exif_bytes > n) { /* deflate cannot give more */
        abort();
    }
    mb_metadata_dispose(&metadata);
    mb_load_info_dispose(&info);
    mb_image_u8_dispose(&p);
    return 0;
}
