/* GIF, frame by frame: where each frame lies, how long it stays, and its palette numbers. */
#ifndef MB_IMAGE_CODEC_GIF_H
#define MB_IMAGE_CODEC_GIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A walk through the blocks of a file; it reads nothing beyond `n`. */
typedef struct mb_gif {
    const uint8_t *v;
    size_t n, at;           /* of the next block */
    int width, height;      /* of the screen */
    int loops;              /* how often it is played, 0: for ever; complete after the last frame */
    const uint8_t *palette; /* of the file, 3 bytes an entry; NULL: none */
    int colours;
    bool cut; /* the file ended within a block */
} mb_gif;

typedef enum mb_dispose { MB_DISPOSE_KEEP, MB_DISPOSE_CLEAR, MB_DISPOSE_RESTORE } mb_dispose;

typedef struct mb_gif_frame {
    int x, y, width, height;
    double duration_ms;
    mb_dispose dispose;
    int transparent; /* palette number, -1: none */
    bool interlaced;
    const uint8_t *palette; /* the frame's or the file's; NULL: none */
    int colours;
    size_t data; /* where its compressed data begins */
} mb_gif_frame;

/* False: no GIF header. */
bool mb_gif_open(mb_gif *g, const uint8_t *bytes, size_t n);
/* The next frame, and the walk behind its data; false: there is none, or g->cut. */
bool mb_gif_next(mb_gif_frame *out, mb_gif *g);
/* dst: width*height palette numbers, row by row, uninterlaced. Returns how many there are in the data, fewer if it is
 * damaged or ends early: then the rest of dst, and rows that an interlaced frame lacks, are untouched. `codes` is
 * scratch of MB_GIF_SCRATCH bytes. */
#define MB_GIF_SCRATCH ((size_t)4096 * 4)
size_t mb_gif_indices(uint8_t *dst, const mb_gif *g, const mb_gif_frame *f, uint8_t *scratch);

#endif
