/* Frames of an APNG onto the canvas. libpng knows nothing of them, so each is made a PNG of its own, from the head of
 * the file and the frame's data, and read as one. */
#include "image/codec/codec.h"
#include "image/codec/frames.h"

#include "core/alloc.h"

#include <string.h>

#include <zlib.h>

#define HEAD_BYTES 33 /* signature and IHDR */

typedef struct chunk {
    const uint8_t *data, *name;
    size_t n, next; /* next: where the chunk behind it begins */
} chunk;

static uint32_t number(const uint8_t *v, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++) {
        value = value << 8 | v[i];
    }
    return value;
}

/* The chunk at `at`; false: there is none, or it is cut off. */
static bool chunk_at(chunk *out, const mb_frame_file *f, size_t at)
{
    if (at > f->n || f->n - at < 12) {
        return false;
    }
    const size_t n = number(f->bytes + at, 4);
    *out = (chunk){f->bytes + at + 8, f->bytes + at + 4, n, at + 12 + n};
    return n <= f->n - at - 12;
}

static bool is(const chunk *c, const char *name)
{
    return memcmp(c->name, name, 4) == 0;
}

static bool checksum_fits(const chunk *c)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), c->name, (uInt)(c->n + 4)) == number(c->data + c->n, 4);
}

/* fcTL: number, width, height, x, y, delay as a fraction of seconds, disposal, blending. */
typedef struct control {
    uint32_t width, height, x, y;
    double duration_ms;
    mb_dispose dispose;
    bool over;
} control;

static bool read_control(control *out, const mb_frame_file *f, const chunk *c)
{
    if (c->n != 26 || c->data[24] > 2 || c->data[25] > 1 || !checksum_fits(c)) {
        return false;
    }
    const uint32_t under = number(c->data + 22, 2);
    *out = (control){.width = number(c->data + 4, 4),
                     .height = number(c->data + 8, 4),
                     .x = number(c->data + 12, 4),
                     .y = number(c->data + 16, 4),
                     .duration_ms = 1e3 * number(c->data + 20, 2) / (under > 0 ? under : 100),
                     .dispose = c->data[24] == 1   ? MB_DISPOSE_CLEAR
                                : c->data[24] == 2 ? MB_DISPOSE_RESTORE
                                                   : MB_DISPOSE_KEEP,
                     .over = c->data[25] == 1};
    return out->width > 0 && out->height > 0 && out->x <= (uint32_t)f->canvas.width &&
           out->width <= (uint32_t)f->canvas.width - out->x && out->y <= (uint32_t)f->canvas.height &&
           out->height <= (uint32_t)f->canvas.height - out->y;
}

/* What the frames share: palette, clear colour and the bits that count, where each first stands. Looked for once: a file may
 * have a million chunks in front of ten thousand frames. Longer ones are none that the format knows. */
static const struct {
    char name[5];
    size_t most;
} shared[MB_APNG_SHARED] = {{"PLTE", 768}, {"tRNS", 256}, {"sBIT", 4}};

static void note_shared(mb_frame_file *f, const chunk *c, size_t at)
{
    for (int i = 0; i < MB_APNG_SHARED; i++) {
        if (is(c, shared[i].name) && c->n <= shared[i].most && f->state.apng.shared[i] == 0) {
            f->state.apng.shared[i] = at;
        }
    }
}

/* Frames are counted as they are there; acTL says how many there should be. */
static mb_status begin(mb_frame_file *f, mb_error *err)
{
    chunk c;
    uint32_t count = 0;
    bool counted = false;
    memset(&f->state.apng, 0, sizeof f->state.apng);
    f->state.apng.at = HEAD_BYTES;
    f->loops = 0;
    for (size_t at = HEAD_BYTES; chunk_at(&c, f, at) && !is(&c, "IDAT") && !is(&c, "IEND"); at = c.next) {
        note_shared(f, &c, at);
        if (is(&c, "acTL") && c.n == 8 && !counted) {
            counted = true;
            count = number(c.data, 4);
            f->loops = (int)(number(c.data + 4, 4) & 0x7FFFFFFF);
        }
    }
    f->count = count < 0x7FFFFFFF ? (int)count : 0x7FFFFFFF;
    if (f->canvas.rgba == NULL) {
        return mb_canvas_create(&f->canvas, (int)f->head.width, (int)f->head.height, f->head.bits == 16, &f->budget,
                                err);
    }
    memset(f->canvas.rgba, 0, (size_t)f->head.width * (size_t)f->head.height * (f->canvas.deep ? 8 : 4));
    f->canvas.dispose = MB_DISPOSE_KEEP;
    return MB_OK;
}

static uint8_t *put_number(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (24 - 8 * i));
    }
    return p + 4;
}

/* A chunk that is written anew. */
static uint8_t *put_chunk(uint8_t *p, const char *name, const uint8_t *data, size_t n)
{
    uint8_t *start = put_number(p, (uint32_t)n);
    memcpy(start, name, 4);
    memcpy(start + 4, data, n);
    return put_number(start + 4 + n, (uint32_t)crc32(crc32(0, NULL, 0), start, (uInt)(n + 4)));
}

/* In the order that the format wants, with their checksums as they are. */
static uint8_t *put_shared(uint8_t *p, const mb_frame_file *f)
{
    static const int order[MB_APNG_SHARED] = {2, 0, 1}; /* sBIT, PLTE, tRNS */
    chunk c;
    for (int i = 0; i < MB_APNG_SHARED; i++) {
        const size_t at = f->state.apng.shared[order[i]];
        if (at > 0 && chunk_at(&c, f, at)) {
            memcpy(p, c.name - 4, c.n + 12);
            p += c.n + 12;
        }
    }
    return p;
}

/* The frame as a PNG, in the budget. *from: its first data chunk, becomes the chunk behind its last. NULL: damaged, or no
 * memory (budget). */
static uint8_t *make_png(size_t *n, mb_frame_file *f, const control *k, size_t *from)
{
    size_t bytes = 256 + 768 + 256 + 4 + (size_t)MB_APNG_SHARED * 12, end = *from;
    chunk c;
    while (chunk_at(&c, f, end) && !is(&c, "fcTL") && !is(&c, "IEND")) {
        const bool data = is(&c, "IDAT") || is(&c, "fdAT");
        if (data && !checksum_fits(&c)) {
            return NULL;
        }
        bytes += data ? c.n + 12 : 0;
        end = c.next;
    }
    uint8_t *png = mb_budget_alloc(&f->budget, bytes), *p = png, head[13];
    if (png == NULL) {
        return NULL;
    }
    memcpy(p, f->bytes, 8);
    (void)put_number(put_number(head, k->width), k->height);
    memcpy(head + 8, f->bytes + 24, 5);
    p = put_shared(put_chunk(p + 8, "IHDR", head, sizeof head), f);
    for (size_t at = *from; at < end && chunk_at(&c, f, at); at = c.next) {
        if (is(&c, "IDAT")) {
            p = put_chunk(p, "IDAT", c.data, c.n);
        } else if (is(&c, "fdAT") && c.n >= 4) {
            p = put_chunk(p, "IDAT", c.data + 4, c.n - 4);
        }
    }
    p = put_chunk(p, "IEND", png, 0);
    *n = (size_t)(p - png);
    *from = end;
    return png;
}

/* A decoded frame onto the canvas. */
static void draw(mb_canvas *canvas, const control *k, const mb_image_u8 *picture, const mb_load_info *info)
{
    for (int y = 0; y < picture->height; y++) {
        for (int x = 0; x < picture->width; x++) {
            const size_t i = (size_t)y * (size_t)picture->width + (size_t)x;
            unsigned v[4] = {0, 0, 0, canvas->deep ? 65535 : 255};
            for (size_t c = 0; c < 3; c++) {
                v[c] = canvas->deep && info->u16 != NULL ? info->u16[3 * i + c] : picture->v[3 * i + c];
            }
            if (canvas->deep && info->u16_alpha != NULL) {
                v[3] = info->u16_alpha[i];
            } else if (info->alpha_plane.v != NULL) {
                v[3] = info->alpha_plane.v[i];
            }
            mb_canvas_put(canvas, (int)k->x + x, (int)k->y + y, v, k->over);
        }
    }
}

static mb_status next(mb_frame_file *f, const mb_task *task, const mb_load_limits *limits, mb_error *err)
{
    chunk c = {0};
    control k = {0};
    mb_status status = MB_OK;
    size_t at = f->state.apng.at, n = 0;
    uint8_t *png = NULL;
    mb_image_u8 picture = {0};
    mb_load_info info = {0};
    mb_load_limits own = *limits;
    while (chunk_at(&c, f, at) && !is(&c, "fcTL") && !is(&c, "IEND")) {
        at = c.next;
    }
    if (!chunk_at(&c, f, at) || !is(&c, "fcTL") || !read_control(&k, f, &c)) {
        MB_TRY(mb_fail(err, MB_E_FORMAT, "damaged APNG: the frame cannot be found\ncopy or download it again"));
    }
    at = c.next;
    png = make_png(&n, f, &k, &at);
    if (png == NULL) {
        MB_TRY(f->budget.exceeded || f->budget.starved
                   ? mb_fail_memory(err, n, "a frame of an APNG")
                   : mb_fail(err, MB_E_FORMAT, "damaged APNG: the frame's data\ncopy or download it again"));
    }
    own.keep_alpha = own.keep_depth = true;
    own.metadata = NULL;
    own.frame = 0;
    MB_TRY(mb_load_memory(task, &picture, &info, png, n, "its data", &own, err));
    MB_TRY(mb_canvas_begin(&f->canvas, (mb_canvas_part){(int)k.x, (int)k.y, (int)k.width, (int)k.height},
                           f->shown == 0 && k.dispose == MB_DISPOSE_RESTORE ? MB_DISPOSE_CLEAR : k.dispose, &f->budget,
                           err));
    draw(&f->canvas, &k, &picture, &info);
    f->duration_ms = k.duration_ms;
    f->state.apng.at = at;
done:
    mb_budget_free(&f->budget, png);
    mb_load_info_dispose(&info);
    mb_image_u8_dispose(&picture);
    return status;
}

const mb_frame_walk mb_apng_walk = {begin, next, NULL};
