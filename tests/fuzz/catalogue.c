/* F10, the other texts: any bytes as a user's catalogue of models. What is accepted is found again under its names. */
#include "manager/catalogue.h"
#include "core/alloc.h"
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    catalogue c;
    mb_error err = {0};
    char *text = mb_alloc(n + 1); /* taken over by the catalogue */
    FUZZ_MUST(text != NULL);
    memcpy(text, bytes, n);
    text[n] = '\0';
    fuzz_fault_begin(bytes, n);
    const mb_status status = catalogue_parse(&c, text, &err);
    const bool failed = fuzz_fault_end();
    FUZZ_MUST(status == MB_OK || err.message[0] != '\0');
    FUZZ_MUST(!failed || status == MB_E_MEMORY);
    for (size_t i = 0; status == MB_OK && i < c.n; i++) {
        FUZZ_MUST(catalogue_find(&c, c.v[i].name) != NULL && catalogue_is_name(c.v[i].file));
    }
    catalogue_dispose(&c);
    return 0;
}
