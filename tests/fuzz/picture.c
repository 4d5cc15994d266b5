/* F6: any bytes as a picture file of one kind (FUZZ_TYPE), so that each decoder is a target of its own. What is read has
 * the size that the header says and keeps to its limits; an error has a message and leaves nothing behind. */
#include "fuzz.h"
#include "image/codec/load.h"
#include "image/codec/sniff.h"

#ifndef FUZZ_OTHER
#define FUZZ_OTHER FUZZ_TYPE /* a second kind of the same decoder */
#endif

#define MEGAPIXELS 0.01 /* small pictures are decoded fast, and have all that large ones have */

static void check_size(const mb_sniffed *s, const mb_load_info *info, const mb_image_u8 *p)
{
    const bool turned = info->orientation >= 5;
    const int64_t width = turned ? p->height : p->width, height = turned ? p->width : p->height;
    const bool turns_itself = /* not by EXIF */
        s->type == MB_FILE_HEIC || s->type == MB_FILE_AVIF || s->type == MB_FILE_JXL;
    FUZZ_MUST(turns_itself ? width * height <= s->width * s->height : width == s->width && height == s->height);
    FUZZ_MUST(width * height <= (int64_t)(1e6 * MEGAPIXELS) && p->channels == 3 && p->v != NULL);
    FUZZ_MUST(info->alpha_plane.v == NULL ||
              (info->alpha_plane.width == p->width && info->alpha_plane.height == p->height));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const mb_sniffed s = mb_sniff(bytes, n);
    if (s.type != FUZZ_TYPE && s.type != FUZZ_OTHER) {
        (void)mb_sniff_guess(bytes, n);
        return 0;
    }
    mb_load_limits limits;
    mb_load_info info;
    mb_image_u8 p;
    mb_metadata metadata;
    mb_error err = {0};
    mb_load_limits_init(&limits);
    mb_metadata_init(&metadata);
    limits.max_megapixels = MEGAPIXELS;
    limits.accept_partial = n % 2 == 0;
    limits.keep_alpha = limits.keep_depth = n % 3 != 0;
    limits.metadata = n % 5 != 0 ? &metadata : NULL;
    fuzz_fault_begin(bytes, n);
    const mb_status status = mb_load_memory(NULL, &p, &info, bytes, n, "x", &limits, &err);
    (void)fuzz_fault_end();
    if (status == MB_OK) {
        check_size(&s, &info, &p);
    } else {
        FUZZ_MUST(err.message[0] != '\0' && err.code == status && p.v == NULL && info.u16 == NULL);
    }
    FUZZ_MUST(metadata.icc_bytes <= n * 1100 && metadata.exif_bytes <= n); /* deflate cannot give more */
    mb_metadata_dispose(&metadata);
    mb_load_info_dispose(&info);
    mb_image_u8_dispose(&p);
    return 0;
}
