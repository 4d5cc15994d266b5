/* Fuzz target: any bytes as a safetensors file. What opens lies within the file, without overlap or hole. */
#include "weights/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_safetensors *s = NULL;
    mb_error err = {0};
    if (mb_safetensors_open_memory(&s, bytes, n, &err) != MB_OK) {
        if (err.message[0] == '\0') {
            abort();
        }
        return 0;
    }
    const uint8_t *at = NULL;
    for (size_t i = 0; i < mb_safetensors_count(s); i++) {
        const mb_st_tensor *t = mb_safetensors_at(s, i);
        const uint8_t *d = t->data;
        if (d < bytes || t->bytes > n || d + t->bytes > bytes + n || (at != NULL && d != at) ||
            mb_safetensors_find(s, t->name) != t) {
            abort();
        }
        at = d + t->bytes;
    }
    if (at != NULL && at != bytes + n) {
        abort();
    }
    for (size_t i = 0; i < mb_safetensors_meta_count(s); i++) {
        const char *key, *value;
        mb_safetensors_meta_at(s, i, &key, &value);
        if (mb_safetensors_meta(s, key) == NULL || strlen(value) > n) {
            abort();
        }
    }
    mb_safetensors_free(s);
    return 0;
}
