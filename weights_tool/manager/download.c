/* A download is a list of attempts at one growing part file. Each attempt asks with Range for what is missing and with
 * If-Range for the same version (RFC 9110, sections 14.2 and 13.1.5): a server whose file has changed then answers 200
 * with the whole, and the part starts anew. Before anything is kept the answer is compared with the notes of the part,
 * with the catalogue, and with the room on the disk; at the end the SHA-256 decides. */
#define _GNU_SOURCE
#include "manager/download.h"

#include "core/os_process.h"
#include "core/os_thread.h"
#include "core/text.h"

#include "manager/curl_api.h"
#include "manager/http_answer.h"
#include "manager/part.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_REDIRECTS 10L
#define WORTH_A_RETRY ((uint64_t)1 << 20) /* progress after which the count of retries starts anew */
#define SLOW_BYTES    100L                /* a second, over the whole time-out: that is no progress */
#define LONGEST_WAIT  60                  /* seconds between two attempts */

typedef struct transfer {
    const download_request *r; /* the caller's */
    const curl_api *api;
    CURL *curl;                   /* of the attempt that runs */
    part p;                       /* what has come, and the notes on it */
    http_answer answer;           /* headers of the last answer */
    bool started;                 /* the body of the last answer has begun */
    bool output_failed, hopeless; /* hopeless: no further attempt can help */
    mb_status status;             /* of what went wrong inside a callback */
    mb_error *err;
    char detail[CURL_ERROR_SIZE];
} transfer;

/* ---- addresses */

/* The host of an address, without user, port and path. An IPv6 address keeps its brackets. The user's name and
 * password before an '@' must not come into messages. */
static void host_of(char *out, size_t capacity, const char *address)
{
    const char *p = strstr(address, "://");
    p = p != NULL ? p + 3 : address;
    size_t n = strcspn(p, "/?#");
    const char *at = memchr(p, '@', n);
    if (at != NULL) {
        n -= (size_t)(at + 1 - p);
        p = at + 1;
    }
    size_t name = p[0] == '[' ? strcspn(p, "]") + 1 : strcspn(p, ":/?#");
    n = name < n ? name : n;
    (void)snprintf(out, capacity, "%.*s", (int)(n < capacity ? n : capacity - 1), p);
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

/* The proxy that libcurl takes from the environment, without a user's name and password; "" if there is none. For
 * messages only. HTTP_PROXY in capitals is not looked at, as libcurl does not: a web server sets it from a request's
 * header. */
static const char *proxy_of(char *out, size_t capacity, const char *address)
{
    static const char *const for_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const for_http[] = {"http_proxy", "http_proxy", "all_proxy", "ALL_PROXY"};
    const char *const *names = strncmp(address, "https:", 6) == 0 ? for_https : for_http;
    out[0] = '\0';
    for (int i = 0; i < 4 && out[0] == '\0'; i++) {
        const char *value = mb_os_env(names[i]);
        if (value != NULL && value[0] != '\0') {
            host_of(out, capacity, value);
        }
    }
    return out;
}

/* ---- what goes wrong */

/* Ends all attempts with the failure that is recorded. */
static mb_status refuse(transfer *t, mb_status status)
{
    t->status = status;
    t->hopeless = true;
    return status;
}

/* The server answered, and not with the file. 401 and 403 are how hubs answer for gated models: without a token, or
 * before the terms are accepted in a browser. */
static mb_status fail_answer(transfer *t)
{
    const download_request *r = t->r;
    const int status = t->answer.status;
    char host[200];
    host_of(host, sizeof host, r->address);
    if (status == 401 || status == 403) {
        const char *key = r->token == NULL ? "set MATTEBOX_TOKEN to your access token and run it again"
                                           : "MATTEBOX_TOKEN is set, but does not open this file";
        if (r->page[0] == '\0') {
            return mb_fail(t->err, MB_E_IO, "%s refuses access (%d)\n%s", host, status, key);
        }
        return mb_fail(t->err, MB_E_IO,
                       "%s refuses access (%d)\nits authors may want their terms accepted first, at %.200s\n%s", host,
                       status, r->page, key);
    }
    if (status == 404 || status == 410) {
        return mb_fail(t->err, MB_E_IO,
                       "%.250s is not there (%d)\nit may have moved: --from ADDRESS takes it from "
                       "elsewhere",
                       r->address, status);
    }
    return mb_fail(t->err, MB_E_IO, "%s answers with status %d%s", host, status,
                   status >= 500 || status == 429 ? "\ntry again later; what has come is kept" : "");
}

/* libcurl's failure in the words of the user's machine. Each message says what the user can do; libcurl's own text,
 * where there is one, names the cause. */
static mb_status fail_network(transfer *t, CURLcode code)
{
    char host[200], proxy[200], through[260] = "";
    host_of(host, sizeof host, t->r->address);
    if (proxy_of(proxy, sizeof proxy, t->r->address)[0] != '\0') {
        (void)snprintf(through, sizeof through, " (proxy %s)", proxy);
    }
    const char *why = t->detail[0] != '\0' ? t->detail : t->api->easy_strerror(code);
    const double mb = (double)t->p.have * 1e-6;
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        return mb_fail(t->err, MB_E_IO,
                       "cannot reach %s%s: %.120s\nwithout a network: copy the file by hand and run mattebox models "
                       "import FILE; behind a proxy: set https_proxy",
                       host, through, why);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return mb_fail(t->err, MB_E_IO,
                       "%s%s cannot prove who it is: %.120s\nif a proxy of yours looks into connections, put its "
                       "certificate into SSL_CERT_FILE",
                       host, through, why);
    case CURLE_TOO_MANY_REDIRECTS:
        return mb_fail(t->err, MB_E_IO, "%s%s redirects too many times", host, through);
    case CURLE_UNSUPPORTED_PROTOCOL:
        return mb_fail(t->err, MB_E_IO, "%s%s redirects to an address that is not https: refused", host, through);
    case CURLE_URL_MALFORMAT:
        return mb_fail(t->err, MB_E_ARGUMENT, "%.200s: is not an address", t->r->address);
    case CURLE_OPERATION_TIMEDOUT:
        return mb_fail(t->err, MB_E_IO,
                       "%s%s: no progress for %d s after %.1f MB\nrun it again: what has come is continued; --timeout "
                       "waits longer",
                       host, through, t->r->timeout, mb);
    default:
        return mb_fail(t->err, MB_E_IO,
                       "%s%s: the connection broke after %.1f MB: %.120s\nrun it again: what has come "
                       "is continued",
                       host, through, mb, why);
    }
}

/* Broken connections and overloaded servers pass; a name that does not resolve or a bad certificate does not. */
static bool worth_another_try(CURLcode code, int status)
{
    switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
        return true;
    case CURLE_HTTP_RETURNED_ERROR:
        return status >= 500 || status == 429 || status == 408;
    default:
        return false;
    }
}

/* ---- the answer's body */

/* The bytes that the whole file has, as this answer says. A 206 states it behind the slash of Content-Range, its
 * Content-Length being that of the rest. */
static uint64_t total_of(const http_answer *a)
{
    uint64_t total = a->status == 206 ? a->range_total : a->content_length;
    return total != HTTP_UNKNOWN ? total : a->linked_size;
}

/* Is this the file, or a page about it? Login pages of hotels and proxies come with status 200, and a compressed
 * transfer would break every later Range. */
static mb_status check_kind(transfer *t, const char *data, size_t n)
{
    const http_answer *a = &t->answer;
    char host[200];
    host_of(host, sizeof host, t->r->address);
    if (a->encoding[0] != '\0' && strcasecmp(a->encoding, "identity") != 0) {
        char shown[40];
        return mb_fail(t->err, MB_E_IO, "%s sends the file compressed (%s), which was not requested", host,
                       mb_printable(shown, sizeof shown, a->encoding, strlen(a->encoding)));
    }
    if (strcmp(a->content_type, "text/html") == 0 ||
        (a->status == 200 && n >= 5 && (strncasecmp(data, "<!doc", 5) == 0 || strncasecmp(data, "<html", 5) == 0))) {
        return mb_fail(t->err, MB_E_FORMAT,
                       "%s answers with a web page instead of the file\na login page or a proxy may be in between: "
                       "open %.200s in a browser",
                       host, t->r->address);
    }
    return MB_OK;
}

/* Decides from the answer whether the part goes on or starts anew, and what the whole will be. A 206 counts only if it
 * begins exactly where the part ends and belongs to a file of the same size and digest, as far as these are known. A
 * 200 always begins anew. MB_E_CANCELLED asks for another attempt, with nothing in the part. */
static mb_status place_body(transfer *t)
{
    const http_answer *a = &t->answer;
    const uint64_t total = total_of(a);
    char declared[65];
    (void)http_answer_sha256(a, declared);
    if (a->linked_size != HTTP_UNKNOWN && total != a->linked_size) {
        return mb_fail(t->err, MB_E_FORMAT,
                       "the server declares two sizes, %llu and %llu bytes\ntry again later, or "
                       "--from another address",
                       (unsigned long long)a->linked_size, (unsigned long long)total);
    }
    if (t->r->sha256[0] != '\0' && declared[0] != '\0' && strcmp(declared, t->r->sha256) != 0) {
        return mb_fail(t->err, MB_E_FORMAT,
                       "the server has another file than the one that is known: SHA-256 %.16s... instead of %.16s...\n"
                       "if its authors have replaced it, --sha256 %s takes the new one",
                       declared, t->r->sha256, declared);
    }
    bool goes_on =
        a->status == 206 && a->range_start == t->p.have && (t->p.total == HTTP_UNKNOWN || total == t->p.total);
    if (goes_on && t->p.sha256[0] != '\0' && declared[0] != '\0' && strcmp(declared, t->p.sha256) != 0) {
        goes_on = false;
    }
    if (a->status == 206 && !goes_on) { /* a part of something else: asked for again, as a whole */
        mb_status status = part_clear(&t->p, t->err);
        return status != MB_OK ? status : mb_fail(t->err, MB_E_CANCELLED, "the file has changed");
    }
    /* A whole file: whatever is there goes, and the new notes are those of this answer. */
    if (t->p.have == 0 || !goes_on) {
        mb_status status = part_clear(&t->p, t->err);
        if (status != MB_OK) {
            return status;
        }
        memcpy(t->p.etag, a->etag, sizeof t->p.etag);
        memcpy(t->p.sha256, declared, sizeof declared);
        t->p.total = total;
    }
    return MB_OK;
}

/* The first bytes of a body. Decided here and not at the headers: with redirects only the body tells that the last
 * answer has come. The notes are written before the first byte, so that a killed program leaves a part that can be
 * continued. */
static mb_status begin_body(transfer *t, const char *data, size_t n)
{
    mb_status status = check_kind(t, data, n);
    if (status == MB_OK) {
        status = place_body(t);
        /* The part belonged to another version of the file and is empty now. */
        if (status == MB_E_CANCELLED) {
            t->err->message[0] = '\0'; /* not a failure: attempt() sees the empty part */
            t->err->code = MB_OK;
            t->status = status;
            return status;
        }
    }
    if (status == MB_OK && t->r->on_start != NULL) {
        char host[200];
        host_of(host, sizeof host, t->r->address);
        const char *sha256 = t->r->sha256[0] != '\0' ? t->r->sha256 : t->p.sha256;
        download_facts facts = {host, t->p.total, t->p.have, sha256};
        status = t->r->on_start(t->r->user, &facts, t->err);
        t->output_failed = status != MB_OK;
    }
    if (status == MB_OK) {
        status = part_note(&t->p, t->err);
        t->output_failed = status != MB_OK;
    }
    t->started = status == MB_OK;
    return status == MB_OK ? MB_OK : refuse(t, status);
}

/* libcurl's write callback: anything but the number of bytes ends the transfer. More than was declared is refused at
 * once, not after a full disk. */
static size_t on_body(char *data, size_t size, size_t n, void *user)
{
    transfer *t = user;
    size_t bytes = size * n; /* size is 1 */
    if (bytes == 0 || (!t->started && begin_body(t, data, bytes) != MB_OK)) {
        return bytes == 0 ? 0 : CURL_WRITEFUNC_ERROR;
    }
    if (bytes > t->p.total - t->p.have) {
        (void)refuse(t, mb_fail(t->err, MB_E_FORMAT, "the server sends more than the %llu bytes that it declared",
                                (unsigned long long)t->p.total));
        return CURL_WRITEFUNC_ERROR;
    }
    if (t->p.have + bytes > t->r->limit) {
        (void)refuse(t, mb_fail(t->err, MB_E_FORMAT,
                                "the server does not say how large the file is, and sends more than "
                                "a model can have"));
        return CURL_WRITEFUNC_ERROR;
    }
    mb_status status = part_append(&t->p, data, bytes, t->err);
    if (status != MB_OK) {
        t->output_failed = true;
        (void)refuse(t, status);
        return CURL_WRITEFUNC_ERROR;
    }
    return bytes;
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    http_answer_line(&((transfer *)user)->answer, line, size * n);
    return size * n;
}

/* libcurl calls it about once a second and while data flow; non-zero aborts. */
static int on_tick(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    transfer *t = user;
    (void)a, (void)b, (void)c, (void)d;
    return t->r->on_progress != NULL ? t->r->on_progress(t->r->user, t->p.have, t->p.total) : 0;
}

/* ---- attempts */

/* https may not be redirected to http. NOSIGNAL, since the program has threads. The token goes to the address's own
 * host: libcurl drops bearer tokens when a redirect leads to another, as the hub's lead to its storage. */
static void set_options(transfer *t, struct curl_slist *headers, const char *range)
{
    const curl_api *api = t->api;
    const bool https = strncasecmp(t->r->address, "https:", 6) == 0;
    char host[200];
    host_of(host, sizeof host, t->r->address);
    (void)api->easy_setopt(t->curl, CURLOPT_URL, t->r->address);
    (void)api->easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)api->easy_setopt(t->curl, CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
    (void)api->easy_setopt(t->curl, CURLOPT_FOLLOWLOCATION, 1L);
    (void)api->easy_setopt(t->curl, CURLOPT_MAXREDIRS, MAX_REDIRECTS);
    (void)api->easy_setopt(t->curl, CURLOPT_FAILONERROR, 1L);
    (void)api->easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
    (void)api->easy_setopt(t->curl, CURLOPT_USERAGENT, "mattebox");
    (void)api->easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT, (long)t->r->timeout);
    (void)api->easy_setopt(t->curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES);
    (void)api->easy_setopt(t->curl, CURLOPT_LOW_SPEED_TIME, (long)t->r->timeout);
    (void)api->easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->detail);
    (void)api->easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)api->easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
    (void)api->easy_setopt(t->curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)api->easy_setopt(t->curl, CURLOPT_HEADERDATA, t);
    (void)api->easy_setopt(t->curl, CURLOPT_XFERINFOFUNCTION, on_tick);
    (void)api->easy_setopt(t->curl, CURLOPT_XFERINFODATA, t);
    (void)api->easy_setopt(t->curl, CURLOPT_NOPROGRESS, 0L);
    (void)api->easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
    (void)api->easy_setopt(t->curl, CURLOPT_RANGE, range);
    if (t->r->token != NULL && (https || is_loopback(host))) { /* never readable on the wire; not to other hosts */
        (void)api->easy_setopt(t->curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        (void)api->easy_setopt(t->curl, CURLOPT_XOAUTH2_BEARER, t->r->token);
    }
    const char *certificates = mb_os_env("SSL_CERT_FILE");
    if (certificates != NULL && certificates[0] != '\0') {
        (void)api->easy_setopt(t->curl, CURLOPT_CAINFO, certificates);
    }
}

/* One request. CURLE_OK: the file is whole. libcurl takes a body that ends early without a Content-Length for
 * complete, hence the comparison with what the server declared elsewhere. A 416 means that nothing is missing, or that
 * the part is longer than the file. */
static CURLcode attempt(transfer *t)
{
    char range[40], condition[240];
    struct curl_slist *headers = NULL;
    http_answer_reset(&t->answer);
    t->started = false;
    t->detail[0] = '\0';
    if (t->p.have > 0) {
        (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)t->p.have);
        if (t->p.etag[0] != '\0') {
            (void)snprintf(condition, sizeof condition, "If-Range: %s", t->p.etag);
            headers = t->api->slist_append(NULL, condition);
        }
    }
    t->curl = t->api->easy_init();
    if (t->curl == NULL) {
        t->api->slist_free_all(headers);
        (void)refuse(t, mb_fail_memory(t->err, 1 << 16, "a connection"));
        return CURLE_OUT_OF_MEMORY;
    }
    set_options(t, headers, t->p.have > 0 ? range : NULL);
    CURLcode code = t->api->easy_perform(t->curl);
    t->api->easy_cleanup(t->curl);
    t->api->slist_free_all(headers);
    if (code == CURLE_OK && t->started && t->p.total != HTTP_UNKNOWN && t->p.have != t->p.total) {
        code = CURLE_PARTIAL_FILE;
    }
    if (code == CURLE_HTTP_RETURNED_ERROR && t->answer.status == 416) { /* nothing after what is there */
        if (t->p.have == t->answer.range_total && t->p.have == t->p.total) {
            return CURLE_OK;
        }
        t->status = part_clear(&t->p, t->err) == MB_OK ? MB_E_CANCELLED : refuse(t, MB_E_IO);
        return CURLE_WRITE_ERROR;
    }
    /* The write callback never ran: an answer without a body. */
    if (code == CURLE_OK && !t->started && t->p.have == 0) {
        (void)refuse(t, mb_fail(t->err, MB_E_FORMAT, "the server sent an empty file"));
    }
    return code;
}

/* Waits, so that a server in trouble is not hurried; false: the user has had enough. As long as Retry-After says, else
 * 1, 2, 4 ... seconds; a minute at most. */
static bool wait_before(transfer *t, int tries)
{
    int seconds = t->answer.retry_after > 0 ? t->answer.retry_after : 1 << (tries < 6 ? tries : 6);
    seconds = seconds < LONGEST_WAIT ? seconds : LONGEST_WAIT;
    for (int i = 0; i < seconds * 10; i++) {
        mb_sleep_ms(100);
        if (on_tick(t, 0, 0, 0, 0) != 0) {
            return false;
        }
    }
    return true;
}

/* Attempts until the file is whole, the retries are used up, or trying again is pointless. A megabyte of progress
 * resets the count: a long download over a poor line breaks many times and still arrives. */
static mb_status fetch(transfer *t)
{
    for (int tries = 0;; tries++) {
        const uint64_t before = t->p.have;
        t->status = MB_OK;
        CURLcode code = attempt(t);
        if (t->hopeless) {
            return t->status;
        }
        if (code == CURLE_OK) {
            return MB_OK;
        }
        if (code == CURLE_ABORTED_BY_CALLBACK) {
            return mb_fail(t->err, MB_E_CANCELLED,
                           "interrupted\nrun it again: the %.1f MB that have come are continued",
                           (double)t->p.have * 1e-6);
        }
        if (t->status == MB_E_CANCELLED && !t->started) { /* the part is of another file: the whole is asked for */
            if (before > 0) {
                continue;
            }
            return mb_fail(t->err, MB_E_FORMAT, "the server sends a part of the file instead of the whole");
        }
        if (t->p.have > before && t->p.have - before >= WORTH_A_RETRY) {
            tries = 0;
        }
        if (!worth_another_try(code, t->answer.status) || tries >= t->r->retries) {
            return code == CURLE_HTTP_RETURNED_ERROR ? fail_answer(t) : fail_network(t, code);
        }
        if (!wait_before(t, tries)) {
            return mb_fail(t->err, MB_E_CANCELLED, "interrupted");
        }
    }
}

/* Compares the whole with what is known of it. What is wrong is thrown away. A damaged part must not stay: the next
 * run would take it for complete. */
static mb_status check_whole(transfer *t, download_result *out)
{
    const char *known = t->r->sha256[0] != '\0' ? t->r->sha256 : t->p.sha256;
    out->bytes = t->p.have;
    memcpy(out->revision, t->answer.revision, sizeof out->revision);
    out->sha256[0] = '\0';
    if (known[0] == '\0') {
        return MB_OK;
    }
    mb_status status = part_sha256(&t->p, out->sha256, t->r->on_progress, t->r->user, t->err);
    if (status == MB_OK && strcmp(out->sha256, known) != 0) {
        status = mb_fail(t->err, MB_E_FORMAT,
                         "the file that came is not the one that was declared: SHA-256 %.16s... instead of %.16s...\n"
                         "it was thrown away; run it again, or --from another address",
                         out->sha256, known);
        if (part_clear(&t->p, NULL) != MB_OK) {
            (void)part_remove(t->p.path);
        }
    }
    return status;
}

/* Opens the library and the part, fetches unless a former run has everything, checks. SIGPIPE's former action is
 * restored. */
mb_status download_file(const download_request *r, download_result *out, bool *output_failed, mb_error *err)
{
    mb_error own = {0};
    transfer t = {.r = r, .p = {.fd = -1}, .err = err != NULL ? err : &own};
    *out = (download_result){0};
    mb_status status = curl_api_open(&t.api, t.err);
    if (status == MB_OK) {
        status = part_open(&t.p, r->part, r->address, r->overwrite, t.err);
        t.output_failed = status != MB_OK;
    }
    mb_os_ignore_pipe(); /* a server that hangs up is an error, not the end of the program */
    if (status == MB_OK) {
        status = t.p.have > 0 && t.p.have == t.p.total ? MB_OK : fetch(&t);
    }
    if (status == MB_OK) {
        status = check_whole(&t, out);
    }
    mb_os_restore_pipe();
    part_close(&t.p);
    *output_failed = t.output_failed;
    return status;
}

bool download_forget(const char *path)
{
    return part_remove(path);
}

void download_describe(char *text, size_t bytes)
{
    const curl_api *api;
    mb_error err = {0};
    if (curl_api_open(&api, &err) == MB_OK) {
        (void)snprintf(text, bytes, "%s (opened by models get alone)", api->version());
    } else {
        (void)snprintf(text, bytes, "%.*s", (int)strcspn(err.message, "\n"), err.message);
    }
}
