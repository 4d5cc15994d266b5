/* Working through many pictures: decoding the next and encoding the last overlap with computing, results and reports
 * keep the order of the inputs, and a bad picture never stops the others. */
#ifndef APP_BATCH_H
#define APP_BATCH_H

#include "inputs.h"
#include "json.h"

typedef enum job_state { JOB_WAITING, JOB_LOADED, JOB_DONE, JOB_FAILED, JOB_SKIPPED, JOB_CANCELLED } job_state;

/* One picture on its way. */
typedef struct job {
    const item *it;
    job_state state;
    int code; /* exit code of a failure */
    mb_error err;
    mb_image photo, given_mask, given_trimap;
    mb_image_source source;
    mb_image background;        /* in the photo's colour profile, where that is not the background's */
    mb_metadata metadata, kept; /* the photo's; what its results get of that (borrowed from metadata) */
    mb_pending *pending;        /* started, not computed yet */
    mb_result *result;
    double ms_decode, ms_encode;
    double duration_ms; /* of a frame of an animation */
    char warning[400];
} job;

typedef struct batch {
    const args *a;
    const item_list *list;
    const mb_options *options;
    mb_pipeline *const *pipelines; /* one for each device; pictures are dealt out among them */
    int n_pipelines;
    const mb_context *context; /* of the first */
    const char *model_path, *detail;
    int refine_only;                            /* the masks come from files */
    struct frame_reader *reader, *guide_reader; /* of the loader's thread */
    struct frame_writer *writer;                /* of the saver's */
    /* outcome */
    int n_done, n_failed, n_skipped, n_cancelled;
    int code_output, code_machine, code_model, code_other; /* failures by kind */
    double started_ms;
} batch;

#define MAX_DEVICES 16

/* The exit code. */
int batch_run(batch *b);
/* The same without summary and exit code: the outcome is added to that of earlier passes. */
void batch_pass(batch *b);

/* One picture's steps, used by batch_run and tested through it. */
void job_load(job *j, const batch *b);
void job_start(job *j, const batch *b, mb_pipeline *pipeline); /* what a GPU does for it; job_compute must follow */
void job_compute(job *j, const batch *b, mb_pipeline *pipeline);
void job_save(job *j, const batch *b);
void job_dispose(job *j);

void add_warning(job *j, const char *text);
/* What of the photo's metadata its results shall have: j->kept. */
void select_metadata(job *j, const args *a);
/* Before and after a picture is computed: the background and the result in the right colours (colour.c). */
mb_status fit_background(job *j, const batch *b, mb_pipeline *pipeline, mb_error *err);
mb_status finish_colours(job *j, const batch *b, mb_error *err);
/* How pictures are read, as the command line says. */
mb_load_options load_options(const args *a);
/* How pictures become masks, likewise; the photo's size is for the caller to add. */
mb_mask_options mask_options(const args *a);
/* Reads a mask or trimap; note: what the user should know of how it was read, or "". */
mb_status load_mask(mb_image *out, char *note, size_t note_bytes, const char *path, const args *a,
                    const mb_mask_options *how, mb_error *err);
/* What the user should know of a trimap that was made: "" or a line with options in it. */
const char *trimap_note(const mb_image *trimap);
/* How results are written, likewise. */
mb_save_options save_options(const mb_image *image, const args *a, const mb_metadata *metadata, int alone);
/* Writes an image where it belongs: a file, or stdout for "-"; alone: with all threads. CODE_OK or CODE_OUTPUT (err has
 * the story). */
int save_image(const mb_image *image, const char *path, const args *a, const mb_metadata *metadata, int alone,
               mb_error *err);

void report_job(const job *j, const batch *b);
void report_summary(const batch *b, int code);
double clock_ms(void);

#endif
