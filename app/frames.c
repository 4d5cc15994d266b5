/* Frames on their way through a batch (frames.h).
 *
 * A frame is an item like any: it is named, skipped, sharded and reported by itself. Two things are kept from one frame
 * to the next: the open file, since animations are composed in order, and the animation that is being written. */
#include "frames.h"
#include "commands.h"
#include "message.h"

#include "core/os_file.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(void)
{
    return message_error(CODE_MACHINE, NULL, "out of memory");
}

static int has_ending(const char *path, const char *ending)
{
    const size_t n = strlen(path), k = strlen(ending);
    return n > k && strcasecmp(path + n - k, ending) == 0;
}

/* --frames all -o NAME.webp: the name says that all of it goes into one file. */
static int names_animation(const args *a, int n_files)
{
    if (a->output == NULL || n_files != 1 || mb_os_is_folder(a->output)) {
        return 0;
    }
    return strcmp(a->output, "-") == 0 || has_ending(a->output, ".webp") || has_ending(a->output, ".png") ||
           has_ending(a->output, ".apng");
}

/* Only these can hold more than one: others are not read twice. */
static int may_have_frames(const char *path)
{
    static const char *const formats[] = {"GIF", "PNG", "WebP", "TIFF", "HEIC", "AVIF", "JPEG XL"};
    mb_image_source seen = {.size = sizeof seen};
    if (mb_image_probe(&seen, path, NULL) != MB_OK) {
        return 0;
    }
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(seen.format, formats[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* How many frames an input has; 0: it cannot be opened, which its job will report. */
static void count_frames(mb_frames_info *out, const item *it, const args *a)
{
    mb_load_options o = load_options(a);
    mb_frames *frames = NULL;
    mb_error err = {0};
    *out = (mb_frames_info){.n_frames = 1};
    if (!it->exists || !may_have_frames(it->path)) {
        return;
    }
    out->n_frames = 0;
    if (mb_frames_open(&frames, it->path, &o, &err) == MB_OK) {
        *out = *mb_frames_get_info(frames);
    }
    mb_frames_free(frames);
}

/* Copies of an item, one for each frame. */
static int add_frames(item_list *to, const item *it, const mb_frames_info *info, int together)
{
    const int n = info->n_frames > 0 ? info->n_frames : 1;
    for (int k = 1; k <= n; k++) {
        item *v = to->n < to->capacity ? &to->v[to->n] : NULL;
        if (v == NULL) {
            int capacity = to->capacity > 0 ? 2 * to->capacity : 64;
            item *grown = realloc(to->v, (size_t)capacity * sizeof *grown);
            if (grown == NULL) {
                return no_memory();
            }
            to->v = grown;
            to->capacity = capacity;
            v = &to->v[to->n];
        }
        *v = *it;
        v->path = text_of("%s", it->path);
        v->below = text_of("%s", it->below);
        to->n++;
        if (v->path == NULL || v->below == NULL) {
            return no_memory();
        }
        if (info->n_frames != 1) {
            v->frame = k;
            v->n_frames = n;
            v->loops = info->loops;
            v->animated = info->animated;
            v->together = together;
        }
    }
    return CODE_OK;
}

/* What cannot become one animation. */
static int check_together(const args *a)
{
    if (args_given(a, "crop")) {
        return message_error(CODE_USAGE, "--frames all -o DIR/ writes each by itself",
                             "--crop makes frames of different sizes, and an animation has one size");
    }
    if (a->format == MB_FORMAT_JPEG) {
        return message_error(CODE_USAGE, "--format webp or png", "JPEG has no animations");
    }
    return CODE_OK;
}

int frames_expand(item_list *list, const args *a)
{
    item_list all = {0};
    int code = CODE_OK, some = 0;
    list->n_files = list->n;
    if (a->frames == FRAMES_FIRST) {
        return CODE_OK;
    }
    const int together = a->frames == FRAMES_ANIMATION || names_animation(a, list->n);
    if (list->n == 1 && strcmp(list->v[0].path, "-") == 0) {
        return message_error(CODE_USAGE, "save it to a file first", "--frames needs a file: stdin is read once");
    }
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        mb_frames_info info;
        count_frames(&info, &list->v[i], a);
        code = interrupted() ? CODE_INTERRUPTED : code;
        code = code == CODE_OK ? add_frames(&all, &list->v[i], &info, together) : code;
        some |= info.n_frames > 1;
    }
    all.not_pictures = list->not_pictures;
    all.missing = list->missing;
    all.unread = list->unread;
    all.n_files = list->n_files;
    inputs_dispose(list);
    *list = all;
    return code == CODE_OK && together && some ? check_together(a) : code;
}

/* ---- reading */

mb_status frame_reader_load(mb_image *out, mb_image_source *source, double *duration_ms, frame_reader *r,
                            const char *path, const item *it, const mb_load_options *o, mb_error *err)
{
    mb_status status = MB_OK;
    if (r->path == NULL || strcmp(r->path, path) != 0) {
        frame_reader_close(r);
        status = mb_frames_open(&r->frames, path, o, err);
        r->path = status == MB_OK ? text_of("%s", path) : NULL;
    }
    if (status != MB_OK) {
        return status;
    }
    const int n = mb_frames_get_info(r->frames)->n_frames;
    if (n != it->n_frames && n != 1) {
        return own_error(err, MB_E_MISMATCH, "%.300s has %d frames, and %.100s has %d", path, n, it->path,
                         it->n_frames);
    }
    status = mb_frames_read(out, source, duration_ms, r->frames, n == 1 ? 0 : it->frame - 1, o, err);
    if (it->frame == it->n_frames) {
        frame_reader_close(r);
    }
    return status;
}

void frame_reader_close(frame_reader *r)
{
    mb_frames_free(r->frames);
    free(r->path);
    *r = (frame_reader){0};
}

/* ---- writing */

void frame_writer_drop(frame_writer *w)
{
    for (int k = 0; k < OUT_KINDS; k++) {
        mb_animation_free(w->files[k]);
        w->files[k] = NULL;
    }
    w->next = 0;
}

/* The last frame is in: the file takes its name. */
static int finish(mb_animation *file, const char *path, mb_error *err)
{
    mb_status status;
    if (strcmp(path, "-") != 0) {
        status = mb_animation_save(file, path, err);
    } else {
        void *data = NULL;
        size_t n = 0;
        status = mb_animation_encode(&data, &n, file, err);
        if (status == MB_OK && (fwrite(data, 1, n, stdout) != n || fflush(stdout) != 0)) {
            status = own_error(err, MB_E_IO, "standard output could not be written");
        }
        mb_buffer_free(data);
    }
    return status == MB_OK ? CODE_OK : failure_code(status, CODE_OUTPUT);
}

int frame_writer_add(frame_writer *w, const job *j, const batch *b, mb_error *err)
{
    const item *it = j->it;
    const mb_image *images[OUT_KINDS] = {&j->result->cutout, &j->result->alpha, &j->result->trimap};
    int code = CODE_OK;
    if (it->frame == 1) {
        frame_writer_drop(w);
        w->next = 1;
    }
    if (w->next != it->frame) {
        (void)own_error(err, MB_E_FORMAT, "not written: the animation lacks an earlier frame");
        return CODE_SOME;
    }
    for (int k = 0; k < OUT_KINDS && code == CODE_OK; k++) {
        if (it->out[k] == NULL || images[k]->data == NULL) {
            continue;
        }
        mb_save_options o = save_options(images[k], b->a, &j->kept, b->list->n_files == 1);
        o.format = o.format != MB_FORMAT_AUTO             ? o.format
                   : has_ending(it->out[k], ".webp") != 0 ? MB_FORMAT_WEBP
                                                          : MB_FORMAT_PNG;
        mb_status status = w->files[k] == NULL ? mb_animation_create(&w->files[k], it->loops, &o, err) : MB_OK;
        /* Pages have no durations: a second each. */
        const double ms = it->animated ? j->duration_ms : 1000.0;
        status = status == MB_OK ? mb_animation_add(w->files[k], images[k], ms, err) : status;
        code = status == MB_OK ? CODE_OK : failure_code(status, CODE_OUTPUT);
        if (code == CODE_OK && it->frame == it->n_frames) {
            code = finish(w->files[k], it->out[k], err);
        }
    }
    w->next++;
    if (code != CODE_OK || it->frame == it->n_frames) {
        frame_writer_drop(w);
    }
    return code;
}
