/* F8, the client's side: any bytes as the header lines of the answers that a download gets. */
#include "manager/http_answer.h"
#include "fuzz.h"

#include <string.h>

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
    const size_t digits = strspn(sha256, "0123456789abcdef");
    FUZZ_MUST((digits == 0 || digits == 64) && sha256[digits] == '\0');
    FUZZ_MUST(a.status >= 0 && a.status <= 999 && strlen(a.etag) < sizeof a.etag);
    FUZZ_MUST(a.retry_after >= 0 && a.retry_after < 3600);
    return 0;
}
