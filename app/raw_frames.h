/* Frames without a container, as `mattebox frames` reads them from stdin and writes them to stdout: raw pixels of a size
 * that is known, or YUV4MPEG2, which says its own. */
#ifndef APP_RAW_FRAMES_H
#define APP_RAW_FRAMES_H

#include <mattebox.h>
#include <stddef.h>

/* What stdin holds (--pix): names as ffmpeg's -pix_fmt has them. 16-bit samples are little-endian. */
typedef enum raw_pixels { RAW_RGB24, RAW_BGR24, RAW_RGBA, RAW_BGRA, RAW_GRAY, RAW_RGB48LE, RAW_RGBA64LE } raw_pixels;
const char *raw_pixels_name(int pixels); /* NULL after the last */

/* What stdout gets (--out). GRAY and GRAY16LE are alpha alone; YUVA444P has four planes of 8 bits. */
typedef enum raw_output {
    OUT_RGBA,
    OUT_BGRA,
    OUT_RGBA64LE,
    OUT_RGB24,
    OUT_GRAY,
    OUT_GRAY16LE,
    OUT_YUVA444P,
    OUT_FORMATS
} raw_output;
const char *raw_output_name(int output); /* NULL after the last */

/* Colour matrix of YUV (--matrix); AUTO: BT.709 from 720 rows on, else BT.601, as players do. */
typedef enum yuv_matrix { MATRIX_AUTO, MATRIX_BT601, MATRIX_BT709 } yuv_matrix;
const char *yuv_matrix_name(int matrix); /* NULL after the last */

typedef struct frame_format {
    int width, height; /* pixels, 1 to 65535 */
    int is_yuv;        /* YUV4MPEG2; else `pixels` */
    raw_pixels pixels;
    /* of YUV */
    yuv_matrix matrix;    /* never AUTO */
    int bits;             /* of a sample, 8 to 16; above 8 in two bytes, little-endian */
    int mono;             /* no chroma planes */
    int shift_x, shift_y; /* chroma has a sample for every 1 << shift pixels */
    int left;             /* chroma lies on the left pixel of each pair, not between them */
    int full_range;       /* 0 to 255 instead of 16 to 235 */
    size_t bytes;         /* of a frame */
} frame_format;

/* Fills in `bytes`. Errors: MB_E_ARGUMENT (too large). */
mb_status frame_format_raw(frame_format *out, int width, int height, raw_pixels pixels, mb_error *err);
/* Reads the head line of a YUV4MPEG2 stream ("YUV4MPEG2 W64 H48 F25:1 Ip C420jpeg", without the line feed). *warning is
 * NULL or a text to show. Errors: MB_E_FORMAT, MB_E_UNSUPPORTED. */
mb_status frame_format_yuv(frame_format *out, const char **warning, const char *line, yuv_matrix matrix, mb_error *err);

/* The picture that a frame's bytes are, with pixels of its own; dispose of it. Raw frames of 16 bits are turned into the
 * machine's order. Errors: MB_E_MEMORY. */
mb_status frame_read(mb_image *out, const frame_format *format, const unsigned char *bytes, mb_error *err);

/* Bytes of a frame that is written, and its samples' bits. */
size_t frame_out_bytes(raw_output output, const frame_format *format);
int frame_out_depth(raw_output output);
int frame_out_has_colours(raw_output output);
/* Writes a result in this format. yuva444p takes the matrix and range of `format`. Errors: MB_E_ARGUMENT, MB_E_MEMORY. */
mb_status frame_write(unsigned char *out, raw_output output, const frame_format *format, const mb_result *result,
                      mb_error *err);

#endif
