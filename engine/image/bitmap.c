/* Bit images: eight pixels become a byte of bits by one multiplication; dilation along a row needs of other words only
 * their nearest set bit, across rows it is van Herk's running maximum (here OR) over blocks as long as the window. */
#include "image/bitmap.h"

#include "core/alloc.h"
#include "core/target_clones.h"

#include <string.h>

#define ROWS_PER_TASK 32
#define WORTH_THREADS ((size_t)1 << 17) /* words: each step on fewer takes less than waking a thread */
#define ONES          UINT64_C(0x0101010101010101)
#define HIGHS         UINT64_C(0x8080808080808080)

/* Rows are padded to whole words, so that every pass works on full words. */
mb_status mb_bitmap_create(mb_bitmap *out, int width, int height, mb_error *err)
{
    *out = (mb_bitmap){0};
    size_t words = ((size_t)width + 63) / 64, bytes;
    if (!mb_mul_size(&bytes, words * sizeof(uint64_t), (size_t)height)) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels is too large", width, height);
    }
    uint64_t *v = mb_alloc_aligned(bytes);
    if (v == NULL) {
        return mb_fail_memory(err, bytes, "a bit mask");
    }
    memset(v, 0, bytes);
    *out = (mb_bitmap){width, height, words, v};
    return MB_OK;
}

void mb_bitmap_dispose(mb_bitmap *b)
{
    mb_free_aligned(b->v);
    *b = (mb_bitmap){0};
}

mb_pool *mb_bitmap_pool(const mb_task *task, const mb_bitmap *b)
{
    return b->words * (size_t)b->height < WORTH_THREADS ? NULL : mb_task_pool(task);
}

typedef struct fill_job {
    mb_bitmap *b;
    const uint8_t *u8;
    const float *f32;
    int channels, low, high;
    float threshold;
} fill_job;

/* The top bits of eight bytes as one byte, first byte lowest. */
static inline uint64_t gather_high_bits(uint64_t v)
{
    return (((v & HIGHS) >> 7) * UINT64_C(0x0102040810204080)) >> 56;
}

/* Bit 7 of each byte = (byte >= k), k in 1..255, without carries between bytes. */
static inline uint64_t bytes_at_least(uint64_t v, unsigned k)
{
    uint64_t low7 = v & ~HIGHS;
    if (k <= 128) { /* a set top bit is enough; else the low bits must reach k */
        return (v | (low7 + ONES * (128 - k))) & HIGHS;
    }
    return v & (low7 + ONES * (256 - k)) & HIGHS; /* top bit set, and low bits reach k - 128 */
}

/* Eight bytes as one word, the first byte lowest, on machines of either byte order. */
static inline uint64_t load_bytes(const uint8_t *p)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
#else
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) {
        v |= (uint64_t)p[i] << (8 * i);
    }
    return v;
#endif
}

/* Bit k of the result: is byte k of x in [low, high]? */
static uint64_t byte_of_range(uint64_t v, int low, int high)
{
    uint64_t m = low <= 0 ? HIGHS : low > 255 ? 0 : bytes_at_least(v, (unsigned)low);
    if (high < 255) {
        m &= high < 0 ? 0 : ~bytes_at_least(v, (unsigned)high + 1);
    }
    return gather_high_bits(m);
}

/* Do 64 bytes hold one value? Masks are mostly flat: whole words are then known at once. */
static inline bool is_flat(const uint8_t *p)
{
    uint8_t first = p[0], differ = 0;
    for (int i = 0; i < 64; i++) {
        differ |= (uint8_t)(p[i] ^ first);
    }
    return differ == 0;
}

/* A row of bytes to bits. Masks are mostly flat: 64 equal bytes are one comparison; else eight bytes become eight bits at
 * a time; several channels go one by one. */
MB_CLONES static void fill_row_u8(uint64_t *dst, const uint8_t *src, const fill_job *j)
{
    int width = j->b->width, x = 0;
    memset(dst, 0, j->b->words * sizeof *dst);
    if (j->channels == 1) {
        for (; x + 64 <= width; x += 64) {
            uint64_t word = 0;
            if (is_flat(src + x)) {
                word = src[x] >= j->low && src[x] <= j->high ? ~word : word;
            } else {
                for (int k = 0; k < 64; k += 8) {
                    word |= byte_of_range(load_bytes(src + x + k), j->low, j->high) << k;
                }
            }
            dst[x / 64] = word;
        }
        for (; x + 8 <= width; x += 8) {
            dst[x / 64] |= byte_of_range(load_bytes(src + x), j->low, j->high) << (x % 64);
        }
    }
    for (; x < width; x++) {
        int v = src[(size_t)x * (size_t)j->channels];
        dst[x / 64] |= (uint64_t)(v >= j->low && v <= j->high) << (x % 64);
    }
}

/* Rows [begin, end) of the bitmap from bytes or from floats. */
static void fill_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const fill_job *j = arg;
    size_t width = (size_t)j->b->width;
    for (size_t y = begin; y < end; y++) {
        uint64_t *dst = j->b->v + y * j->b->words;
        if (j->u8 != NULL) {
            fill_row_u8(dst, j->u8 + y * width * (size_t)j->channels, j);
            continue;
        }
        memset(dst, 0, j->b->words * sizeof *dst);
        for (size_t x = 0; x < width; x++) {
            dst[x / 64] |= (uint64_t)(j->f32[y * width + x] >= j->threshold) << (x % 64);
        }
    }
}

void mb_bitmap_range(const mb_task *task, mb_bitmap *b, const mb_image_u8 *p, int low, int high)
{
    fill_job j = {.b = b, .u8 = p->v, .channels = p->channels, .low = low, .high = high};
    mb_parallel_for(mb_bitmap_pool(task, b), (size_t)b->height, ROWS_PER_TASK, fill_rows, &j);
}

void mb_bitmap_at_least(const mb_task *task, mb_bitmap *b, const mb_image_f32 *p, float threshold)
{
    fill_job j = {.b = b, .f32 = p->v, .threshold = threshold};
    mb_parallel_for(mb_bitmap_pool(task, b), (size_t)b->height, ROWS_PER_TASK, fill_rows, &j);
}

static uint64_t last_word_mask(const mb_bitmap *b)
{
    return b->width % 64 == 0 ? ~UINT64_C(0) : (UINT64_C(1) << (b->width % 64)) - 1;
}

/* For the question whether there is any foreground at all. */
bool mb_bitmap_any(const mb_bitmap *b)
{
    uint64_t all = 0;
    for (size_t i = 0; i < b->words * (size_t)b->height; i++) {
        all |= b->v[i];
    }
    return all != 0;
}

/* Bit x of a word = OR of its bits [x - n, x], n < 64: reach doubles with every shift. */
static inline uint64_t smear_up(uint64_t v, unsigned n)
{
    if (n >= 63) {
        return v | (~v + 1); /* from the lowest set bit on */
    }
    for (unsigned done = 0; done < n;) {
        unsigned step = done + 1 < n - done ? done + 1 : n - done;
        v |= v << step;
        done += step;
    }
    return v;
}

static inline uint64_t smear_down(uint64_t v, unsigned n)
{
    for (unsigned done = 0; done < n;) {
        unsigned step = done + 1 < n - done ? done + 1 : n - done;
        v |= v >> step;
        done += step;
    }
    return v;
}

/* Of the words before only their last set bit counts: it reaches `left` bits into this word (at most 0: none). */
static void dilate_up(uint64_t *row, size_t words, size_t reach)
{
    unsigned near = reach < 63 ? (unsigned)reach : 63;
    int64_t left = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t v = row[i];
        if (v == ~UINT64_C(0) || (v == 0 && left <= 0)) { /* nearly all words of a mask */
            left = v != 0 ? (int64_t)reach : 0;
            continue;
        }
        uint64_t from_left = left <= 0 ? 0 : left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
        left = v != 0 ? (int64_t)reach - __builtin_clzll(v) : left - 64;
        row[i] = smear_up(v, near) | from_left;
    }
}

/* Every bit of a row spreads over `reach` pixels towards lower x, in place, word by word from the right end. right: how
 * far the bits of the words to the right still reach into this one. */
static void dilate_down(uint64_t *row, size_t words, size_t reach)
{
    unsigned near = reach < 63 ? (unsigned)reach : 63;
    int64_t right = 0;
    for (size_t i = words; i-- > 0;) {
        uint64_t v = row[i];
        if (v == ~UINT64_C(0) || (v == 0 && right <= 0)) {
            right = v != 0 ? (int64_t)reach : 0;
            continue;
        }
        uint64_t from_right = right <= 0 ? 0 : right >= 64 ? ~UINT64_C(0) : ~(~UINT64_C(0) >> right);
        right = v != 0 ? (int64_t)reach - __builtin_ctzll(v) : right - 64;
        row[i] = smear_down(v, near) | from_right;
    }
}

typedef struct dilate_job {
    mb_bitmap *b;
    uint64_t *copy, *out; /* heads of the vertical pass; its result */
    size_t before, after;
    uint64_t flip; /* all ones: of the complement */
} dilate_job;

/* OR over [x - before, x + after]. */
static void dilate_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const dilate_job *j = arg;
    size_t words = j->b->words;
    uint64_t last = last_word_mask(j->b);
    for (size_t y = begin; y < end; y++) {
        uint64_t *row = j->b->v + y * words;
        for (size_t i = 0; j->flip != 0 && i < words; i++) {
            row[i] = ~row[i];
        }
        row[words - 1] &= last;
        dilate_up(row, words, j->before);
        row[words - 1] &= last;
        dilate_down(row, words, j->after);
    }
}

/* out may be a. */
static inline void or_words(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n)
{
#pragma GCC ivdep
    for (size_t i = 0; i < n; i++) {
        out[i] = a[i] | b[i];
    }
}

/* van Herk down one column of words: rows are cut into blocks of the window's length n; the window that begins at row t
 * is the tail of t's block and the head of the next one. Outside rows are 0. */
static void dilate_columns(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const dilate_job *j = arg;
    size_t words = j->b->words, h = (size_t)j->b->height, n = j->before + j->after + 1, count = end - begin;
    uint64_t *v = j->b->v + begin, *copy = j->copy + begin;
    for (size_t y0 = 0; y0 < h; y0 += n) { /* head[y]: OR of the block up to y, into copy */
        size_t y1 = h - y0 < n ? h : y0 + n;
        memcpy(copy + y0 * words, v + y0 * words, count * sizeof *copy);
        for (size_t y = y0 + 1; y < y1; y++) {
            or_words(copy + y * words, v + y * words, copy + (y - 1) * words, count);
        }
        for (size_t y = y1 - 1; y-- > y0;) { /* tail[y]: OR from y to the end of the block, in place */
            or_words(v + y * words, v + y * words, v + (y + 1) * words, count);
        }
    }
}

/* out[y] = tail[y - before] | head[y + after]. A window that begins above the picture is the head of the first block
 * alone; one that lies in a single block (at a block's start, or cut off by the last row) is its tail alone. */
static void join_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const dilate_job *j = arg;
    size_t words = j->b->words, h = (size_t)j->b->height, n = j->before + j->after + 1;
    for (size_t y = begin; y < end; y++) {
        size_t last = h - 1 - y < j->after ? h - 1 : y + j->after;
        const uint64_t *head = j->copy + last * words, *tail = head;
        if (y >= j->before) {
            size_t first = y - j->before;
            tail = j->b->v + first * words;
            head = first / n == last / n ? tail : head;
        }
        for (size_t i = 0; i < words; i++) {
            j->out[y * words + i] = (head[i] | tail[i]) ^ j->flip;
        }
        j->out[y * words + words - 1] &= last_word_mask(j->b);
    }
}

/* flip: 0, or all ones for erosion. */
static mb_status dilate(const mb_task *task, mb_bitmap *b, mb_window window, uint64_t flip, mb_error *err)
{
    size_t h = (size_t)b->height, bytes = h * b->words * sizeof(uint64_t);
    /* beyond the picture a window sees nothing more; the cut also keeps blocks no longer than needed */
    size_t before = (size_t)window.before, after = (size_t)window.after;
    size_t w = (size_t)b->width;
    dilate_job j = {b, NULL, NULL, before < w ? before : w, after < w ? after : w, flip};
    if (before + after == 0) {
        return MB_OK;
    }
    mb_parallel_for(mb_bitmap_pool(task, b), h, ROWS_PER_TASK, dilate_rows, &j);
    j.before = before < h ? before : h;
    j.after = after < h ? after : h;
    j.out = mb_alloc_aligned(bytes);
    j.copy = mb_alloc_aligned(bytes);
    if (j.out == NULL || j.copy == NULL) {
        mb_free_aligned(j.out);
        mb_free_aligned(j.copy);
        return mb_fail_memory(err, bytes, "a bit mask");
    }
    mb_parallel_for(mb_bitmap_pool(task, b), b->words, 16, dilate_columns, &j);
    mb_parallel_for(mb_bitmap_pool(task, b), h, ROWS_PER_TASK, join_rows, &j);
    mb_free_aligned(j.copy);
    mb_free_aligned(b->v);
    b->v = j.out;
    return MB_OK;
}

mb_status mb_bitmap_dilate(const mb_task *task, mb_bitmap *b, mb_window window, mb_error *err)
{
    return dilate(task, b, window, 0, err);
}

mb_status mb_bitmap_erode(const mb_task *task, mb_bitmap *b, mb_window window, mb_error *err)
{
    return dilate(task, b, window, ~UINT64_C(0), err);
}

/* Whole rows at the top and the bottom, single bits at the sides. */
void mb_bitmap_clear_border(mb_bitmap *b, mb_window window)
{
    for (int y = 0; y < b->height; y++) {
        uint64_t *row = b->v + (size_t)y * b->words;
        if (y < window.before || y >= b->height - window.after) {
            memset(row, 0, b->words * sizeof *row);
        }
        for (int x = 0; x < b->width && x < window.before; x++) {
            row[x / 64] &= ~(UINT64_C(1) << (x % 64));
        }
        for (int x = b->width - 1; x >= 0 && x >= b->width - window.after; x--) {
            row[x / 64] &= ~(UINT64_C(1) << (x % 64));
        }
    }
}

/* Eight bits spread to eight bytes of 0 or 1. */
static inline uint64_t spread_bits(uint64_t byte)
{
    uint64_t v = (byte * ONES) & UINT64_C(0x8040201008040201);
    return (v + ~HIGHS) >> 7 & ONES;
}

/* levels: for bits of a, of b alone, of neither. Words that are all ones or all zeros, nearly all of a trimap, take
 * one store; the others go eight pixels at a time, through bytes of 0 or 1 and two multiplications. */
MB_CLONES static void spread_row(uint8_t *dst, const uint64_t *ra, const uint64_t *rb, size_t width,
                                 const uint8_t levels[3])
{
    uint64_t base = ONES * levels[2], on_b = (uint64_t)levels[1] - levels[2], on_a = (uint64_t)levels[0] - levels[1];
    size_t x = 0;
    while (x + 8 <= width) {
        uint64_t wa = ra[x / 64], wb = rb[x / 64];
        if (x % 64 == 0 && x + 64 <= width && (wa == 0 || wa == ~UINT64_C(0)) && (wb == 0 || wb == ~UINT64_C(0))) {
            uint8_t level = wa != 0 ? levels[0] : wb != 0 ? levels[1] : levels[2];
            for (int i = 0; i < 64; i++) { /* a vector store or four */
                dst[x + (size_t)i] = level;
            }
            x += 64;
            continue;
        }
        uint64_t va = spread_bits(ra[x / 64] >> (x % 64) & 255u), vb = spread_bits(rb[x / 64] >> (x % 64) & 255u);
        uint64_t v = base + vb * on_b + va * on_a;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        memcpy(dst + x, &v, sizeof v);
#else
        for (int i = 0; i < 8; i++) {
            dst[x + (size_t)i] = (uint8_t)(v >> (8 * i));
        }
#endif
        x += 8;
    }
    for (; x < width; x++) {
        bool in_a = ra[x / 64] >> (x % 64) & 1u, in_b = rb[x / 64] >> (x % 64) & 1u;
        dst[x] = in_a ? levels[0] : in_b ? levels[1] : levels[2];
    }
}

void mb_bitmap_spread(uint8_t *dst, const mb_bitmap *a, const mb_bitmap *b, int y, const uint8_t levels[3])
{
    spread_row(dst, mb_bitmap_row(a, y), mb_bitmap_row(b, y), (size_t)a->width, levels);
}
