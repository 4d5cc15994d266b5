/* F3: any bytes as a safetensors file. What opens fills the file without overlap or hole, sizes follow from shapes, and
 * names and metadata are found again. */
#include "fuzz.h"
#include "weights/safetensors.h"

#include <string.h>

static void check_tensor(const mb_safetensors *s, const mb_st_tensor *t, const uint8_t *bytes, size_t n)
{
    const uint8_t *d = t->data;
    fuzz_wide bits = mb_st_dtype_bits(t->dtype);
    for (int i = 0; i < t->rank; i++) {
        FUZZ_MUST(t->dims[i] >= 0);
        bits *= (uint64_t)t->dims[i]; /* of what was accepted: at most 8 times the file */
        FUZZ_MUST(bits <= (fuzz_wide)8 * n || t->bytes == 0);
    }
    FUZZ_MUST(t->rank <= MB_ST_MAX_RANK && (t->bytes == 0 || bits == (fuzz_wide)8 * t->bytes));
    FUZZ_MUST(d >= bytes && t->bytes <= n && (size_t)(d - bytes) <= n - t->bytes);
    FUZZ_MUST(t->name[0] != '\0' && mb_safetensors_find(s, t->name) == t);
    if (mb_st_dtype_unread(t->dtype) == NULL) {
        float values[16];
        const size_t count = t->bytes / mb_st_dtype_size(t->dtype);
        mb_st_to_float(values, d, t->dtype, count < 16 ? count : 16);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_safetensors *s = NULL;
    mb_error err = {0};
    fuzz_fault_begin(bytes, n);
    mb_status status = mb_safetensors_open_memory(&s, bytes, n, &err);
    const bool failed = fuzz_fault_end();
    FUZZ_MUST(status == MB_OK ? s != NULL : s == NULL && err.message[0] != '\0' && err.code == status);
    FUZZ_MUST(!failed || status == MB_E_MEMORY);
    if (status != MB_OK) {
        return 0;
    }
    const uint8_t *at = NULL;
    for (size_t i = 0; i < mb_safetensors_count(s); i++) {
        const mb_st_tensor *t = mb_safetensors_at(s, i);
        check_tensor(s, t, bytes, n);
        FUZZ_MUST(at == NULL || t->data == at);
        at = (const uint8_t *)t->data + t->bytes;
    }
    FUZZ_MUST(at == NULL || at == bytes + n);
    for (size_t i = 0; i < mb_safetensors_meta_count(s); i++) {
        const char *key, *value;
        mb_safetensors_meta_at(s, i, &key, &value);
        FUZZ_MUST(mb_safetensors_meta(s, key) != NULL && strlen(value) <= n);
    }
    mb_safetensors_free(s);
    return 0;
}
