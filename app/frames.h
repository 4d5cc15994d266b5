/* --frames: files of several pictures, each frame an input of its own, or one animation of all their results. */
#ifndef APP_FRAMES_H
#define APP_FRAMES_H

#include "batch.h"

/* --frames, by its choices. */
enum { FRAMES_FIRST, FRAMES_ALL, FRAMES_ANIMATION };

/* Turns each file of several frames into as many items, and counts the shards after that. The number of files becomes
 * list->n_files. CODE_OK, CODE_USAGE or CODE_MACHINE. */
int frames_expand(item_list *list, const args *a);

/* Reads frame it->frame of a file; the file stays open for the next one. For the loader's thread alone. */
typedef struct frame_reader {
    mb_frames *frames;
    char *path;
} frame_reader;
/* Frame `frame` (from 1) of `of` ones; a file of a single picture serves for all. data: NULL, or stdin's bytes. */
mb_status frame_reader_load(mb_image *out, mb_image_source *source, double *duration_ms, frame_reader *r,
                            const char *path, const item *it, const mb_load_options *o, mb_error *err);
void frame_reader_close(frame_reader *r);

/* The animations that are being written, one of each kind of result. For the saver's thread alone. */
typedef struct frame_writer {
    mb_animation *files[OUT_KINDS];
    int next; /* the frame that is expected; 0: one has failed, and the animation with it */
} frame_writer;
/* Adds a job's results; after the last frame the files are written. CODE_OK, or the code of the failure (err). */
int frame_writer_add(frame_writer *w, const job *j, const batch *b, mb_error *err);
/* A frame that has no results: the animation is given up. */
void frame_writer_drop(frame_writer *w);

#endif
