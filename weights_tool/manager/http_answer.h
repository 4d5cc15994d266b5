/* What an HTTP server says of a file, collected line by line over a chain of redirects. */
#ifndef MB_MANAGER_HTTP_ANSWER_H
#define MB_MANAGER_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_UNKNOWN    UINT64_MAX
#define HTTP_MOST_BYTES ((uint64_t)1 << 60) /* no server's figure may be above: sums of two stay in range */

typedef struct http_answer {
    /* of the last answer alone */
    int status;
    uint64_t content_length; /* HTTP_UNKNOWN: not said */
    uint64_t range_start, range_total;
    char etag[200];         /* with its quotes; "" without one, or where it is weak: it then names no bytes */
    char content_type[100]; /* lower case, without parameters */
    char encoding[40];      /* "" or "identity": the bytes are the file's */
    int retry_after;        /* seconds; 0: not said */
    /* of any answer of the chain: what the hub says of the file that it redirects to */
    char linked_sha256[65];
    char revision[65]; /* of the repository that the file was taken from; "" */
    uint64_t linked_size;
} http_answer;

void http_answer_reset(http_answer *a);
/* One line of a header, as it came; lines that do not matter or make no sense are passed over. */
void http_answer_line(http_answer *a, const char *line, size_t n);
/* The file's SHA-256 as the server declares it; "" if it does not. */
const char *http_answer_sha256(const http_answer *a, char buffer[65]);

#endif
