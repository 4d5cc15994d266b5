/* A small HTTP server on the loopback interface, in a thread of the test: it answers as its script says, rightly or
 * not. */
#ifndef MB_TEST_HTTP_SERVER_H
#define MB_TEST_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct http_script {
    const void *data; /* the file */
    size_t bytes;
    const char *etag;    /* with quotes; NULL: none */
    const char *headers; /* further lines, each ended by \r\n; NULL */
    int status;          /* instead of 200 and 206; 0: those */
    bool no_ranges;      /* a Range is passed over: the whole file comes */
    bool ignore_if_range;
    const char *location; /* of redirects to itself or elsewhere (status 302); NULL: none */
    bool first_hop_only;  /* only requests for /first are redirected */
    const char *token;    /* Authorization: Bearer must hold it (401 otherwise); NULL: open */
    bool no_length;       /* no Content-Length */
    long long lie;        /* added to Content-Length */
    size_t cut_after;     /* bytes of the body, then the connection ends; 0: never */
    int cuts;             /* how many connections are cut, the others are whole; 0: all, if cut_after is set */
    size_t stall_after;   /* bytes of the body, then nothing more comes; 0: never */
    bool mute;            /* not even a header */
} http_script;

/* Ends the test with a message where it cannot listen. Returns the port. */
int http_server_start(void);
void http_server_stop(void);
/* What it does from now on; the counters start anew. */
void http_server_script(const http_script *script);
int http_server_requests(void);
/* The last request's text. */
const char *http_server_last(void);

#endif
