/* Fuzz target: any bytes as the header lines of HTTP answers, and as a user's catalogue of models. */
#include "core/alloc.h"
#include "manager/catalogue.h"
#include "manager/http_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    http_answer a;
    char sha256[65];
    http_answer_reset(&a);
    for (size_t at = 0; at < n;) {
        const uint8_t *end = memchr(bytes + at, '\n', n - at);
        size_t length = end != NULL ? (size_t)(end - bytes) + 1 - at : n - at;
        http_answer_line(&a, (const char *)bytes + at, length);
        at += length;
    }
    (void)http_answer_sha256(&a, sha256);
    size_t digits = strspn(sha256, "0123456789abcdef");
    if ((digits != 0 && digits != 64) || sha256[digits] != '\0' || a.status < 0 || a.status > 999 ||
        strlen(a.etag) >= sizeof a.etag || a.retry_after < 0 || a.retry_after >= 3600) {
        abort();
    }
    catalogue c;
    mb_error err = {0};
    char *text = mb_alloc(n + 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (catalogue_parse(&c, text, &err) != MB_OK) {
        if (err.message[0] == '\0') {
            abort();
        }
    } else {
        for (size_t i = 0; i < c.n; i++) {
            if (catalogue_find(&c, c.v[i].name) == NULL || !catalogue_is_name(c.v[i].file)) {
                abort();
            }
        }
    }
    catalogue_dispose(&c);
    return 0;
}
