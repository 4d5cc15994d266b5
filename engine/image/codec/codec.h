/* What the decoders share: the job that load.c hands to the one that fits. */
#ifndef MB_IMAGE_CODEC_CODEC_H
#define MB_IMAGE_CODEC_CODEC_H

#include "image/codec/budget.h"
#include "image/codec/load.h"
#include "image/codec/profile.h"
#include "image/codec/sniff.h"

/* In: bytes, head (its size has passed the limits), limits, budget. Out: a picture of exactly head's size in `out`
 * (load.c disposes of it after errors).
 *
 * Data that ends early is not an error of the decoder: it sets `ended_early` and `rows` (whole rows that are there; -1
 * where that cannot be said), leaves the rest black, and load.c decides. */
typedef struct mb_decode_job {
    const uint8_t *bytes;
    size_t n;
    mb_sniffed head;
    const mb_load_limits *limits;
    const mb_task *task;
    mb_budget *budget;
    mb_image_u8 *out; /* RGB */
    mb_load_info *info;
    bool ended_early;
    bool by_profile; /* CMYK was converted to sRGB by its profile */
    int64_t rows;
    void *user; /* of mb_load_by */
    mb_error *err;
} mb_decode_job;

typedef mb_status (*mb_decode_fn)(mb_decode_job *job);

#if MB_HAVE_JPEG
mb_status mb_decode_jpeg(mb_decode_job *job);
const char *mb_jpeg_version(void); /* "libjpeg-turbo 2.1.5" */
#endif
#if MB_HAVE_PNG
mb_status mb_decode_png(mb_decode_job *job);
const char *mb_png_version(void);
#endif
#if MB_HAVE_WEBP
mb_status mb_decode_webp(mb_decode_job *job);
void mb_webp_version(char *text, size_t n);
#endif
#if MB_HAVE_TIFF
mb_status mb_decode_tiff(mb_decode_job *job);
int mb_tiff_count(mb_decode_job *job); /* pages, counted up to one more than limits->max_frames; 0: cannot be opened */
void mb_tiff_version(char *text, size_t n);
#endif
#if MB_HAVE_HEIF
mb_status mb_decode_heif(mb_decode_job *job); /* may make job->head smaller, or turn it */
int mb_heif_count(mb_decode_job *job);
void mb_heif_version(char *text, size_t n);
#endif
#if MB_HAVE_JXL
mb_status mb_decode_jxl(mb_decode_job *job);
int mb_jxl_count(mb_decode_job *job, int *loops); /* loops: of an animation, 0: for ever */
void mb_jxl_version(char *text, size_t n);
#endif
mb_status mb_decode_gif(mb_decode_job *job);
mb_status mb_decode_stb(mb_decode_job *job);
mb_status mb_decode_bmp(mb_decode_job *job);
mb_status mb_decode_hdr(mb_decode_job *job);
mb_status mb_decode_psd(mb_decode_job *job);
mb_status mb_decode_pnm(mb_decode_job *job);

/* Another decoder than that of the file's type, and what is known of the file: it is not looked through again for each of its
 * frames. */
typedef struct mb_load_way {
    mb_decode_fn decoder; /* NULL: the type's, and nothing is known */
    void *user;           /* goes to job->user */
    const mb_sniffed *head;
    int orientation;
    const mb_metadata *metadata; /* as mb_metadata_read gives it; NULL: it is not wanted */
} mb_load_way;

/* mb_load_memory in that way. */
MB_MUST_CHECK mb_status mb_load_by(const mb_load_way *by, const mb_task *task, mb_image_u8 *out, mb_load_info *info,
                                   const void *bytes, size_t n, const char *name, const mb_load_limits *limits,
                                   mb_error *err);
/* Whether the size that a header declares passes the limits. */
bool mb_load_within_limits(const mb_sniffed *head, const mb_load_limits *limits);

/* Whether `left` bytes of the file can hold `rows` rows of at least `row` bytes each; true for small pictures, and where those
 * that end early are welcome. False: that it does is noted, and nothing has to be allocated to find that a small file claims a
 * large picture. */
bool mb_decode_may_fit(mb_decode_job *job, size_t row, size_t rows, size_t left);
/* Creates job->out, black, of the size that the header says. */
MB_MUST_CHECK mb_status mb_decode_begin(mb_decode_job *job);
/* After it, for files of 16 bits: creates job->info->u16, black, if 16 bits are wanted. */
MB_MUST_CHECK mb_status mb_decode_begin_u16(mb_decode_job *job);
/* After both, for files with transparency: creates job->info->alpha_plane, opaque, and u16_alpha beside u16, if alpha is
 * wanted. */
MB_MUST_CHECK mb_status mb_decode_begin_alpha(mb_decode_job *job);
/* For pages of a size of their own: checks it against the limits, and makes it the head's and the budget's. */
MB_MUST_CHECK mb_status mb_decode_set_size(mb_decode_job *job, int64_t width, int64_t height);
/* The conversion of a CMYK picture whose profile is in limits->metadata by now; NULL: by the plain formula. Freed by
 * the decoder. */
mb_to_srgb *mb_decode_cmyk_profile(mb_decode_job *job);
/* Between rows. */
MB_MUST_CHECK static inline mb_status mb_decode_check(const mb_decode_job *job)
{
    return mb_task_check(job->task, job->err);
}
/* dst: n RGB pixels from n grey ones. */
void mb_spread_gray(uint8_t *dst, const uint8_t *gray, size_t n);

#endif
