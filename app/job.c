/* The three steps of one picture: load, compute, save.
 *
 * A job belongs to one thread at a time and is handed on by batch.c, so nothing here is locked. Its state
 * says how far it came; each step does nothing for jobs that have stopped before it. */
#include "batch.h"
#include "commands.h"
#include "frames.h"
#include "message.h"

#include "core/clock.h"

#include "core/os_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STDIN_BYTES ((size_t)1 << 30)

double clock_ms(void)
{
    return mb_clock_ms();
}

/* A job that Ctrl-C ended has not failed: it is counted as not done. */
static void fail(job *j, int code)
{
    j->state = code == CODE_INTERRUPTED ? JOB_CANCELLED : JOB_FAILED;
    j->code = code;
}

/* All of stdin, doubling. */
static mb_status read_stdin(void **out, size_t *n_bytes, mb_error *err)
{
    size_t capacity = 1u << 20, n = 0;
    char *data = malloc(capacity);
    while (data != NULL) {
        size_t got;
        int code = mb_os_read(0, data + n, capacity - n, &got);
        if (code == EINTR && !interrupted()) {
            continue;
        }
        if (code != 0 || n > MAX_STDIN_BYTES) {
            free(data);
            return own_error(err, MB_E_IO, code != 0 ? "stdin could not be read" : "stdin: more than 1 GiB");
        }
        if (got == 0) {
            *out = data;
            *n_bytes = n;
            return MB_OK;
        }
        n += got;
        if (n == capacity) {
            capacity *= 2;
            char *larger = realloc(data, capacity);
            if (larger == NULL) {
                free(data);
            }
            data = larger;
        }
    }
    return own_error(err, MB_E_MEMORY, "out of memory while reading stdin");
}

static int stop_loading(void *user)
{
    (void)user;
    return interrupted();
}

mb_load_options load_options(const args *a)
{
    mb_load_options o;
    mb_load_options_init(&o);
    o.max_megapixels = a->max_megapixels_in;
    o.accept_partial = a->accept_partial;
    o.keep_alpha = 1; /* --input-alpha decides what becomes of it */
    o.keep_depth = a->options.depth != 8;
    o.plain_colours = a->icc == ICC_DROP;
    o.max_frames = a->max_frames;
    o.max_memory = (size_t)a->max_memory;
    o.cancel = stop_loading;
    return o;
}

/* stdin has to be read to its end first: the decoders need the whole file. */
static mb_status load_any(mb_image *out, mb_image_source *source, const char *path, const mb_load_options *o,
                          mb_error *err)
{
    if (strcmp(path, "-") != 0) {
        return mb_image_load(out, source, path, o, err);
    }
    void *data = NULL;
    size_t n = 0;
    mb_status status = read_stdin(&data, &n, err);
    if (status == MB_OK) {
        status = mb_image_load_memory(out, source, data, n, o, err);
    }
    free(data);
    return status;
}

/* Warnings are one line, joined by semicolons; what is too long for it is cut off. */
void add_warning(job *j, const char *text)
{
    size_t at = strlen(j->warning);
    (void)snprintf(j->warning + at, sizeof j->warning - at, "%s%s", at > 0 ? "; " : "", text);
}

/* The options of mb_mask_read for the command line's. */
mb_mask_options mask_options(const args *a)
{
    mb_mask_options o;
    mb_mask_options_init(&o);
    o.channel = (mb_mask_channel)a->mask_channel;
    o.is_trimap = a->trimap_from != NULL;
    o.scale = a->mask_scale;
    return o;
}

/* A mask of a file, or with `it` the one for that frame. */
static mb_status load_guide(mb_image *out, char *note, size_t note_bytes, const char *path, const args *a,
                            const mb_mask_options *how, frame_reader *reader, const item *it, mb_error *err)
{
    mb_image picture = {0}, mask = {0};
    mb_load_options o = load_options(a);
    char said[200] = "";
    o.keep_alpha = o.keep_depth = 1; /* the mask may be in the one, and labels are lost without the other */
    *out = (mb_image){0};
    mb_status status = it != NULL ? frame_reader_load(&picture, NULL, NULL, reader, path, it, &o, err)
                                  : mb_image_load(&picture, NULL, path, &o, err);
    if (status == MB_OK) {
        status = mb_mask_read(&mask, said, sizeof said, &picture, how, err);
        (void)option_words(note, note_bytes, said, MB_OK);
    }
    mb_image_dispose(&picture);
    if (status == MB_OK && a->options.depth == 8 && mask.depth != MB_DEPTH_U8) {
        status = mb_image_create(out, mask.width, mask.height, MB_PIXELS_GRAY, MB_DEPTH_U8, err);
        if (status == MB_OK) {
            status = mb_image_convert(out, &mask, err);
        }
        mb_image_dispose(&mask);
        return status;
    }
    *out = mask;
    return status;
}

mb_status load_mask(mb_image *out, char *note, size_t note_bytes, const char *path, const args *a,
                    const mb_mask_options *how, mb_error *err)
{
    return load_guide(out, note, note_bytes, path, a, how, NULL, NULL, err);
}

const char *trimap_note(const mb_image *trimap)
{
    const size_t stride = trimap->row_bytes > 0 ? trimap->row_bytes : (size_t)trimap->width;
    for (int y = 0; y < trimap->height; y++) {
        const unsigned char *row = (const unsigned char *)trimap->data + (size_t)y * stride;
        if (memchr(row, 127, (size_t)trimap->width) != NULL) {
            return "";
        }
    }
    return "nothing of the trimap is unknown, grey counts as background: a larger --erode or --dilate leaves a band";
}

/* With --no-clobber: another run made them meanwhile. */
static bool results_are_there(const job *j, const batch *b)
{
    int n_wanted = 0, n_there = 0;
    mb_os_info s;
    for (int k = 0; k < OUT_KINDS && b->a->no_clobber; k++) {
        n_wanted += j->it->out[k] != NULL;
        n_there += j->it->out[k] != NULL && strcmp(j->it->out[k], "-") != 0 &&
                   mb_os_look_here(&s, j->it->out[k]) == 0 && s.kind != MB_OS_PIPE && s.kind != MB_OS_CHARACTER_DEVICE;
    }
    return n_there > 0 && n_there == n_wanted;
}

/* What of the photo's metadata its results shall have. */
void select_metadata(job *j, const args *a)
{
    mb_metadata *m = &j->metadata;
    if (m->note[0] != '\0' && a->icc != ICC_DROP) {
        add_warning(j, m->note);
    }
    mb_metadata kept = *m;
    if (a->icc == ICC_DROP) {
        kept.icc = NULL;
    }
    if (a->metadata != METADATA_KEEP) {
        kept.exif = NULL;
    }
    j->kept = kept;
}

/* Files of a watched folder come and go: that is no failure. */
static void skip_gone(job *j)
{
    add_warning(j, "gone before it was read");
    j->state = JOB_SKIPPED;
}

/* Runs in the loader's thread. Everything that can be wrong with the files ends here, in the job: the
 * batch goes on. */
void job_load(job *j, const batch *b)
{
    const args *a = b->a;
    double start = clock_ms();
    if (interrupted()) {
        j->state = JOB_CANCELLED;
        return;
    }
    if (j->it->skip) {
        j->state = JOB_SKIPPED;
        return;
    }
    if (j->it->refused != NULL) {
        fail(j, CODE_SOME);
        (void)own_error(&j->err, MB_E_ARGUMENT, "%s", j->it->refused);
        return;
    }
    if (!j->it->exists && a->watch) {
        skip_gone(j);
        return;
    }
    if (!j->it->exists) {
        fail(j, CODE_SOME);
        char why[256];
        (void)own_error(&j->err, MB_E_IO, "%s",
                        mb_os_name_trouble(why, sizeof why, j->it->path) ? why : "no such file");
        return;
    }
    if (b->refine_only && j->it->guide == NULL) {
        fail(j, CODE_SOME);
        const char *kind = a->mask_from != NULL ? "mask" : "trimap";
        char names[200];
        (void)own_error(&j->err, MB_E_IO, "%.200s: no %s for it in %.100s\nlooked for %s", j->it->path, kind,
                        a->mask_from != NULL ? a->mask_from : a->trimap_from,
                        guide_names(names, sizeof names, j->it->path, kind));
        return;
    }
    /* The names were checked when the batch began; on a shared folder another machine may have been faster since. */
    if (results_are_there(j, b)) {
        j->state = JOB_SKIPPED;
        return;
    }
    /* The photo, then its mask or trimap by the same limits. */
    j->source = (mb_image_source){.size = sizeof j->source};
    mb_image_source seen = {.size = sizeof seen};
    /* A full disk or a folder that is gone is found before the network runs, not after. */
    double bytes = mb_image_probe(&seen, j->it->path, NULL) == MB_OK ? 4.0 * seen.width * seen.height : 0.0;
    bytes = bytes > 4e6 * a->max_megapixels_in ? 0.0 : bytes; /* too large anyway, which reading it will say */
    if (!outputs_writable(j->it, bytes, &j->err)) {
        fail(j, CODE_OUTPUT);
        return;
    }
    mb_load_options o = load_options(a);
    mb_metadata_init(&j->metadata);
    o.metadata = &j->metadata;
    const item *frame = j->it->frame > 0 ? j->it : NULL;
    mb_status status = frame != NULL ? frame_reader_load(&j->photo, &j->source, &j->duration_ms, b->reader, frame->path,
                                                         frame, &o, &j->err)
                                     : load_any(&j->photo, &j->source, j->it->path, &o, &j->err);
    char note[200] = "";
    if (status == MB_OK && j->it->guide != NULL) {
        mb_image *guide = a->mask_from != NULL ? &j->given_mask : &j->given_trimap;
        mb_mask_options how = mask_options(a);
        how.width = j->photo.width;
        how.height = j->photo.height;
        how.orientation = j->source.orientation;
        how.photo = &j->photo;
        status = load_guide(guide, note, sizeof note, j->it->guide, a, &how, b->guide_reader, frame, &j->err);
    }
    if (status == MB_E_CANCELLED) {
        j->state = JOB_CANCELLED;
        return;
    }
    if (status == MB_E_IO && a->watch && !mb_os_exists(j->it->path)) {
        skip_gone(j);
        return;
    }
    if (status != MB_OK) {
        fail(j, failure_code(status, CODE_SOME));
        return;
    }
    (void)snprintf(j->warning, sizeof j->warning, "%s", j->source.warning);
    if (note[0] != '\0') {
        add_warning(j, note);
    }
    select_metadata(j, a);
    j->ms_decode = clock_ms() - start;
    j->state = JOB_LOADED;
}

/* A file that is wrong when a network runs is the model's: the pictures were read before. */
static int code_of_run(mb_status status)
{
    return status == MB_E_FORMAT ? CODE_MODEL : code_of_status(status);
}

/* Queues the picture on its device and returns; on a CPU nothing happens yet. Masks from files have no
 * network to queue. */
void job_start(job *j, const batch *b, mb_pipeline *pipeline)
{
    if (j->state != JOB_LOADED || b->refine_only) {
        return;
    }
    mb_status status = mb_pipeline_start(&j->pending, pipeline, &j->photo, &j->err);
    if (status != MB_OK) {
        fail(j, code_of_run(status));
    }
}

/* Runs in the thread of the device. The decoded pictures are released as soon as the result is there:
 * between computing and saving a job holds its results alone. */
void job_compute(job *j, const batch *b, mb_pipeline *pipeline)
{
    if (j->state != JOB_LOADED) {
        return;
    }
    mb_status status = fit_background(j, b, pipeline, &j->err);
    if (status != MB_OK) {
        mb_pending_free(j->pending);
        j->pending = NULL;
    } else if (b->refine_only) {
        status = mb_pipeline_refine(&j->result, pipeline, &j->photo, j->given_mask.data != NULL ? &j->given_mask : NULL,
                                    j->given_trimap.data != NULL ? &j->given_trimap : NULL, &j->err);
    } else {
        status = mb_pipeline_finish(&j->result, j->pending, &j->err);
        j->pending = NULL;
    }
    mb_image_dispose(&j->photo);
    mb_image_dispose(&j->given_mask);
    mb_image_dispose(&j->given_trimap);
    mb_image_dispose(&j->background);
    if (status == MB_OK) {
        status = finish_colours(j, b, &j->err);
    }
    if (status != MB_OK) {
        fail(j, code_of_run(status));
        return;
    }
    if (j->result->warning[0] != '\0') {
        char words[2 * sizeof j->result->warning];
        add_warning(j, option_words(words, sizeof words, j->result->warning, MB_OK));
    }
    /* Most likely nothing was found, and the cut-out is empty. */
    if (j->result->doubtful && j->result->coverage >= 0.0005) {
        char text[160];
        (void)snprintf(text, sizeof text, "doubtful, look at it: confidence %.2f (%s)", j->result->confidence,
                       j->result->confidence_basis);
        add_warning(j, text);
    }
    if (j->result->coverage < 0.0005) {
        char text[80];
        (void)snprintf(text, sizeof text, "no foreground found (%.2f %% of the picture)", 100.0 * j->result->coverage);
        add_warning(j, text);
    }
}

mb_save_options save_options(const mb_image *image, const args *a, const mb_metadata *metadata, int alone)
{
    mb_save_options o;
    mb_save_options_init(&o);
    o.overwrite = a->force;
    o.level = a->png_level;
    o.format = (mb_format)a->format;
    o.quality = a->quality;
    o.metadata = metadata;
    o.threads = alone ? a->threads : 1; /* in a batch the others are computing */
    o.note = a->options.premultiplied && (image->pixels == MB_PIXELS_RGBA) ? "premultiplied alpha" : NULL;
    return o;
}

/* Files are written by the library, under a temporary name; stdout receives the encoded file in one piece,
 * so that nothing is sent when encoding fails. */
int save_image(const mb_image *image, const char *path, const args *a, const mb_metadata *metadata, int alone,
               mb_error *err)
{
    const mb_save_options o = save_options(image, a, metadata, alone);
    mb_status status;
    if (strcmp(path, "-") != 0) {
        status = mb_image_save(image, path, &o, err);
    } else {
        void *data = NULL;
        size_t n = 0;
        status = mb_image_encode(&data, &n, image, &o, err);
        if (status == MB_OK && (fwrite(data, 1, n, stdout) != n || fflush(stdout) != 0)) {
            status = own_error(err, MB_E_IO, "standard output could not be written");
        }
        mb_buffer_free(data);
    }
    if (status == MB_OK) {
        return CODE_OK;
    }
    return failure_code(status, CODE_OUTPUT);
}

/* Runs in the saver's thread. After the first result that cannot be written the others are not tried: the
 * disk is most likely full. */
void job_save(job *j, const batch *b)
{
    if (j->state == JOB_LOADED && interrupted()) {
        j->state = JOB_CANCELLED;
    }
    if (j->state != JOB_LOADED) {
        if (j->it->together) {
            frame_writer_drop(b->writer);
        }
        return;
    }
    double start = clock_ms();
    if (j->it->together) {
        int code = frame_writer_add(b->writer, j, b, &j->err);
        j->ms_encode = clock_ms() - start;
        j->state = JOB_DONE;
        if (code != CODE_OK) {
            fail(j, code);
        }
        return;
    }
    /* The node's mask output is the refined alpha: --mask writes that. */
    int n_written = 0;
    const mb_image *images[OUT_KINDS] = {&j->result->cutout, &j->result->alpha, &j->result->trimap};
    for (int k = 0; k < OUT_KINDS; k++) {
        if (j->it->out[k] == NULL || images[k]->data == NULL) {
            continue;
        }
        int code = save_image(images[k], j->it->out[k], b->a, &j->kept, b->list->n == 1, &j->err);
        if (code != CODE_OK && b->a->no_clobber && j->err.code == MB_E_ARGUMENT) {
            j->err = (mb_error){0}; /* another run of the same folder was quicker: its result stays */
            continue;
        }
        if (code != CODE_OK) {
            fail(j, code);
            return;
        }
        n_written++;
    }
    j->ms_encode = clock_ms() - start;
    j->state = n_written > 0 ? JOB_DONE : JOB_SKIPPED;
}

void job_dispose(job *j)
{
    mb_image_dispose(&j->photo);
    mb_image_dispose(&j->given_mask);
    mb_image_dispose(&j->given_trimap);
    mb_result_free(j->result);
    mb_metadata_dispose(&j->metadata);
    mb_image_dispose(&j->background);
    *j = (job){0};
}
