/* Uploads become pictures. A mask must fit its photo; what is wrong with either is this request's error alone. */
#include "photos.h"
#include "stages.h"

#include <stdlib.h>
#include <string.h>

struct helper {
    decoder *d;
    lane *n;
};

helper *helper_create(server *s)
{
    helper *h = calloc(1, sizeof *h);
    const decoder_options o = {.max_megapixels = s->a->max_megapixels_in,
                               .max_memory = (size_t)s->a->max_memory,
                               .sandbox = s->a->serve.sandbox};
    if (h != NULL) {
        mb_error err = {0};
        h->d = decoder_create(&o);
        h->n = lane_create(s->lanes);
        if (h->d == NULL || h->n == NULL) {
            helper_free(h);
            return NULL;
        }
        if (decoder_start(h->d, &err) != MB_OK) {
            (void)message_status(CODE_MACHINE, NULL, &err);
        }
    }
    return h;
}

void helper_free(helper *h)
{
    if (h != NULL) {
        decoder_free(h->d);
        lane_free(h->n);
        free(h);
    }
}

static int stops(void *user)
{
    return work_stops(user);
}

/* A file of the form; 0 and the work's error where it is no usable picture. */
static int read_file(helper *h, work *w, decoded *out, form_file which, const char *name, int keep_depth)
{
    const upload *file = &w->form->files[which];
    const decode_options o = {.keep_depth = keep_depth,
                              .keep_alpha = which != FILE_BACKGROUND,
                              .accept_partial = w->a.accept_partial,
                              .deadline_ms = w->deadline_ms,
                              .cancel = stops,
                              .user = w};
    mb_error err = {0};
    decoder_fault fault = DECODER_FINE;
    if (file->bytes == 0) {
        work_fail(w, 422, "bad_picture", "%s: the file is empty", name);
        return 0;
    }
    mb_status status = decoder_read(h->d, out, &fault, file, &o, &err);
    if (status == MB_OK) {
        return 1;
    }
    if (fault == DECODER_ABSENT) {
        work_fail(w, 503, "no_decoder", "%s",
                  err.message[0] != '\0' ? err.message : "no process for decoding could be started just now");
    } else if (fault == DECODER_CRASHED) {
        work_fail(w, 422, "decoder_failed", "%s: its decoder failed", name);
    } else if (work_stops(w) || fault == DECODER_LATE) {
        work_fail_stopped(w);
    } else {
        char text[sizeof err.message + 32];
        const char *said = err.message; /* "picture" is how the library calls bytes without a name */
        said += strncmp(said, "picture: ", 9) == 0 ? 9 : 0;
        (void)snprintf(text, sizeof text, "%s: %s", name, said);
        mb_error named = {.code = err.code};
        (void)snprintf(named.message, sizeof named.message, "%.*s", (int)sizeof named.message - 1, text);
        int http = status == MB_E_ARGUMENT                                                 ? 413
                   : status == MB_E_FORMAT && strstr(err.message, "not a picture") != NULL ? 415
                                                                                           : 0;
        work_fail_with(w, http, &named);
    }
    return 0;
}

/* The mask or trimap that the client gave. */
static int read_mask(helper *h, work *w, mb_image *out, form_file which, const char *name)
{
    decoded p = {0};
    mb_error err = {0};
    char note[200] = "";
    if (!read_file(h, w, &p, which, name, 1)) {
        return 0;
    }
    mb_mask_options how = mask_options(&w->a);
    how.is_trimap = which == FILE_TRIMAP;
    how.width = w->kind == WORK_TRIMAP ? 0 : w->j.photo.width;
    how.height = w->kind == WORK_TRIMAP ? 0 : w->j.photo.height;
    how.orientation = w->kind == WORK_TRIMAP ? 1 : w->j.source.orientation;
    mb_image mask = {0};
    mb_status status = mb_mask_read(&mask, note, sizeof note, &p.image, &how, &err);
    decoded_dispose(&p);
    if (status == MB_OK && mask.depth != MB_DEPTH_U8 &&
        (w->a.options.depth == 8 || w->kind == WORK_CUT || w->form->files[FILE_HINTS].fd >= 0)) {
        status = mb_image_create(out, mask.width, mask.height, MB_PIXELS_GRAY, MB_DEPTH_U8, &err);
        if (status == MB_OK) {
            status = mb_image_convert(out, &mask, &err);
        }
        mb_image_dispose(&mask);
    } else {
        *out = mask;
    }
    if (status != MB_OK) {
        work_fail_with(w, 0, &err);
        return 0;
    }
    if (note[0] != '\0') {
        char words[2 * sizeof note];
        add_warning(&w->j, option_words(words, sizeof words, note, MB_OK));
    }
    return 1;
}

static void use_photo(work *w, const decoded *p)
{
    w->j.photo = p->image;
    w->j.source = p->source;
    w->j.metadata = p->metadata;
    if (p->source.warning[0] != '\0') {
        add_warning(&w->j, p->source.warning);
    }
    select_metadata(&w->j, &w->a);
}

/* The file or the kept photo. */
static int read_photo(helper *h, work *w)
{
    if (w->kept != NULL) {
        use_photo(w, &w->kept->picture);
        return 1;
    }
    int deep = w->a.options.depth != 8 && !w->rembg.on;
    if (!read_file(h, w, &w->photo, FILE_PHOTO, "photo", deep)) {
        return 0;
    }
    use_photo(w, &w->photo);
    return 1;
}

static int read_background(helper *h, work *w)
{
    if (w->form == NULL || w->form->files[FILE_BACKGROUND].fd < 0) {
        return 1;
    }
    if (!read_file(h, w, &w->background, FILE_BACKGROUND, "background", 0)) {
        return 0;
    }
    w->a.background_picture = w->background.image;
    w->a.background_metadata = w->background.metadata;
    w->options.background = MB_BACKGROUND_PICTURE;
    w->options.background_picture = &w->a.background_picture;
    w->a.opaque = 1;
    return 1;
}

static int read_guides(helper *h, work *w)
{
    const upload *files = w->form->files;
    int ok = 1;
    if (files[FILE_MASK].fd >= 0) {
        ok = read_mask(h, w, &w->mask, FILE_MASK, "mask");
    }
    if (ok && files[FILE_TRIMAP].fd >= 0) {
        ok = read_mask(h, w, &w->trimap, FILE_TRIMAP, "trimap");
    }
    if (ok && files[FILE_HINTS].fd >= 0) {
        decoded p = {0};
        mb_error err = {0};
        ok = read_file(h, w, &p, FILE_HINTS, "hints", 0);
        if (ok &&
            (mb_image_create(&w->hints, p.image.width, p.image.height, MB_PIXELS_RGBA, MB_DEPTH_U8, &err) != MB_OK ||
             mb_image_convert(&w->hints, &p.image, &err) != MB_OK)) {
            work_fail_with(w, 0, &err);
            ok = 0;
        }
        decoded_dispose(&p);
    }
    return ok && read_background(h, w);
}

/* A mask in, a trimap out: no network, so it is done here. */
static void make_trimap(helper *h, work *w)
{
    mb_error err = {0};
    mb_image mask = {0};
    form_file which = w->form->files[FILE_MASK].fd >= 0 ? FILE_MASK : FILE_PHOTO;
    if (read_mask(h, w, &mask, which, "mask")) {
        if (mb_trimap_make(&w->trimap, &mask, w->a.options.erode, w->a.options.dilate, &err) != MB_OK) {
            work_fail_with(w, 0, &err);
        } else {
            char said[200];
            (void)snprintf(said, sizeof said, "%s", trimap_note(&w->trimap));
            if (said[0] != '\0') {
                add_warning(&w->j, message_undash(said));
            }
            encode_picture(w, &w->trimap);
        }
    }
    mb_image_dispose(&mask);
}

static void free_memory(void *p)
{
    free(p);
}

/* A JSON text that was written to memory becomes the answer. */
static void answer_text(work *w, char *text, size_t bytes)
{
    w->out = (answer){.status = 200, .body = text, .bytes = bytes, .free_body = free_memory};
    (void)snprintf(w->out.type, sizeof w->out.type, "application/json");
}

static void keep_photo(helper *h, work *w)
{
    if (!read_file(h, w, &w->photo, FILE_PHOTO, "photo", w->a.options.depth != 8)) {
        return;
    }
    const mb_image_source source = w->photo.source;
    const int width = w->photo.image.width, height = w->photo.image.height;
    photo *p = photos_keep(w->s->photos, &w->photo);
    if (p == NULL) {
        work_fail(w, 507, "no_memory", "the photo is larger than all that may be kept\n--keep-bytes of the server");
        return;
    }
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out != NULL) {
        json j = {out, 0};
        json_begin(&j, NULL, '{');
        json_text(&j, "id", p->id);
        json_int(&j, "width", width);
        json_int(&j, "height", height);
        json_text(&j, "format", source.format);
        json_int(&j, "bits", source.bits);
        json_bool(&j, "alpha", source.alpha);
        json_text(&j, "warning", source.warning);
        json_int(&j, "bytes", (long long)p->bytes);
        json_int(&j, "expires_in", w->s->a->serve.keep_seconds);
        json_end(&j, '}');
        (void)fputc('\n', out);
        (void)fclose(out);
    }
    photo_release(p);
    if (text == NULL) {
        work_fail(w, 503, "no_memory", "out of memory");
        return;
    }
    answer_text(w, text, bytes);
    w->out.status = 201;
}

/* A kept photo for a browser that cannot show its format. */
static void show_photo(work *w)
{
    mb_error err = {0};
    mb_save_options o;
    mb_image rgb = {0};
    const mb_image *p = &w->kept->picture.image;
    mb_save_options_init(&o);
    o.format = MB_FORMAT_JPEG;
    o.quality = 90;
    o.metadata = &w->j.kept;
    use_photo(w, &w->kept->picture);
    if (mb_image_create(&rgb, p->width, p->height, MB_PIXELS_RGB, MB_DEPTH_U8, &err) != MB_OK ||
        mb_image_convert(&rgb, p, &err) != MB_OK ||
        mb_image_encode(&w->out.body, &w->out.bytes, &rgb, &o, &err) != MB_OK) {
        work_fail_with(w, 0, &err);
    } else {
        w->out.status = 200;
        w->out.free_body = mb_buffer_free;
        (void)snprintf(w->out.type, sizeof w->out.type, "image/jpeg");
    }
    mb_image_dispose(&rgb);
}

int stage_decode(helper *h, work *w)
{
    double start = clock_ms();
    w->started_ms = start;
    w->ms_wait += start - w->done_ms;
    int next = WORK_DONE;
    if (h == NULL) {
        work_fail(w, 503, "no_memory", "out of memory");
    } else if (work_stops(w)) {
        work_fail_stopped(w);
    } else if (w->kind == WORK_ESTIMATE) {
        estimate(h->n, w);
    } else if (w->kind == WORK_SHOW) {
        show_photo(w);
    } else if (w->kind == WORK_TRIMAP) {
        make_trimap(h, w);
    } else if (w->kind == WORK_PHOTO) {
        keep_photo(h, w);
    } else if (read_photo(h, w) && read_guides(h, w)) {
        next = WORK_WAITING;
    }
    w->ms_decode = clock_ms() - start;
    return next;
}
