/* What picture files say beside their pixels: ICC profile, resolution, EXIF. See mb_metadata of the public header. */
#ifndef MB_IMAGE_CODEC_METADATA_H
#define MB_IMAGE_CODEC_METADATA_H

#include "image/codec/sniff.h"

/* A slice of a file. */
typedef struct mb_bytes {
    const uint8_t *v; /* NULL: not found */
    size_t n;
} mb_bytes;

/* The data of the first chunk of that name: of PNG (length, name, data, checksum; riff false) or RIFF (name, length,
 * data, padded to even), from byte `at` on. */
mb_bytes mb_find_chunk(mb_bytes file, size_t at, const char *name, bool riff);
/* The contents of the first box of that name on the outermost level of an ISO base media file. */
mb_bytes mb_find_box(mb_bytes file, const char *name);
/* The data of a Photoshop document's image resource of that number. */
mb_bytes mb_find_psd_resource(mb_bytes file, unsigned id);
/* The EXIF block of JPEG, PNG, WebP, as the TIFF structure that it is. */
mb_bytes mb_find_exif(mb_file_type type, mb_bytes file);

/* Fills *out (zeroes; the caller disposes) with copies of what the file has and is sound. What is damaged is left out:
 * only MB_E_MEMORY is an error. JPEG, PNG, WebP, PSD; other types give nothing. */
MB_MUST_CHECK mb_status mb_metadata_read(mb_metadata *out, mb_file_type type, mb_bytes file, mb_error *err);
/* The same from what mb_metadata_read gave before. */
MB_MUST_CHECK mb_status mb_metadata_copy(mb_metadata *out, const mb_metadata *from, mb_error *err);
/* Takes a copy of a sound profile, of whatever colours. */
MB_MUST_CHECK mb_status mb_metadata_set_icc(mb_metadata *out, mb_bytes icc, mb_error *err);
/* A profile of the colours that a file names otherwise (colour_space.h), where it has no profile. MB_E_MEMORY. */
MB_MUST_CHECK mb_status mb_metadata_set_code_points(mb_metadata *m, unsigned primaries, unsigned transfer,
                                                    mb_error *err);
/* The colours that its profile is for; RGB without one. */
typedef enum mb_icc_colours { MB_ICC_RGB, MB_ICC_GRAY, MB_ICC_CMYK, MB_ICC_OTHER } mb_icc_colours;
mb_icc_colours mb_metadata_icc_colours(const mb_metadata *m);
/* Takes the profile out; the note says why. */
void mb_metadata_drop_icc(mb_metadata *m, const char *note);
/* Takes a copy of an EXIF block (a TIFF structure): the orientation becomes 1, the thumbnail goes. Where no resolution
 * is known yet, its own counts. */
MB_MUST_CHECK mb_status mb_metadata_set_exif(mb_metadata *out, mb_bytes exif, mb_error *err);

#endif
