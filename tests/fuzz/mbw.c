/* F1: any bytes as a model file. What opens lies within the file and is found again by its name; where its data are
 * whole, the writer makes the same bytes of it. */
#include "core/alloc.h"
#include "fuzz.h"
#include "weights/reader.h"
#include "writer.h"

#include <string.h>

static void check_contents(const mb_weights *w, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        const uint8_t *d = t->data;
        FUZZ_MUST(d >= p && t->bytes <= n && (size_t)(d - p) <= n - t->bytes && (size_t)(d - p) % 64 == 0);
        FUZZ_MUST(mb_weights_find(w, t->name) == t);
    }
    for (size_t i = 0; i < mb_weights_meta_count(w); i++) {
        const char *key, *value;
        mb_weights_meta_at(w, i, &key, &value);
        FUZZ_MUST(mb_weights_meta(w, key) == value && strlen(value) < n);
    }
}

/* The same file from its parts. */
static mb_status write_again(mbw_writer *out, const mb_weights *w, mb_error *err)
{
    mb_status status = MB_OK;
    for (size_t i = 0; i < mb_weights_meta_count(w) && status == MB_OK; i++) {
        const char *key, *value;
        mb_weights_meta_at(w, i, &key, &value);
        status = mbw_writer_meta(out, key, value, err);
    }
    for (size_t i = 0; i < mb_weights_count(w) && status == MB_OK; i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        status = mbw_writer_tensor(out, t->name, t->dtype, t->rank, t->dims, err);
    }
    status = status != MB_OK ? status : mbw_writer_start_memory(out, err);
    for (size_t i = 0; i < mb_weights_count(w) && status == MB_OK; i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        status = mbw_writer_data(out, t->data, t->bytes, err);
    }
    return status;
}

static void check_rewriting(const mb_weights *w, const uint8_t *p, size_t n)
{
    mbw_writer *out = NULL;
    mb_error err = {0};
    void *bytes = NULL;
    size_t n_bytes = 0;
    FUZZ_MUST(mbw_writer_create(&out, &err) == MB_OK);
    FUZZ_MUST(write_again(out, w, &err) == MB_OK);
    FUZZ_MUST(mbw_writer_finish_memory(out, &bytes, &n_bytes, &err) == MB_OK);
    FUZZ_MUST(n_bytes == n && memcmp(bytes, p, n) == 0);
    mb_free_aligned(bytes);
    mbw_writer_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_weights *w = NULL;
    mb_error err = {0};
    fuzz_fault_begin(bytes, n);
    mb_status status = mb_weights_open_memory(&w, bytes, n, &err);
    const bool failed = fuzz_fault_end();
    FUZZ_MUST(status == MB_OK ? w != NULL : w == NULL && err.message[0] != '\0' && err.code == status);
    FUZZ_MUST(!failed || status == MB_E_MEMORY);
    if (status == MB_OK) {
        check_contents(w, bytes, n);
        if (mb_weights_verify(w, NULL, NULL, NULL) == MB_OK) {
            check_rewriting(w, bytes, n);
        }
        mb_weights_free(w);
    }
    return 0;
}
