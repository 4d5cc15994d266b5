/* Fuzz target: any bytes as a model file. The digest that stands in front of the deeper checks is made right first.
 * What opens lies within the file. */
#include "core/alloc.h"
#include "core/hash.h"
#include "weights/format.h"
#include "weights/reader.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    mb_file_header h;
    mb_weights *w = NULL;
    mb_error err = {0};
    uint8_t *p = mb_alloc_aligned(n);
    if (p == NULL) {
        return 0;
    }
    memcpy(p, bytes, n);
    if (n >= sizeof h) {
        memcpy(&h, p, sizeof h);
        h.file_bytes = h.reserved % 2 == 0 ? n : h.file_bytes;
        h.digest = 0;
        memcpy(p, &h, sizeof h);
        h.digest = h.data_offset <= n && h.data_offset >= sizeof h ? mb_hash64(p, (size_t)h.data_offset) : 0;
        memcpy(p, &h, sizeof h);
    }
    if (mb_weights_open_memory(&w, p, n, &err) != MB_OK) {
        if (err.message[0] == '\0') {
            abort();
        }
    } else {
        for (size_t i = 0; i < mb_weights_count(w); i++) {
            const mb_tensor *t = mb_weights_at(w, i);
            const uint8_t *d = t->data;
            if (d < p || t->bytes > n || d + t->bytes > p + n || mb_weights_find(w, t->name) != t) {
                abort();
            }
        }
        for (size_t i = 0; i < mb_weights_meta_count(w); i++) {
            const char *key, *value;
            mb_weights_meta_at(w, i, &key, &value);
            if (mb_weights_meta(w, key) != value || strlen(value) > n) {
                abort();
            }
        }
        (void)(mb_weights_verify(w, NULL, NULL, NULL) == MB_OK);
    }
    mb_weights_free(w);
    mb_free_aligned(p);
    return 0;
}
