/* From a result to the bytes of the answer, and what is said about it in headers. */
#include "fields.h"
#include "lanes.h"
#include "stages.h"
#include "zip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *type_of(mb_format format)
{
    return format == MB_FORMAT_JPEG ? "image/jpeg" : format == MB_FORMAT_WEBP ? "image/webp" : "image/png";
}

static const char *extension_of(mb_format format)
{
    return format == MB_FORMAT_JPEG ? "jpg" : format == MB_FORMAT_WEBP ? "webp" : "png";
}

/* Masks and trimaps carry no profile of the photo's colours: the library leaves it out. */
static mb_status encode(void **out, size_t *bytes, work *w, const mb_image *picture, mb_error *err)
{
    mb_save_options o;
    mb_save_options_init(&o);
    o.level = w->a.png_level;
    o.format = w->a.format == MB_FORMAT_AUTO ? MB_FORMAT_PNG : (mb_format)w->a.format;
    o.quality = w->a.quality;
    o.metadata = &w->j.kept;
    o.threads = atomic_load(&w->s->at_work) <= 1 ? w->s->a->threads : 1; /* beside others, those have the processors */
    o.note = w->a.options.premultiplied && picture->pixels == MB_PIXELS_RGBA ? "premultiplied alpha" : NULL;
    return mb_image_encode(out, bytes, picture, &o, err);
}

/* What the result says of the photo. */
static void write_result(const work *w, json *j)
{
    const mb_result *r = w->j.result;
    json_int(j, "width", w->j.photo.width);
    json_int(j, "height", w->j.photo.height);
    json_text(j, "model", w->kind == WORK_CUT ? w->network : "");
    json_text(j, "detail", mb_detail_name(w->options.process_detail ? (int)w->options.detail : 0));
    json_bool(j, "kept_mask", w->mask_was_kept);
    json_real(j, "coverage", r->coverage);
    json_begin(j, "box", '[');
    json_int(j, NULL, r->box_x);
    json_int(j, NULL, r->box_y);
    json_int(j, NULL, r->box_width);
    json_int(j, NULL, r->box_height);
    json_end(j, ']');
    json_begin(j, "crop", '[');
    json_int(j, NULL, r->crop_x);
    json_int(j, NULL, r->crop_y);
    json_int(j, NULL, r->crop_width);
    json_int(j, NULL, r->crop_height);
    json_end(j, ']');
    json_real(j, "confidence", w->confidence >= 0.0 ? w->confidence : (double)NAN);
    json_bool(j, "doubtful", w->doubtful);
    json_int(j, "peak_bytes", (long long)r->peak_bytes);
}

/* The members of "result.json", of the header and of nothing else; a mask that became a trimap has the size alone. */
static void write_info(work *w, json *j)
{
    json_begin(j, NULL, '{');
    if (w->j.result != NULL) {
        write_result(w, j);
    } else {
        json_int(j, "width", w->trimap.width);
        json_int(j, "height", w->trimap.height);
    }
    json_begin(j, "warnings", '[');
    if (w->said.warnings[0] != '\0') {
        json_text(j, NULL, w->said.warnings);
    }
    if (w->j.warning[0] != '\0') {
        json_text(j, NULL, message_undash(w->j.warning));
    }
    json_end(j, ']');
    json_end(j, '}');
}

/* Headers are ASCII: what is not becomes "?". */
static void make_info(work *w)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (out == NULL) {
        return;
    }
    json j = {out, 0};
    write_info(w, &j);
    (void)fclose(out);
    if (text != NULL && bytes < sizeof w->info) {
        for (size_t i = 0; i <= bytes; i++) {
            w->info[i] = text[i] == '\0' || (text[i] >= 32 && text[i] < 127) ? text[i] : '?';
        }
    }
    free(text);
}

void encode_picture(work *w, const mb_image *picture)
{
    mb_error err = {0};
    if (w->j.kept.size == 0) { /* there is no photo */
        mb_metadata_init(&w->j.kept);
        make_info(w);
    }
    if (encode(&w->out.body, &w->out.bytes, w, picture, &err) != MB_OK) {
        work_fail_with(w, err.code == MB_E_MEMORY ? 507 : 422, &err);
        return;
    }
    w->out.status = 200;
    w->out.free_body = mb_buffer_free;
    (void)snprintf(w->out.type, sizeof w->out.type, "%s", type_of((mb_format)w->a.format));
}

static void encode_zip(work *w)
{
    mb_error err = {0};
    zip_writer z = {0};
    const mb_image *pictures[] = {&w->j.result->cutout, &w->j.result->alpha, &w->j.result->trimap};
    static const char *const names[] = {"cutout", "mask", "trimap"};
    for (int i = 0; i < 3; i++) {
        void *data = NULL;
        size_t n = 0;
        char name[24];
        if (pictures[i]->data == NULL) {
            continue;
        }
        mb_format format = (mb_format)w->a.format;
        if (encode(&data, &n, w, pictures[i], &err) != MB_OK) {
            work_fail_with(w, err.code == MB_E_MEMORY ? 507 : 422, &err);
            zip_writer_dispose(&z);
            return;
        }
        (void)snprintf(name, sizeof name, "%s.%s", names[i], extension_of(format));
        zip_writer_add(&z, name, data, n);
        mb_buffer_free(data);
    }
    zip_writer_add(&z, "result.json", w->info, strlen(w->info));
    if (!zip_writer_finish(&z, &w->out.body, &w->out.bytes)) {
        work_fail(w, 507, "no_memory", "out of memory");
        return;
    }
    w->out.status = 200;
    w->out.free_body = free;
    (void)snprintf(w->out.type, sizeof w->out.type, "application/zip");
}

/* Methods without a trimap of their own get the one that `trimap` makes of the mask. */
static const mb_image *trimap_of(work *w, mb_error *err)
{
    if (w->j.result->trimap.data != NULL) {
        return &w->j.result->trimap;
    }
    if (w->trimap.data == NULL) {
        const mb_image *mask = w->mask.data != NULL ? &w->mask : &w->j.result->mask;
        if (mb_trimap_make(&w->trimap, mask, w->options.erode, w->options.dilate, err) != MB_OK) {
            return NULL;
        }
    }
    return &w->trimap;
}

/* rembg's pictures have four channels, also over an opaque background. */
static int widen(work *w, mb_error *err)
{
    mb_image *cutout = &w->j.result->cutout, wide = {0};
    if (!w->rembg.on || cutout->pixels == MB_PIXELS_RGBA) {
        return 1;
    }
    if (mb_image_create(&wide, cutout->width, cutout->height, MB_PIXELS_RGBA, cutout->depth, err) != MB_OK ||
        mb_image_convert(&wide, cutout, err) != MB_OK) {
        mb_image_dispose(&wide);
        return 0;
    }
    mb_image_dispose(cutout);
    *cutout = wide;
    return 1;
}

void stage_encode(work *w)
{
    double start = clock_ms();
    mb_error err = {0};
    mb_result *r = w->j.result;
    make_info(w);
    const mb_image *picture = &r->cutout;
    switch (w->want) {
    case WANT_MASK:
        picture = &r->alpha;
        break;
    case WANT_RAW_MASK:
        picture = w->mask.data != NULL ? &w->mask : r->mask.data != NULL ? &r->mask : &r->alpha;
        break;
    case WANT_TRIMAP:
        picture = trimap_of(w, &err);
        break;
    case WANT_ZIP:
        picture = NULL;
        encode_zip(w);
        break;
    case WANT_CUTOUT:
    case WANT_COMPOSITE:
        if (!widen(w, &err)) {
            picture = NULL;
        }
        break;
    }
    if (err.code != MB_OK) {
        work_fail_with(w, 0, &err);
    } else if (picture != NULL) {
        encode_picture(w, picture);
    }
    w->ms_encode = clock_ms() - start;
    lanes_learn(w->s->lanes, w);
}
