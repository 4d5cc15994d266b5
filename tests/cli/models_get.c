/* mattebox models get against a server on the loopback interface: whole, broken, slow and lying answers. */
#include "harness/check.h"
#include "harness/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODELS HUB_MODELS
#define CACHE  HUB_CACHE
#define PART   HUB_PART

static process p;
static int port;
static http_script good; /* a VITMatte checkpoint, as a hub would serve it */

/* models get NAME --from the server, with short time-outs. */
static void get(const char *options)
{
    process_run(&p, "timeout 60 mattebox models get vitmatte-s --from http://127.0.0.1:%d/first --timeout 2 %s", port,
                options);
}

/* Nothing is installed, and nothing but what a later run continues is left. */
static void check_nothing(bool part)
{
    CHECK(!file_exists(MODELS "vitmatte-s.mbw"));
    CHECK_MSG(file_exists(PART) == part, "the part is %s", part ? "gone" : "there");
    CHECK(!file_exists(CACHE "vitmatte-small-composition-1k.safetensors"));
    process_run(&p, "ls -A " MODELS " " CACHE " 2>/dev/null | grep -v -e : -e part -e '^$'");
    CHECK_MSG(p.out_bytes == 0, "left: %s", p.out);
}

static void start_over(const http_script *s)
{
    process_run(&p, "rm -rf .local .cache .config");
    http_server_script(s);
}

static void check_installed(void)
{
    CHECK_RUN(&p, 0, "");
    CHECK_MSG(strstr(p.out, MODELS "vitmatte-s.mbw\n") != NULL, "%s", p.out);
    hub_check_installed(&p);
}

TEST(whole)
{
    start_over(&good);
    get("");
    CHECK_RUN(&p, 0, "vitmatte-s: 1.0 MB from 127.0.0.1, licence Apache-2.0; ");
    check_installed();
    CHECK(http_server_requests() == 1 && strstr(http_server_last(), "Range:") == NULL);
    process_run(&p, "mattebox models list | grep -A1 ^vitmatte-s; mattebox models path vitmatte-s");
    CHECK_CONTAINS(p.out, "licence Apache-2.0");
    get("");
    CHECK_RUN(&p, 0, "vitmatte-s is installed already: ");
    CHECK_EQ(http_server_requests(), 1);
    get("--force --quiet");
    CHECK_EQ(p.code, 0);
    CHECK_EQ(p.out_bytes, 0);
    CHECK_EQ(p.err[0], '\0');
    CHECK_EQ(http_server_requests(), 2);
    get("--force --dtype f16 -q && mattebox models verify vitmatte-small");
    CHECK(p.code == 0 && file_bytes(MODELS "vitmatte-s.mbw") < 700000);
    process_run(&p, "mattebox models get VITMATTE_small-Composition-1k -q"); /* an alias, however it is written */
    CHECK_EQ(p.code, 0);
    process_run(&p, "mattebox models rm vitmatte-small && mattebox models rm vitmatte-s");
    CHECK_RUN(&p, 3, "no model \"vitmatte-s\" is installed\n");
    check_nothing(false);
    /* a name of one's own; a server that declares neither size nor checksum */
    http_script plain = good;
    plain.headers = plain.etag = NULL;
    plain.no_length = true;
    start_over(&plain);
    process_run(&p, "mattebox models get mine --from http://127.0.0.1:%d/a/b.bin?x=1 && mattebox models verify mine",
                port);
    CHECK_RUN(&p, 0, "mine: of unknown size from 127.0.0.1, licence not known (no checksum is declared)");
    process_run(&p, "mattebox models get ../mine --from http://127.0.0.1:%d/b", port);
    CHECK_RUN(&p, 2, "cannot name a model");
}

TEST(resume)
{
    /* cut twice: the same run goes on where it was */
    http_script s = good;
    s.cut_after = 300000;
    s.cuts = 2;
    start_over(&s);
    get("--retries 3");
    check_installed();
    CHECK_EQ(http_server_requests(), 3);
    /* cut, and given up: the next run goes on, if it is still the same file */
    s.cuts = 1;
    start_over(&s);
    get("--retries 0");
    CHECK_RUN(&p, 3, "127.0.0.1: the connection broke after 0.3 MB");
    check_nothing(true);
    get("--retries 0");
    CHECK_RUN(&p, 0, "; 0.3 MB are here already\n");
    CHECK(strstr(http_server_last(), "Range: bytes=300000-") != NULL &&
          strstr(http_server_last(), "If-Range: \"") != NULL);
    check_installed();
    /* the file has changed meanwhile: a server that says so, one that passes the condition over, one without ranges */
    for (int i = 0; i < 3; i++) {
        start_over(&s);
        get("--retries 0");
        check_nothing(true);
        http_script other = good;
        other.etag = "\"something else\"";
        other.headers = NULL;
        other.ignore_if_range = i == 1;
        other.no_ranges = i == 2;
        if (i == 1) {
            other.bytes -= 1000; /* a range of another whole */
        }
        http_server_script(&other);
        get("--retries 0");
        if (i == 1) {
            CHECK_EQ(p.code, 3);
            CHECK_EQ(http_server_requests(), 2); /* asked again for all of it; which is no checkpoint */
            check_nothing(false);
        } else {
            check_installed();
        }
    }
    /* the same length, other bytes, and nothing that tells: the checksum of the first answer does */
    char *changed = malloc(good.bytes);
    memcpy(changed, good.data, good.bytes);
    changed[good.bytes - 5] ^= 1;
    start_over(&s);
    get("--retries 0");
    http_script sly = good;
    sly.data = changed;
    http_server_script(&sly);
    get("--retries 0");
    CHECK_RUN(&p, 3, "the file that came is not the one that was declared: SHA-256 ");
    check_nothing(false);
    free(changed);
    /* models rm forgets the part */
    http_server_script(&s);
    get("--retries 0");
    check_nothing(true);
    process_run(&p, "mattebox models rm vitmatte-s");
    CHECK_EQ(p.code, 0);
    check_nothing(false);
}

TEST(lies)
{
    static const char page[] = "<!DOCTYPE html><html>please log in</html>";
    static const struct {
        const char *what, *headers, *etag, *options, *text;
        long long lie;
        const char *body;
        int status;
        bool part;
    } rows[] = {
        {"too long", NULL, NULL, "", "the connection broke after 1.0 MB", 1000, NULL, 0, true},
        {"too short", NULL, NULL, "", "", -1000, NULL, 0, false},
        {"another checksum", "X-Linked-ETag: \"0123456789012345678901234567890123456789012345678901234567890123\"\r\n",
         NULL, "", "the file that came is not the one that was declared: SHA-256 ", 0, NULL, 0, false},
        {"another checksum as tag", NULL, "\"0123456789012345678901234567890123456789012345678901234567890123\"", "",
         "instead of 0123456789012345", 0, NULL, 0, false},
        {"not the known one", NULL, NULL, "--sha256 ABCDEFabcdef5678901234567890123456789012345678901234567890123456",
         "the file that came is not the one", 0, NULL, 0, false},
        {"two sizes", "X-Linked-Size: 77\r\n", NULL, "", "the server declares two sizes, 77 and ", 0, NULL, 0, false},
        {"a page", "Content-Type: text/html; charset=utf-8\r\n", NULL, "",
         "answers with a web page instead of the file\n", 0, page, 0, false},
        {"a page in disguise", "Content-Type: application/octet-stream\r\n", NULL, "", "answers with a web page", 0,
         page, 0, false},
        {"packed", "Content-Encoding: gzip\r\n", NULL, "", "sends the file compressed (gzip)", 0, NULL, 0, false},
        {"empty", NULL, NULL, "", "the server sent an empty file", 0, "", 0, false},
        {"something else", NULL, NULL, "", "not a", 0, "just some text, no checkpoint at all", 0, false},
        {"gone", NULL, NULL, "", "/first is not there (404)\n  it may have moved: --from", 0, page, 404, false},
        {"forbidden", NULL, NULL, "", "127.0.0.1 refuses access (403)\n  set MATTEBOX_TOKEN", 0, page, 403, false},
        {"broken", NULL, NULL, "", "127.0.0.1 answers with status 500\n  try again later", 0, page, 500, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        http_script s = good;
        s.headers = rows[i].headers;
        s.etag = rows[i].part ? good.etag : rows[i].etag; /* without a name for its bytes a part would start anew */
        s.lie = rows[i].lie;
        s.status = rows[i].status;
        if (rows[i].body != NULL) {
            s.data = rows[i].body;
            s.bytes = strlen(rows[i].body);
        }
        start_over(&s);
        char options[200];
        (void)snprintf(options, sizeof options, "--retries 0 %s", rows[i].options);
        get(options);
        CHECK_MSG(p.code == 3 && strstr(p.err, rows[i].text) != NULL, "%s: %d: %s", rows[i].what, p.code, p.err);
        CHECK_MSG(http_server_requests() == 1, "%s: %d requests", rows[i].what, http_server_requests());
        check_nothing(rows[i].part);
    }
    /* a 206 without a range request */
    http_script s = good;
    s.status = 206;
    s.headers = "Content-Range: bytes 100-200/300\r\n";
    start_over(&s);
    get("--retries 0");
    CHECK_RUN(&p, 3, "sends a part of the file instead of the whole");
    check_nothing(false);
    /* the right file under a wrong name */
    process_run(&p, "mattebox models get birefnet-hr --from http://127.0.0.1:%d/x", (http_server_script(&good), port));
    CHECK_RUN(&p, 3, "birefnet-hr: what came is a vitmatte network, not birefnet\n");
    /* an answer that knows the catalogue's checksum to be another: refused before a byte is kept */
    http_server_script(&good);
    process_run(&p, "mattebox models get vitmatte-b --from http://127.0.0.1:%d/", port);
    CHECK_RUN(&p, 3, "the server has another file than the one that is known: SHA-256 ");
}

TEST(slow)
{
    http_script s = good;
    s.stall_after = 200000;
    start_over(&s);
    get("--retries 0");
    CHECK_RUN(&p, 3, "127.0.0.1: no progress for 2 s after 0.2 MB\n  run it again: what has come is continued");
    CHECK_LT(p.seconds, 45); /* it ended by itself: `get` kills it after 60 */
    check_nothing(true);
    s = (http_script){.mute = true};
    http_server_script(&s);
    get("--retries 0");
    CHECK_RUN(&p, 3, "no progress for 2 s");
    /* a server in trouble is asked again */
    http_script busy = good;
    busy.status = 503;
    busy.headers = "Retry-After: 1\r\n";
    start_over(&busy);
    get("--retries 2");
    CHECK_RUN(&p, 3, "answers with status 503");
    CHECK_EQ(http_server_requests(), 3);
}

TEST(redirects)
{
    char location[100];
    http_script s = good;
    (void)snprintf(location, sizeof location, "http://127.0.0.1:%d/second", port);
    s.location = location;
    s.first_hop_only = true;
    start_over(&s);
    get("");
    check_installed();
    CHECK_EQ(http_server_requests(), 2);
    s.first_hop_only = false;
    start_over(&s);
    get("");
    CHECK_RUN(&p, 3, "redirects too many times");
    CHECK_EQ(http_server_requests(), 11);
    s.location = "file:///etc/passwd";
    http_server_script(&s);
    get("");
    CHECK_MSG(p.code == 3 && http_server_requests() == 1, "%s", p.err);
    check_nothing(false);
}

TEST(token)
{
    http_script s = good;
    s.token = "secret";
    start_over(&s);
    get("");
    CHECK_RUN(&p, 3, "127.0.0.1 refuses access (401)\n  set MATTEBOX_TOKEN to your access token");
    process_run(&p, "MATTEBOX_TOKEN=wrong mattebox models get vitmatte-s --from http://127.0.0.1:%d/first", port);
    CHECK_RUN(&p, 3, "refuses access (401)\n  MATTEBOX_TOKEN is set, but does not open this file\n");
    CHECK(strstr(http_server_last(), "Authorization: Bearer wrong") != NULL && strstr(p.err, "wrong") == NULL);
    process_run(&p, "MATTEBOX_TOKEN=secret mattebox models get vitmatte-s --from http://127.0.0.1:%d/first", port);
    check_installed();
    /* the catalogue's page is named where it is the catalogue's address; a mirror keeps the path */
    http_server_script(&s);
    process_run(&p, "MATTEBOX_MIRROR=http://127.0.0.1:%d/m/ mattebox models get rmbg-2.0", port);
    CHECK_RUN(&p, 3, "its authors may want their terms accepted first, at https://huggingface.co/briaai/RMBG-2.0\n");
    CHECK_CONTAINS(p.err, "not for commercial use");
    CHECK_MSG(strncmp(http_server_last(), "GET /m/briaai/RMBG-2.0/resolve/main/model.safetensors ", 54) == 0, "%s",
              http_server_last());
}

TEST(network)
{
    start_over(&good);
    get("--offline");
    CHECK_RUN(&p, 3,
              "models get: offline (--offline was given)\n  copy the file by hand and run mattebox models import");
    process_run(&p, "MATTEBOX_OFFLINE=1 mattebox models get vitmatte-s --from http://127.0.0.1:%d/first", port);
    CHECK_RUN(&p, 3, "models get: offline (MATTEBOX_OFFLINE is set)\n");
    CHECK_EQ(http_server_requests(), 0);
    process_run(&p, "mattebox models get vitmatte-s --from http://127.0.0.1:1/x");
    CHECK_RUN(&p, 3, "cannot reach 127.0.0.1: ");
    process_run(&p, "http_proxy=http://user:word@127.0.0.1:1 mattebox models get vitmatte-s --from http://192.0.2.1/x");
    CHECK_RUN(&p, 3, "cannot reach 192.0.2.1 (proxy 127.0.0.1): ");
    CHECK(strstr(p.err, "word") == NULL);
    /* through a proxy that works */
    process_run(&p, "http_proxy=http://127.0.0.1:%d mattebox models get vitmatte-s --from http://192.0.2.1/x", port);
    check_installed();
    CHECK(strncmp(http_server_last(), "GET http://192.0.2.1/x ", 23) == 0);
    process_run(&p, "mattebox models get vitmatte-b --from ftp://127.0.0.1/x");
    CHECK_RUN(&p, 2, "an address begins with https:// or http://");
    process_run(&p, "mattebox models get nonesuch");
    CHECK_RUN(&p, 2, "no model \"nonesuch\" is known\n");
    process_run(&p, "mattebox models get");
    CHECK_RUN(&p, 2, "models get needs a name\n");
}

TEST(disk)
{
    start_over(&good);
    process_run(&p,
                "mkdir -p .cache && ulimit -f 500 && mattebox models get vitmatte-s --from http://127.0.0.1:%d/first",
                port);
    CHECK_RUN(&p, 5, "a file may not become that large here (ulimit -f)\n");
    check_nothing(true);
    get("--retries 0"); /* with room again it goes on */
    CHECK_CONTAINS(http_server_last(), "Range: bytes=");
    check_installed();
    if (geteuid() != 0) {
        start_over(&good);
        process_run(&p,
                    "mkdir -p .local/share && chmod a-w .local/share && mattebox models get vitmatte-s --from "
                    "http://127.0.0.1:%d/first; code=$?; chmod u+w .local/share; exit $code",
                    port);
        CHECK_RUN(&p, 5, "the folder cannot be made: ");
    }
}

TEST(interrupt)
{
    http_script s = good;
    s.stall_after = 300000;
    start_over(&s);
    process_run(&p,
                "mattebox models get vitmatte-s --from http://127.0.0.1:%d/first --timeout 30 & pid=$!; "
                "for i in $(seq 200); do sleep 0.1; [ -s " PART " ] && break; done; sleep 0.3; "
                "kill -INT $pid; wait $pid",
                port);
    CHECK_RUN(&p, 130, "interrupted\n  run it again: the 0.3 MB that have come are continued\n");
    CHECK_LT(p.seconds, 25); /* not by its --timeout */
    check_nothing(true);
    /* two at once: the second is told, the first is not disturbed */
    start_over(&s);
    process_run(
        &p,
        "mattebox models get vitmatte-s --from http://127.0.0.1:%d/first --timeout 30 2>/dev/null & pid=$!; "
        "for i in $(seq 200); do sleep 0.1; [ -s " PART " ] && break; done; "
        "mattebox models get vitmatte-s --from http://127.0.0.1:%d/first; code=$?; kill $pid; wait $pid; exit $code",
        port, port);
    CHECK_RUN(&p, 5, "another mattebox is downloading this file\n");
    http_server_script(&good);
    get("");
    check_installed();
}

SETUP
{
    if (!hub_start(&p, "cli-models-get", &good, &port)) {
        SKIP("this build or machine cannot download");
    }
}

TEARDOWN
{
    http_server_stop();
}
