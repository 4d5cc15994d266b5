/* Fuzz target: any bytes as a pickle. Every value that comes out is of a kind that is data. */
#include "pickle.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    pickle p;
    mb_error err = {0};
    if (pickle_read(&p, bytes, n, &err) != MB_OK) {
        if (err.message[0] == '\0') {
            abort();
        }
        return 0;
    }
    for (const pickle_value *v = p.all; v != NULL; v = v->next) {
        if (v->kind == PICKLE_BYTES && v->u.s.bytes > n) {
            abort();
        }
    }
    pickle_dispose(&p);
    return 0;
}
