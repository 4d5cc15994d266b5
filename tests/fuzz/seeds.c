/* Writes the first inputs of the fuzz targets: fuzz_seeds FOLDER makes FOLDER/TARGET/0, 1, 2 ... All come from code, so
 * that none has to be kept; files of other writers (torch and the like) lie in tests/data. */
#include "seeds.h"

#include "core/alloc.h"
#include "weights/reader.h"
#include "writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *root;

/* FOLDER/target/NUMBER with these bytes. */
void seed_write(const char *target, size_t number, const void *bytes, size_t n)
{
    char path[1200];
    (void)snprintf(path, sizeof path, "%s/%s", root, target);
    (void)mkdir(path, 0777);
    (void)snprintf(path, sizeof path, "%s/%s/%zu", root, target, number);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        fprintf(stderr, "%s: cannot be written\n", path);
        exit(1);
    }
}

/* ---- model files: every element type, 0 to 6 dimensions, empty ones, many */

static void must(mb_status status)
{
    if (status != MB_OK) {
        fprintf(stderr, "a seed could not be made\n");
        exit(1);
    }
}

static void write_model(size_t number, size_t n_tensors, size_t n_meta)
{
    static const uint8_t zeros[1024] = {0};
    mbw_writer *w;
    void *bytes;
    size_t n;
    fuzz_random r = {number};
    must(mbw_writer_create(&w, NULL));
    for (size_t i = 0; i < n_meta; i++) {
        char key[32], value[32];
        (void)snprintf(key, sizeof key, "key.%zu", i);
        (void)snprintf(value, sizeof value, "%" PRIu64, fuzz_next(&r));
        must(mbw_writer_meta(w, key, i % 3 == 0 ? "" : value, NULL));
    }
    int64_t data = 0;
    for (size_t i = 0; i < n_tensors; i++) {
        char name[32];
        const mb_dtype type = (mb_dtype)((number + i) % MB_DTYPE_COUNT);
        const int rank = (int)((number / 4 + i) % 7);
        int64_t dims[6], count = 1;
        for (int k = 0; k < rank; k++) {
            dims[k] = (int64_t)fuzz_below(&r, 3) + (number % 5 != 0);
            count *= dims[k];
        }
        data += count * (type == MB_F32 ? 4 : type == MB_I64 ? 8 : 2);
        (void)snprintf(name, sizeof name, "part.%zu.weight", i);
        must(mbw_writer_tensor(w, name, type, rank, dims, NULL));
    }
    must(mbw_writer_start_memory(w, NULL));
    for (int64_t at = 0; at < data; at += (int64_t)sizeof zeros) {
        must(mbw_writer_data(w, zeros, data - at < 1024 ? (size_t)(data - at) : sizeof zeros, NULL));
    }
    must(mbw_writer_finish_memory(w, &bytes, &n, NULL));
    seed_write("mbw", number, bytes, n);
    mb_free_aligned(bytes);
    mbw_writer_free(w);
}

static void models(void)
{
    for (size_t i = 0; i < 28; i++) {
        write_model(i, i < 7 ? i : i % 4, i % 5);
    }
    write_model(28, 0, 0);
    write_model(29, 300, 1);
}

/* ---- safetensors */

static void safetensors(void)
{
    static const char *const headers[] = {
        "{}",
        "{\"__metadata__\":{\"format\":\"pt\"}}",
        "{\"__metadata__\":null}  ",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\",\"shape\":[1,8],"
        "\"data_offsets\":[8,16]}}",
        "{\"b\":{\"data_offsets\":[8,16],\"shape\":[4],\"dtype\":\"BF16\"},\"a\":{\"dtype\":\"I16\",\"shape\":[2,2],"
        "\"data_offsets\":[0,8]}}",
        "{\"e\":{\"dtype\":\"F16\",\"shape\":[0,3],\"data_offsets\":[0,0]},\"f\":{\"dtype\":\"F4\",\"shape\":[2,16],"
        "\"data_offsets\":[0,16]}}",
        "{\"\\u00e4\\\"\":{\"dtype\":\"BOOL\",\"shape\":[16],\"data_offsets\":[0,16],\"new\":{\"x\":[1.5e3,true]}}}",
        "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1,1,1,1,2,2,2,2],\"data_offsets\":[0,16]}}",
        "{\"__metadata__\":{\"a\":\"\\ud83d\\ude00\",\"b\":\"\"},\"x\":{\"dtype\":\"C64\",\"shape\":[2],"
        "\"data_offsets\":[0,16]}}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        uint8_t file[512] = {0};
        const uint64_t length = strlen(headers[i]);
        memcpy(file, &length, sizeof length);
        memcpy(file + 8, headers[i], (size_t)length);
        seed_write("safetensors", i, file, 8 + (size_t)length + (i >= 3 ? 16 : 0));
    }
}

/* ---- texts */

static void texts(void)
{
    static const char *const json[] = {
        "{\"metadata\":{\"total_size\":12},\"weight_map\":{\"a.weight\":\"model-1.safetensors\",\"b\":\"x\"}}",
        "{\"a\":[1,-2.5e-3,true,null,{\"b\":[]}],\"c\":\"\\u00e4\\ud83d\\ude00\\n\"}", "[]", "0"};
    static const char *const catalogues[] = {"model a\n  address https://h/a.safetensors\n  file a.safetensors\n",
                                             "# text\nmodel b\n  address http://h/b\n  file b.pth\n  size 88 MB\n  "
                                             "licence MIT\n  terms accept\n  alias c d/e\n"};
    static const char *const answers[] = {
        "HTTP/1.1 302 Found\r\nLocation: https://example.org/\r\nX-Linked-Size: 12\r\n\r\n",
        "HTTP/2 206\r\nContent-Range: bytes 5-9/10\r\nETag: \"abc\"\r\nRetry-After: 120\r\nContent-Length: 5\r\n\r\n"};
    for (size_t i = 0; i < sizeof json / sizeof json[0]; i++) {
        seed_write("json", i, json[i], strlen(json[i]));
    }
    for (size_t i = 0; i < sizeof catalogues / sizeof catalogues[0]; i++) {
        seed_write("catalogue", i, catalogues[i], strlen(catalogues[i]));
        seed_write("answers", i, answers[i], strlen(answers[i]));
    }
}

/* Command lines, one argument a line, and requests: first how many bytes come at a time. */
static void lines(void)
{
    static const char *const commands[] = {"cut\nphoto.jpg",
                                           "cut\n--model\nm.mbw\n-o\nout\na.png\nb.png",
                                           "cut\n--detail=vitmatte\n--erode\n8\nx.jpg",
                                           "cut\n--background\nblur:12\n--crop=8\n--json\nx",
                                           "frames\nin.gif\n-o\nout.webp",
                                           "models\nlist",
                                           "help\ncut",
                                           "serve\n--listen\n127.0.0.1:8080\n--max-body\n50M\n--cors\nhttp://a",
                                           "bench\n--threads\n1,2,4\n--csv",
                                           "mask\n--segment\nsaliency\n--min-area\n5\n-q\nx.png",
                                           "cut\n--\n-x",
                                           "version\n--verbose"};
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /health HTTP/1.0\r\n\r\n",
        "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: abcdefgh\r\n\r\n",
        "OPTIONS /v1/cut HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil\r\n\r\n",
        "POST /v1/cut?format=png HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Type: "
        "image/png\r\n\r\nabcd",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: "
        "138\r\n"
        "\r\n--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nsaliency\r\n--B\r\n"
        "Content-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nP5 1 1 1\n0\r\n--B--\r\n",
        "POST /v1/mask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
        "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
        "application/x-www-form-urlencoded\r\nContent-Length: 23\r\n"
        "\r\nmodel=demo&erode=6&x=%0"};
    char text[1024];
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        seed_write("cli", i, commands[i], strlen(commands[i]));
    }
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const size_t n = strlen(requests[i]);
        text[0] = (char)(i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 7);
        memcpy(text + 1, requests[i], n);
        seed_write("http", i, text, 1 + n);
    }
}

/* Targets whose input is a row of numbers: any will do. */
static void numbers(void)
{
    static const char *const targets[] = {"mbw_run",   "png_roundtrip", "refine", "planner",
                                          "size_only", "convert",       "resize"};
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        fuzz_random r = {i};
        for (size_t k = 0; k < 8; k++) {
            for (size_t b = 0; b < sizeof bytes; b++) {
                bytes[b] = (uint8_t)(fuzz_one_in(&r, 3) ? fuzz_below(&r, 4) : fuzz_next(&r));
            }
            bytes[0] = i == 0 ? (uint8_t)k : bytes[0]; /* one of each network */
            seed_write(targets[i], k, bytes, i == 0 ? 1 + 9 * (k % 4) : (size_t)32 << k % 4);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    root = argv[1];
    (void)mkdir(root, 0777);
    models();
    safetensors();
    texts();
    lines();
    numbers();
    seeds_pictures();
    return 0;
}
