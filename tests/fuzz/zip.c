/* Fuzz target: any bytes as a zip archive, and its data.pkl as a pickle: what a PyTorch file is. Members lie within the
 * file, and none unpacks to more than it says. */
#include "core/alloc.h"
#include "pickle.h"
#include "zip.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    zip_archive z;
    mb_error err = {0};
    if (zip_open(&z, bytes, n, &err) != MB_OK) {
        if (err.message[0] == '\0') {
            abort();
        }
        return 0;
    }
    for (size_t i = 0; i < z.n_members; i++) {
        const zip_member *m = &z.members[i];
        uint8_t *contents = NULL;
        pickle p;
        if (m->data < bytes || m->packed > n || m->data + m->packed > bytes + n || zip_find(&z, m->name) != m) {
            abort();
        }
        if (zip_extract(m, 1 << 18, &contents, NULL) == MB_OK) {
            if (strstr(m->name, "data.pkl") != NULL && pickle_read(&p, contents, m->bytes, NULL) == MB_OK) {
                pickle_dispose(&p);
            }
            mb_free(contents);
        }
    }
    zip_dispose(&z);
    return 0;
}
