/* F6, what stands beside the pixels: any bytes as the EXIF, ICC profile and resolution of each kind of file, and as an EXIF
 * block and a profile themselves. What comes out is no larger than what went in allows. */
#include "fuzz.h"
#include "image/codec/exif.h"
#include "image/codec/metadata.h"
#include "image/codec/profile.h"

#include "mattebox.h"

static void check(mb_metadata *m, mb_status status, size_t n)
{
    FUZZ_MUST(status == MB_OK || status == MB_E_MEMORY);
    FUZZ_MUST(m->icc_bytes <= n * 1100 && m->exif_bytes <= n);
    FUZZ_MUST((m->icc == NULL) == (m->icc_bytes == 0) && (m->exif == NULL) == (m->exif_bytes == 0));
    (void)mb_metadata_icc_colours(m);
    mb_metadata_dispose(m);
    mb_metadata_init(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const mb_file_type types[] = {MB_FILE_JPEG, MB_FILE_PNG, MB_FILE_WEBP, MB_FILE_PSD, MB_FILE_TIFF};
    const mb_bytes file = {bytes, n};
    mb_metadata m;
    mb_metadata_init(&m);
    const mb_sniffed s = mb_sniff(bytes, n);
    FUZZ_MUST(s.type < MB_FILE_TYPE_COUNT && s.width >= 0 && s.height >= 0);
    (void)mb_sniff_guess(bytes, n);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const int orientation = mb_exif_orientation(types[i], bytes, n);
        FUZZ_MUST(orientation >= 1 && orientation <= 8);
        const mb_bytes exif = mb_find_exif(types[i], file);
        FUZZ_MUST(exif.v == NULL || (exif.v >= bytes && exif.n <= (size_t)(bytes + n - exif.v)));
        check(&m, mb_metadata_read(&m, types[i], file, NULL), n);
    }
    check(&m, mb_metadata_set_exif(&m, file, NULL), n);
    check(&m, mb_metadata_set_icc(&m, file, NULL), n);
    const mb_bytes box = mb_find_box(file, "colr");
    FUZZ_MUST(box.v == NULL || (box.v >= bytes && box.n <= (size_t)(bytes + n - box.v)));
    return 0;
}
