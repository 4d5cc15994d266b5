/* libcurl, opened when something is to be fetched and at no other time: no other command loads a network library. */
#ifndef MB_MANAGER_CURL_API_H
#define MB_MANAGER_CURL_API_H

#include "core/status.h"

#include <curl/curl.h>

typedef struct curl_api {
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    CURLcode (*global_init)(long);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
    char *(*version)(void);
} curl_api;

/* Opens the library the first time; it stays open. Not for several threads at once. MB_E_UNSUPPORTED, with what to
 * install, where it is missing. */
MB_MUST_CHECK mb_status curl_api_open(const curl_api **out, mb_error *err);

#endif
