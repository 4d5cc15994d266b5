/* Files of several pictures, one after the other: animations (GIF, APNG, WebP, JPEG XL), pages (TIFF), collections
 * (HEIC, AVIF). Of an animation the canvas is kept from frame to frame, nothing else: one frame is in memory. */
#ifndef MB_IMAGE_CODEC_FRAMES_H
#define MB_IMAGE_CODEC_FRAMES_H

#include "image/codec/canvas.h"
#include "image/codec/load.h"
#include "image/codec/sniff.h"

typedef struct mb_frame_file mb_frame_file;

/* How one kind of animation is walked. */
typedef struct mb_frame_walk {
    /* Back to before the first frame, the canvas clear; sets count and loops. */
    mb_status (*begin)(mb_frame_file *f, mb_error *err);
    /* Puts the next frame on the canvas; sets duration_ms. accept_partial of the limits: what there is of it. */
    mb_status (*next)(mb_frame_file *f, const mb_task *task, const mb_load_limits *limits, mb_error *err);
    void (*end)(mb_frame_file *f); /* frees `state`; may be NULL */
} mb_frame_walk;

#define MB_APNG_SHARED 3 /* chunks that all frames need */

struct mb_frame_file {
    const uint8_t *bytes; /* the caller's, kept as long as this */
    size_t n;
    char name[256]; /* of the file, for messages */
    mb_sniffed head;
    int count;            /* of its frames, at least 1 */
    int loops;            /* 0: for ever */
    bool animated;        /* its frames have durations */
    int shown;            /* the frame on the canvas; 0: none yet */
    int broken;           /* a frame that could not be read, on which the later ones rest; 0: none */
    bool unsettled;       /* memory ran out within a step: the next one starts anew */
    double duration_ms;   /* of the frame on the canvas */
    int state_ms;         /* WebP: when the frame on the canvas ends */
    int orientation;      /* of all frames of an animation, as mb_exif_orientation */
    mb_metadata metadata; /* likewise, read when it is first wanted */
    bool has_metadata;
    mb_canvas canvas;
    mb_budget budget;          /* of the canvas and the walk's state */
    const mb_frame_walk *walk; /* NULL: each frame is decoded by itself */
    union {
        mb_gif gif;
        struct {
            size_t at; /* of the next chunk */
            size_t shared[MB_APNG_SHARED];
        } apng;
        struct WebPAnimDecoder *webp;
    } state;
};

/* The walks; NULL where a build has none. */
extern const mb_frame_walk mb_gif_walk, mb_apng_walk;
#if MB_HAVE_WEBP
extern const mb_frame_walk mb_webp_walk;
#endif

/* Looks through the file, which stays the caller's. A single picture is a file of one frame. MB_E_ARGUMENT: more frames
 * than limits->max_frames; otherwise as mb_load_memory. */
MB_MUST_CHECK mb_status mb_frame_file_open(mb_frame_file *out, const void *bytes, size_t n, const char *name,
                                           const mb_load_limits *limits, mb_error *err);
/* Frame i (1 .. count) as mb_load_memory gives pictures, with info->duration_ms. Cheapest in order; going back in an
 * animation starts it anew. */
MB_MUST_CHECK mb_status mb_frame_file_load(const mb_task *task, mb_image_u8 *out, mb_load_info *info, mb_frame_file *f,
                                           int i, const mb_load_limits *limits, mb_error *err);
void mb_frame_file_close(mb_frame_file *f);

#endif
