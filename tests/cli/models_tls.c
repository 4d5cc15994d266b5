/* mattebox models get over TLS: a certificate that nobody vouches for, one that the user names, one of another host;
 * and the step from https to http. The door is tests/cli/tls_front.py, its certificates are made here by openssl. */
#include "harness/check.h"
#include "harness/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static process p;
static int port, tls, strange; /* plain; TLS as 127.0.0.1; TLS with the certificate of another host */
static http_script good;

static void get(const char *before, const char *address, int at, const char *options)
{
    process_run(&p, "%s timeout 60 mattebox models get vitmatte-s --from %s:%d/first --timeout 5 --retries 0 %s",
                before, address, at, options);
}

static void start_over(const http_script *s)
{
    process_run(&p, "rm -rf .local .cache .config");
    http_server_script(s);
}

static void check_nothing(void)
{
    CHECK(!file_exists(HUB_MODELS "vitmatte-s.mbw") && !file_exists(HUB_PART) && !file_exists(HUB_FILE));
}

/* A certificate NAME.pem of that subject, and a door in the background; its port, 0 where that fails. */
static int open_door(const char *name, const char *subject)
{
    process_run(&p,
                "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -addext subjectAltName=%s -keyout "
                "%s.key -out %s.pem 2>openssl.txt && "
                "(python3 '%s/tests/cli/tls_front.py' %s.pem %s.key %d %s.port </dev/null >%s.txt 2>&1 & echo $! "
                ">>doors.pid); for i in $(seq 100); do [ -s %s.port ] && break; sleep 0.1; done; cat %s.port",
                subject, name, name, MB_SOURCE_DIR, name, name, port, name, name, name, name);
    return p.code == 0 ? atoi(p.out) : 0;
}

TEST(trust)
{
    start_over(&good);
    get("", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 3, "127.0.0.1 cannot prove who it is: ");
    CHECK_MSG(strstr(p.err, "put its certificate into SSL_CERT_FILE") != NULL, "%s", p.err);
    CHECK_MSG(http_server_requests() == 0, "a request went to a server that was not trusted");
    check_nothing();
    get("MATTEBOX_TOKEN=secret", "https://127.0.0.1", tls, "");
    CHECK_EQ(p.code, 3);
    CHECK_EQ(http_server_requests(), 0); /* nor does a token */
    get("SSL_CERT_FILE=tls.pem", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 0, "MB from 127.0.0.1");
    hub_check_installed(&p);
    /* vouched for, but as another host */
    start_over(&good);
    get("SSL_CERT_FILE=strange.pem", "https://127.0.0.1", strange, "");
    CHECK_RUN(&p, 3, "127.0.0.1 cannot prove who it is: ");
    /* a list of certificates that is none, or is not there */
    get("SSL_CERT_FILE=hub.safetensors", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 3, "127.0.0.1 cannot prove who it is: ");
    get("SSL_CERT_FILE=nowhere.pem", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 3, "127.0.0.1 cannot prove who it is: ");
    CHECK_EQ(http_server_requests(), 0);
    /* no TLS where https was asked for */
    get("SSL_CERT_FILE=tls.pem", "https://127.0.0.1", port, "");
    CHECK_RUN(&p, 3, "127.0.0.1");
    check_nothing();
}

TEST(redirects)
{
    char location[100];
    http_script s = good;
    s.location = location;
    s.first_hop_only = true;
    (void)snprintf(location, sizeof location, "http://127.0.0.1:%d/second", port);
    start_over(&s);
    get("SSL_CERT_FILE=tls.pem", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 3, "127.0.0.1 redirects to an address that is not https: refused");
    CHECK_MSG(http_server_requests() == 1, "%d requests", http_server_requests());
    check_nothing();
    /* from http to https, and on to a door that is not trusted */
    (void)snprintf(location, sizeof location, "https://127.0.0.1:%d/second", tls);
    start_over(&s);
    get("SSL_CERT_FILE=tls.pem", "http://127.0.0.1", port, "");
    CHECK_RUN(&p, 0, "");
    CHECK_EQ(http_server_requests(), 2);
    hub_check_installed(&p);
    start_over(&s);
    get("SSL_CERT_FILE=tls.pem", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 0, "");
    (void)snprintf(location, sizeof location, "https://127.0.0.1:%d/second", strange);
    start_over(&s);
    get("SSL_CERT_FILE=tls.pem", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 3, "cannot prove who it is");
    CHECK_EQ(http_server_requests(), 1);
    check_nothing();
}

/* Cut in the middle and continued, as without TLS. */
TEST(resume)
{
    http_script s = good;
    s.cut_after = 300000;
    s.cuts = 1;
    start_over(&s);
    get("SSL_CERT_FILE=tls.pem", "https://127.0.0.1", tls, "");
    CHECK_EQ(p.code, 3);
    CHECK(file_exists(HUB_PART));
    get("SSL_CERT_FILE=tls.pem", "https://127.0.0.1", tls, "");
    CHECK_RUN(&p, 0, "are here already");
    CHECK_CONTAINS(http_server_last(), "Range: bytes=");
    hub_check_installed(&p);
}

SETUP
{
    if (!hub_start(&p, "cli-models-tls", &good, &port)) {
        SKIP("this build or machine cannot download");
    }
    process_run(&p, "openssl version && python3 -c 'import ssl'");
    if (p.code != 0) {
        SKIP("no openssl or no python3 with ssl on this machine: TLS is not tested");
    }
    tls = open_door("tls", "IP:127.0.0.1");
    strange = open_door("strange", "DNS:elsewhere.invalid");
    REQUIRE_MSG(tls > 0 && strange > 0, "no door: %s", p.err);
}

TEARDOWN
{
    process_run(&p, "[ ! -f doors.pid ] || kill $(cat doors.pid)");
    http_server_stop();
}
