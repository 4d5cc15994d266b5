/* What becomes of a file: the reader's verdict, and the promises that hold whatever it is. */
#define _GNU_SOURCE
#include "hostile.h"

#include "core/hash.h"
#include "image/codec/load.h"
#include "image/codec/sniff.h"
#include "pickle.h"
#include "source.h"
#include "weights/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static mb_status open_model(const uint8_t *bytes, size_t n, mb_error *err)
{
    mb_weights *w;
    mb_status status = mb_weights_open_memory(&w, bytes, n, err);
    if (status == MB_OK) {
        status = mb_weights_verify(w, NULL, NULL, err);
        mb_weights_free(w);
    }
    return status;
}

/* Checkpoints through the whole road of the converter, which reads files: one that lies in memory alone. */
static mb_status open_source(const uint8_t *bytes, size_t n, mb_error *err)
{
    static char values[1 << 16];
    char path[64];
    source *s = NULL;
    const int fd = memfd_create("hostile", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n) {
        fprintf(stderr, "a file in memory could not be made\n");
        exit(2);
    }
    (void)dup2(fd, 100); /* the name is in messages: always the same */
    (void)snprintf(path, sizeof path, "/proc/self/fd/100");
    mb_status status = source_open(&s, path, err);
    for (size_t i = 0; status == MB_OK && i < source_count(s); i++) {
        const source_tensor *t = source_at(s, i);
        const size_t size = mb_st_dtype_size(t->dtype), most = size > 0 ? sizeof values / size : 0;
        if (t->unread == NULL && t->count > 0 && most > 0) {
            source_read(t, 0, t->count < most ? t->count : most, values);
            source_read(t, t->count - 1, 1, values);
        }
    }
    status = status == MB_OK ? source_check_data(s, err) : status;
    source_free(s);
    close(fd);
    close(100);
    return status;
}

static mb_status open_pickle(const uint8_t *bytes, size_t n, mb_error *err)
{
    pickle p;
    mb_status status = pickle_read(&p, bytes, n, err);
    if (status == MB_OK) {
        pickle_dispose(&p);
    }
    return status;
}

/* Two megapixels at most: larger ones are as legal, and only slow. */
static mb_status open_picture(const uint8_t *bytes, size_t n, mb_error *err)
{
    mb_load_limits limits;
    mb_load_info info;
    mb_metadata metadata;
    mb_image_u8 p;
    mb_load_limits_init(&limits);
    mb_metadata_init(&metadata);
    limits.max_megapixels = 2;
    limits.accept_partial = n % 2 == 0;
    limits.keep_alpha = limits.keep_depth = true;
    limits.metadata = &metadata;
    mb_status status = mb_load_memory(NULL, &p, &info, bytes, n, "x", &limits, err);
    mb_metadata_dispose(&metadata);
    mb_load_info_dispose(&info);
    mb_image_u8_dispose(&p);
    return status;
}

/* Whose words an error has: those of libraries change with their versions. */
static bool is_own_decoder(const uint8_t *bytes, size_t n)
{
    const mb_file_type type = mb_sniff(bytes, n).type;
    return type == MB_FILE_PNM || type == MB_FILE_PSD || type == MB_FILE_GIF || type == MB_FILE_HDR ||
           type == MB_FILE_UNKNOWN;
}

int hostile_verdict(hostile_kind kind, const uint8_t *bytes, size_t n, uint64_t *message_hash)
{
    mb_error err = {0};
    mb_status status = kind == HOSTILE_MODEL     ? open_model(bytes, n, &err)
                       : kind == HOSTILE_PICKLE  ? open_pickle(bytes, n, &err)
                       : kind == HOSTILE_PICTURE ? open_picture(bytes, n, &err)
                                                 : open_source(bytes, n, &err);
    const bool said = err.message[0] != '\0', own = kind != HOSTILE_PICTURE || is_own_decoder(bytes, n);
    bool printable = true;
    for (const char *c = err.message; *c != '\0'; c++) {
        printable = printable && ((unsigned char)*c >= ' ' || *c == '\n') && *c != 0x7f;
    }
    if (said != (status != MB_OK) || !printable || (status != MB_OK && err.code != status)) {
        fprintf(stderr, "verdict %d with the message \"%s\"\n", (int)status, err.message);
        abort();
    }
    *message_hash = said && own ? mb_hash64(err.message, strcspn(err.message, "\n")) : 0;
    return (int)status;
}
