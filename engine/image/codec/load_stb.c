/* BMP and TGA through stb_image; in a build with -DMATTEBOX_CODECS=stb also JPEG
 * and PNG. stb_image 2.27 of Debian 12 is contained, not trusted: formats that others read are compiled out, sizes have
 * been checked before, its memory is budgeted and zeroed (TGA can return bytes that were never written), its
 * assertions jump out instead of ending the program, and its loader is only called with the file's own channel count,
 * over callbacks: it reads zeros after the end of a file without a word, but asks our callback for them first.
 *
 * Allocator hooks and assertions carry no context, so the current decode stands in a thread-local pointer while it
 * runs. */
#include "image/codec/codec.h"

#include "core/alloc.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

typedef struct guard {
    mb_budget *budget;
    bool stopped;
    jmp_buf failed;
} guard;

static _Thread_local guard *current;

_Noreturn static void assertion(void)
{
    longjmp(current->failed, 1);
}

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_PIC
#define STBI_NO_PNM
#define STBI_NO_HDR
#define STBI_NO_PSD
#define STBI_NO_GIF
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS    65535
#define STBI_MALLOC(n)         mb_budget_alloc(current->budget, n)
#define STBI_REALLOC(p, n)     mb_budget_realloc(current->budget, p, n)
#define STBI_FREE(p)           mb_budget_free(current->budget, p)
#define STBI_ASSERT(condition) ((condition) ? (void)0 : assertion())
#if MB_HAVE_JPEG
#define STBI_NO_JPEG
#endif
#if MB_HAVE_PNG
#define STBI_NO_PNG
#endif

#pragma GCC diagnostic ignored "-Wunused-function" /* judged at the end of the file, so not between push and pop */
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#include <stb_image.h>
#pragma GCC diagnostic pop

/* Grey, grey and alpha, RGB, RGBA -> RGB; alpha is dropped. */
static void to_rgb(uint8_t *dst, const uint8_t *src, size_t n, int channels)
{
    if (channels == 1) {
        mb_spread_gray(dst, src, n);
        return;
    }
    const size_t c = (size_t)channels, colour = c >= 3 ? 1 : 0;
    for (size_t i = 0; i < n; i++, src += c, dst += 3) {
        dst[0] = src[0];
        dst[1] = src[colour];
        dst[2] = src[2 * colour];
    }
}

#if !MB_HAVE_JPEG
/* stb_image 2.27 writes beyond its arrays when a Huffman table announces more than 256 codes. This walks the segments
 * as it does and finds such tables first. */
static bool table_is_sound(const uint8_t *v, size_t length, size_t n)
{
    for (size_t at = 0; at + 2 < length;) {
        size_t codes = 0;
        if (at + 17 > n) {
            return false;
        }
        for (size_t i = 1; i <= 16; i++) {
            codes += v[at + i];
        }
        if (codes > 256) {
            return false;
        }
        at += 17 + codes;
    }
    return true;
}

/* stb_image trusts the counts of Huffman tables; here they are added up first. */
static bool jpeg_tables_are_sound(const uint8_t *v, size_t n)
{
    for (size_t at = 2; at + 1 < n;) {
        if (v[at] != 0xFF || v[at + 1] == 0xFF || v[at + 1] == 0 || (v[at + 1] >= 0xD0 && v[at + 1] <= 0xD7)) {
            at++; /* picture data, padding, or garbage between segments */
            continue;
        }
        size_t rest = n - at - 2, length = rest >= 2 ? (size_t)v[at + 2] << 8 | v[at + 3] : rest;
        length = length < rest ? length : rest;
        if (v[at + 1] == 0xC4 && length > 2 && !table_is_sound(v + at + 4, length, rest - 2)) {
            return false;
        }
        at += 2 + length;
    }
    return true;
}
#else
static bool jpeg_tables_are_sound(const uint8_t *v, size_t n)
{
    (void)v;
    (void)n;
    return true;
}
#endif

/* The file as stb_image reads it, and whether it asked for more than there is. */
typedef struct stream {
    const uint8_t *bytes;
    size_t n, at;
    const char *buffer; /* stb_image's, which it fills with as much as there is; all other reads need every byte */
    bool ended_early;
    const mb_task *task;
} stream;

/* The way into stb_image: also where it can be stopped, and where a file that ends early shows. */
static int read_bytes(void *user, char *dst, int wanted)
{
    stream *s = user;
    if (mb_should_stop(s->task)) {
        current->stopped = true;
        longjmp(current->failed, 1); /* all memory is in the budget */
    }
    size_t rest = s->n - s->at, n = (size_t)wanted < rest ? (size_t)wanted : rest;
    memcpy(dst, s->bytes + s->at, n);
    s->at += n;
    s->ended_early = s->ended_early || (dst == s->buffer ? n == 0 : n < (size_t)wanted);
    return (int)n;
}

/* Negative: back into what is still in its buffer, which it has not given back. */
static void skip_bytes(void *user, int n)
{
    stream *s = user;
    size_t rest = s->n - s->at;
    if (n >= 0) {
        s->at += (size_t)n < rest ? (size_t)n : rest;
    } else {
        size_t back = (size_t) - (long)n;
        s->at -= back < s->at ? back : s->at;
    }
}

static int is_at_end(void *user)
{
    const stream *s = user;
    return s->at == s->n;
}

/* stb_image's own loader with its checks around it: memory, data that ends early, a second header that disagrees. */
static mb_status decode(mb_decode_job *job)
{
    stbi_io_callbacks callbacks = {read_bytes, skip_bytes, is_at_end};
    stbi__context context;
    stream in = {job->bytes, job->n, 0, (const char *)context.buffer_start, false, job->task};
    int width = 0, height = 0, channels = 0;
    if (job->head.type == MB_FILE_JPEG && !jpeg_tables_are_sound(job->bytes, job->n)) {
        return mb_fail(job->err, MB_E_FORMAT,
                       "damaged JPEG: a Huffman table of more than 256 codes\n"
                       "copy or download it again");
    }
    stbi__start_callbacks(&context, &callbacks, &in);
    uint8_t *v = stbi__load_and_postprocess_8bit(&context, &width, &height, &channels, 0);
    if (v == NULL && job->budget->exceeded) {
        return mb_fail(job->err, MB_E_MEMORY, "%s: decoding it needs more than %.1f MB of memory",
                       mb_file_type_name(job->head.type), (double)job->budget->limit * 1e-6);
    }
    if (in.ended_early) {
        job->ended_early = true;
        job->rows = -1;
    }
    if (v == NULL) {
        return mb_fail(job->err, MB_E_FORMAT,
                       "damaged %s, or a kind of it that is not known: %s\n"
                       "open it in an image editor and save it as PNG",
                       mb_file_type_name(job->head.type), stbi_failure_reason());
    }
    if (width != (int)job->head.width || height != (int)job->head.height || channels < 1 || channels > 4) {
        return mb_fail(job->err, MB_E_FORMAT, "damaged %s: two headers give different sizes",
                       mb_file_type_name(job->head.type));
    }
    mb_status status = mb_decode_begin(job);
    if (status == MB_OK) {
        to_rgb(job->out->v, v, (size_t)width * (size_t)height, channels);
        job->info->alpha = job->info->alpha || channels == 2 || channels == 4;
        if (channels == 2 || channels == 4) {
            status = mb_decode_begin_alpha(job);
        }
        uint8_t *alpha = job->info->alpha_plane.v;
        const size_t c = (size_t)channels, n = alpha != NULL ? (size_t)width * (size_t)height : 0;
        for (size_t i = 0; i < n; i++) {
            alpha[i] = v[i * c + c - 1];
        }
    }
    return status;
}

/* The allocator of stb_image has no user pointer: `current` stands for it while a file is decoded. */
mb_status mb_decode_stb(mb_decode_job *job)
{
    if (job->n > INT_MAX) {
        return mb_fail(job->err, MB_E_ARGUMENT, "%s files are limited to 2 GiB", mb_file_type_name(job->head.type));
    }
    guard *g = mb_budget_alloc(job->budget, sizeof *g); /* on the heap: longjmp must not meet it in registers */
    if (g == NULL) {
        return mb_fail_memory(job->err, sizeof *g, "a decoder");
    }
    g->budget = job->budget;
    g->stopped = false;
    current = g;
    if (setjmp(g->failed) != 0) {
        bool stopped = current->stopped;
        current = NULL;
        if (stopped) {
            return mb_fail(job->err, MB_E_CANCELLED, "cancelled");
        }
        return mb_fail(job->err, MB_E_FORMAT, "damaged %s: it cannot be decoded\ncopy or download it again",
                       mb_file_type_name(job->head.type));
    }
    mb_status status = decode(job);
    current = NULL;
    return status;
}
