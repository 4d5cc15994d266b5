/* Files that come from none: bombs, files of two formats, lies about sizes. All are harmless to other programs: what they
 * claim is refused by a guard of ours, or costs little. */
#define _GNU_SOURCE
#include "hostile.h"
#include "harness/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* Short names for what most lines here do. */
typedef archive out;

static void put(out *o, const void *bytes, size_t n)
{
    archive_put(o, bytes, n);
}

static void number(out *o, uint64_t v, size_t bytes)
{
    archive_number(o, v, bytes);
}

static void big(out *o, uint64_t v, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        number(o, v >> (8 * i) & 0xFF, 1);
    }
}

/* ---- zip */

typedef archive_member member;

static void local(out *o, member *m, const void *data)
{
    archive_local(o, m, data);
}

static void directory(out *o, const member *m, size_t n)
{
    archive_directory(o, m, n);
}

static void give(const hostile_maker *m, hostile_kind kind, const char *family, out *o)
{
    m->take(m->user, kind, family, o->v, o->n);
    o->n = 0;
}

/* An empty dict as a pickle. */
static member small(void)
{
    return (member){
        .name = "a/data.pkl", .packed = 4, .bytes = 4, .crc = (uint32_t)crc32(0, (const Bytef *)"\x80\2}.", 4)};
}

/* 64 MiB of zeros in 64 KB; sizes beyond what deflate can give; members that share their data; a directory in itself. */
static void zip_bombs(const hostile_maker *m, out *o)
{
    static uint8_t packed[1 << 17], zeros[1 << 16];
    z_stream s = {.next_in = NULL};
    uint32_t crc = 0;
    (void)deflateInit2(&s, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
    s.next_out = packed;
    s.avail_out = sizeof packed;
    for (int i = 0; i < 1024; i++) {
        s.next_in = zeros;
        s.avail_in = sizeof zeros;
        crc = (uint32_t)crc32(crc, zeros, sizeof zeros);
        (void)deflate(&s, i == 1023 ? Z_FINISH : Z_NO_FLUSH);
    }
    const size_t n = sizeof packed - s.avail_out;
    (void)deflateEnd(&s);
    member bomb = {.name = "a/data.pkl", .packed = n, .bytes = (size_t)64 << 20, .crc = crc, .method = 8};
    local(o, &bomb, packed);
    directory(o, &bomb, 1);
    give(m, HOSTILE_ZIP, "special/bomb", o);
    for (size_t claim = 1; claim < (size_t)1 << 32; claim *= 4) {
        member liar = {.name = "a/data.pkl", .packed = 100, .bytes = claim, .crc = 1, .method = 8};
        local(o, &liar, packed);
        directory(o, &liar, 1);
        give(m, HOSTILE_ZIP, "special/lying size", o);
    }
    for (size_t k = 2; k <= 64; k *= 2) { /* one local header, many entries */
        member all[64];
        char names[64][16];
        member one = small();
        local(o, &one, "\x80\2}.");
        for (size_t i = 0; i < k; i++) {
            (void)snprintf(names[i], sizeof names[i], "a/data/%zu", i);
            all[i] = one;
            all[i].name = i == 0 ? one.name : names[i];
        }
        directory(o, all, k);
        give(m, HOSTILE_ZIP, "special/overlap", o);
        for (size_t i = 0; i < k; i++) {
            all[i] = one;
        }
        local(o, &one, "\x80\2}.");
        directory(o, all, k);
        give(m, HOSTILE_ZIP, "special/same name", o);
    }
    for (size_t at = 0; at < 120; at += 4) {
        member one = small();
        local(o, &one, "\x80\2}.");
        one.offset = at; /* into itself, the directory, behind the end */
        directory(o, &one, 1);
        give(m, HOSTILE_ZIP, "special/loop", o);
    }
}

/* ---- pickles */

static void pickle_bombs(const hostile_maker *m, out *o)
{
    for (int k = 1; k <= 40; k++) {
        put(o, "\x80\2}(K\1K\2uq\0", 11);
        for (int i = 0; i < k; i++) {
            put(o, "0ccollections\nOrderedDict\nh\0h\0\x86Rq\0", 34);
        }
        put(o, ".", 1);
        give(m, HOSTILE_PICKLE, "special/doubling", o);
        put(o, "\x80\2]q\0", 5);
        for (int i = 0; i < 1 << (k % 17); i++) {
            put(o, k % 2 == 0 ? "h\0a" : "]q\1a", k % 2 == 0 ? 3 : 4);
        }
        put(o, ".", 1);
        give(m, HOSTILE_PICKLE, "special/lists", o);
        put(o, "\x80\2", 2);
        for (int i = 0; i < 1 << (k % 17); i++) {
            put(o, k % 3 == 0 ? "(" : k % 3 == 1 ? "N" : "(]", k % 3 == 2 ? 2 : 1);
        }
        give(m, HOSTILE_PICKLE, "special/depth", o);
    }
    static const char *const evil[] = {"os\nsystem",
                                       "posix\nsystem",
                                       "nt\nsystem",
                                       "builtins\neval",
                                       "builtins\nexec",
                                       "__builtin__\neval",
                                       "subprocess\nPopen",
                                       "sys\nexit",
                                       "importlib\nimport_module",
                                       "builtins\n__import__",
                                       "torch\nload",
                                       "torch.hub\nload",
                                       "numpy\nload",
                                       "runpy\nrun_path",
                                       "functools\npartial",
                                       "operator\nattrgetter",
                                       "builtins\ngetattr",
                                       "types\nCodeType",
                                       "types\nFunctionType",
                                       "pickle\nloads",
                                       "code\ninteract",
                                       "webbrowser\nopen",
                                       "shutil\nrmtree",
                                       "socket\nsocket",
                                       "ctypes\nCDLL",
                                       "torch._inductor\ncodecache",
                                       "torch.utils.data\nDataLoader",
                                       "timeit\ntimeit",
                                       "pdb\nrun",
                                       "asyncio\nrun"};
    for (size_t i = 0; i < sizeof evil / sizeof evil[0]; i++) {
        static const char *const ends[] = {"\nX\2\0\0\0id\x85R.", "\n)\x81.", "\n)}\x92.", "\n.", "\n}b.", "\n(oN."};
        for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
            const size_t n = k == 0 ? 11 : strlen(ends[k]);
            put(o, "\x80\2c", 3);
            put(o, evil[i], strlen(evil[i]));
            put(o, ends[k], n);
            give(m, HOSTILE_PICKLE, "special/evil name", o);
        }
    }
}

/* ---- safetensors, files of two formats */

static void headers(const hostile_maker *m, out *o)
{
    for (int k = 0; k <= 40; k++) {
        out text = {0};
        put(&text, "{", 1);
        if (k % 4 == 0) { /* many of one name, or of names that grow */
            for (int i = 0; i <= 10 * k; i++) {
                char one[128];
                const int n =
                    snprintf(one, sizeof one, "%s\"%s%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}",
                             i > 0 ? "," : "", "t", k % 8 == 0 ? 0 : i);
                put(&text, one, (size_t)n);
            }
        } else { /* deep */
            put(&text, "\"a\":", 4);
            for (int i = 0; i < k * k; i++) {
                put(&text, k % 4 == 1 ? "[" : "{\"x\":", k % 4 == 1 ? 1 : 5);
            }
        }
        put(&text, "}", 1);
        number(o, text.n, 8);
        put(o, text.v, text.n);
        free(text.v);
        give(m, HOSTILE_SAFETENSORS, "special/header", o);
    }
    for (int shift = 0; shift < 64; shift++) { /* pairs that overlap, or leave a hole, by powers of two */
        char text[256];
        const unsigned long long far = 1ull << shift;
        const int n = snprintf(text, sizeof text,
                               "{\"a\":{\"dtype\":\"U8\",\"shape\":[%llu],\"data_offsets\":[0,%llu]},"
                               "\"b\":{\"dtype\":\"U8\",\"shape\":[16],\"data_offsets\":[%llu,%llu]}}",
                               far, far, far - 1, far + 15);
        number(o, (uint64_t)n, 8);
        put(o, text, (size_t)n);
        put(o, "0123456789abcdef0123456789abcdef", 32);
        give(m, HOSTILE_SAFETENSORS, "special/overlap", o);
    }
    /* A safetensors file with a zip archive behind its data, and the other way round. */
    static const char plain[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}";
    member one = small();
    number(o, sizeof plain - 1, 8);
    put(o, plain, sizeof plain - 1);
    put(o, "1234", 4);
    local(o, &one, "\x80\2}.");
    directory(o, &one, 1);
    m->take(m->user, HOSTILE_SAFETENSORS, "special/two formats", o->v, o->n);
    give(m, HOSTILE_ZIP, "special/two formats", o);
    local(o, &one, "\x80\2}.");
    number(o, sizeof plain - 1, 8);
    put(o, plain, sizeof plain - 1);
    directory(o, &one, 1);
    give(m, HOSTILE_ZIP, "special/hole", o);
}

/* ---- pictures: sizes of every power of two, in headers that are sound otherwise */

static void huge_pictures(const hostile_maker *m, out *o)
{
    for (int w = 0; w < 32; w += 3) {
        for (int h = 0; h < 32; h += 3) {
            const uint32_t width = (uint32_t)(1ull << w), height = (uint32_t)(1ull << h);
            char text[64];
            put(o, "\x89PNG\r\n\x1a\n\0\0\0\15IHDR", 16);
            big(o, width, 4);
            big(o, height, 4);
            put(o, "\10\2\0\0\0", 5);
            big(o, crc32(0, o->v + 12, 17), 4);
            put(o, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
            give(m, HOSTILE_PICTURE, "special/size png", o);
            (void)snprintf(text, sizeof text, "P%d %u %u 255\n", 4 + (w + h) % 3, width, height);
            put(o, text, strlen(text));
            give(m, HOSTILE_PICTURE, "special/size pnm", o);
            put(o, "GIF89a", 6);
            number(o, width, 2);
            number(o, height, 2);
            put(o, "\0\0\0,\0\0\0\0", 8);
            give(m, HOSTILE_PICTURE, "special/size gif", o);
            put(o, "8BPS\0\1\0\0\0\0\0\0\0\3", 14);
            big(o, height, 4);
            big(o, width, 4);
            put(o, "\0\10\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
            give(m, HOSTILE_PICTURE, "special/size psd", o);
            (void)snprintf(text, sizeof text, "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y %u +X %u\n", height, width);
            put(o, text, strlen(text));
            give(m, HOSTILE_PICTURE, "special/size hdr", o);
        }
    }
}

void hostile_specials(const hostile_maker *m)
{
    out o = {0};
    zip_bombs(m, &o);
    pickle_bombs(m, &o);
    headers(m, &o);
    huge_pictures(m, &o);
    free(o.v);
}
