/* Header lines come from any server and any proxy: each value is bounded, numbers are read whole or not at all, and
 * what makes no sense counts as not said. The x-linked-* headers are those of the Hugging Face hub, which redirects to
 * a storage host and tells size and SHA-256 of the file in the redirect itself. */
#include "manager/http_answer.h"

#include "manager/catalogue.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What belongs to one answer; what the chain has said of the linked file stays. */
static void reset_last(http_answer *a)
{
    a->status = 0;
    a->content_length = a->range_start = a->range_total = HTTP_UNKNOWN;
    a->etag[0] = a->content_type[0] = a->encoding[0] = '\0';
    a->retry_after = 0;
}

void http_answer_reset(http_answer *a)
{
    *a = (http_answer){.linked_size = HTTP_UNKNOWN};
    reset_last(a);
}

/* Digits at the start of the text, moved past; HTTP_UNKNOWN where there are none or too many. The bound comes before
 * the multiplication can overflow: 2^60 times 10 still fits into 64 bits. */
static uint64_t read_number(const char **p, const char *end)
{
    uint64_t v = 0;
    const char *start = *p;
    for (; *p < end && isdigit((unsigned char)**p); ++*p) {
        v = v * 10 + (uint64_t)(**p - '0');
        if (v > HTTP_MOST_BYTES) {
            return HTTP_UNKNOWN;
        }
    }
    return *p > start ? v : HTTP_UNKNOWN;
}

/* A number and nothing else. */
static uint64_t whole_number(const char *p, const char *end)
{
    uint64_t v = read_number(&p, end);
    return p == end ? v : HTTP_UNKNOWN;
}

/* A value that is too long is dropped rather than cut: half an ETag names other bytes. */
static void copy(char *dst, size_t capacity, const char *p, const char *end)
{
    size_t n = (size_t)(end - p);
    if (n < capacity) {
        memcpy(dst, p, n);
        dst[n] = '\0';
    } else {
        dst[0] = '\0';
    }
}

/* "bytes 100-199/200", "bytes ... / *" (total unknown), "bytes * /200" (of a 416) */
static void read_range(http_answer *a, const char *p, const char *end)
{
    if (end - p < 6 || strncasecmp(p, "bytes ", 6) != 0) {
        return;
    }
    p += 6;
    a->range_start = read_number(&p, end);
    while (p < end && *p != '/') {
        p++;
    }
    if (p < end) {
        a->range_total = whole_number(p + 1, end);
    }
}

/* A digest stands in quotes, and may be marked weak. Some stores use the SHA-256 as ETag; any other ETag leaves `out`
 * empty. */
static void read_digest(char out[65], const char *p, const char *end)
{
    if (end - p > 2 && strncmp(p, "W/", 2) == 0) {
        p += 2;
    }
    if (end - p >= 2 && *p == '"' && end[-1] == '"') {
        p++;
        end--;
    }
    (void)catalogue_read_sha256(out, p, (size_t)(end - p));
}

/* RFC 9110, section 8.8.3: quotes around visible characters. It is sent back in a request of ours (If-Range), where nothing
 * else must stand. */
static bool is_strong_etag(const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c < 0x21 || c == 0x7F || ((c == '"') != (i == 0 || i == n - 1))) {
            return false;
        }
    }
    return n >= 2;
}

static bool is_header(const char *line, size_t n, const char *name)
{
    return strlen(name) == n && strncasecmp(line, name, n) == 0;
}

/* A status line begins a new answer, so only the last one of a chain of redirects remains. Field names are compared
 * without regard to case (RFC 9110, section 5.1). Retry-After as a date is ignored. */
void http_answer_line(http_answer *a, const char *line, size_t n)
{
    const char *end = line + n;
    while (end > line && strchr(" \t\r\n", end[-1]) != NULL) {
        end--;
    }
    if (end - line > 5 && strncmp(line, "HTTP/", 5) == 0) { /* the next answer of the chain begins */
        reset_last(a);
        const char *p = memchr(line, ' ', (size_t)(end - line));
        if (p != NULL) {
            p++;
            uint64_t status = read_number(&p, end);
            a->status = status < 1000 ? (int)status : 0;
        }
        return;
    }
    const char *colon = memchr(line, ':', (size_t)(end - line));
    if (colon == NULL) {
        return;
    }
    size_t name = (size_t)(colon - line);
    const char *value = colon + 1;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    if (is_header(line, name, "content-length")) {
        a->content_length = whole_number(value, end);
    } else if (is_header(line, name, "content-range")) {
        read_range(a, value, end);
    } else if (is_header(line, name, "etag")) {
        copy(a->etag, sizeof a->etag, value, end);
        if (!is_strong_etag(a->etag)) {
            a->etag[0] = '\0';
        }
    } else if (is_header(line, name, "content-type")) {
        const char *stop = memchr(value, ';', (size_t)(end - value));
        copy(a->content_type, sizeof a->content_type, value, stop != NULL ? stop : end);
        for (char *p = a->content_type; *p != '\0'; p++) {
            *p = (char)tolower((unsigned char)*p);
        }
    } else if (is_header(line, name, "content-encoding")) {
        copy(a->encoding, sizeof a->encoding, value, end);
    } else if (is_header(line, name, "retry-after")) {
        uint64_t seconds = whole_number(value, end);
        a->retry_after = seconds < 3600 ? (int)seconds : 0;
    } else if (is_header(line, name, "x-linked-etag")) {
        read_digest(a->linked_sha256, value, end);
    } else if (is_header(line, name, "x-repo-commit")) {
        copy(a->revision, sizeof a->revision, value, end);
        if (strspn(a->revision, "0123456789abcdef") != strlen(a->revision)) {
            a->revision[0] = '\0';
        }
    } else if (is_header(line, name, "x-linked-size")) {
        a->linked_size = whole_number(value, end);
    }
}

const char *http_answer_sha256(const http_answer *a, char buffer[65])
{
    if (a->linked_sha256[0] != '\0') {
        memcpy(buffer, a->linked_sha256, 65);
    } else {
        read_digest(buffer, a->etag, a->etag + strlen(a->etag));
    }
    return buffer;
}
