/* One file over HTTP: resumed where it stopped, checked, its size and place known before it is fetched. */
#ifndef MB_MANAGER_DOWNLOAD_H
#define MB_MANAGER_DOWNLOAD_H

#include "core/status.h"

#include <stdbool.h>
#include <stdint.h>

/* What the server says before the first byte is kept. */
typedef struct download_facts {
    const char *host;   /* that answered */
    uint64_t total;     /* bytes; UINT64_MAX: it does not say */
    uint64_t have;      /* kept from an earlier run */
    const char *sha256; /* what the file will be compared with; "": nothing is known */
} download_facts;

typedef struct download_request {
    const char *address;
    const char *part;   /* where the file grows; "PART.info" beside it remembers what it is a part of */
    const char *sha256; /* expected; "": what the server declares */
    const char *token;  /* for the address's own host; NULL: none */
    const char *page;   /* where terms are accepted, for the message; "" */
    uint64_t limit;     /* bytes; more than that is not kept, whatever the server declares */
    int timeout;        /* seconds for connecting, and without progress */
    int retries;        /* of broken transfers, each time after some progress anew */
    bool overwrite;     /* start from the beginning */
    /* Called once the size is known and before anything is kept; an error ends the download. May be NULL. */
    mb_status (*on_start)(void *user, const download_facts *facts, mb_error *err);
    int (*on_progress)(void *user, uint64_t done, uint64_t total); /* non-zero cancels */
    void *user;
} download_request;

typedef struct download_result {
    uint64_t bytes;
    char sha256[65];   /* of the file; "" if there was nothing to compare with */
    char revision[65]; /* of the repository, as the server says; "" */
} download_result;

/* Afterwards the whole file is at `part`. On failure what has come stays there for the next run, unless it is known to
 * be wrong. `output_failed` tells a failure to write from all others. */
MB_MUST_CHECK mb_status download_file(const download_request *r, download_result *out, bool *output_failed,
                                      mb_error *err);

/* Removes a part and its notes; true if there was one. */
bool download_forget(const char *part);

/* "libcurl/7.88.1 OpenSSL/3.0.17 ...", or why there is none. */
void download_describe(char *text, size_t bytes);

#endif
