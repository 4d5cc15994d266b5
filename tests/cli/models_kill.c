/* mattebox models get, killed without warning at many moments: while it fetches, checks, converts and installs. After
 * each a whole model is there or none, what is left is continued or cleared away, and a second run ends well. */
#include "harness/check.h"
#include "harness/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET "mattebox models get vitmatte-s -q --from http://127.0.0.1:%d/first"

static process p;
static int port;
static http_script good;

/* Everything in the two folders but the model, its part and what belongs to them, and temporaries (a later run clears
 * them away when they are a day old). */
static void check_known_files(const char *when)
{
    process_run(&p, "ls -A " HUB_MODELS " " HUB_CACHE " 2>/dev/null | grep -v -e ':$' -e '^$' -e '^vitmatte-s.mbw$' "
                    "-e '^vitmatte-small-composition-1k.safetensors' -e '^[.]vitmatte-s.*[.]mattebox-......$'");
    CHECK_MSG(p.out_bytes == 0, "%s: left: %s", when, p.out);
}

typedef struct tally {
    int none, parts, checkpoints, models;
} tally;

static void kill_after(double seconds, tally *t)
{
    char when[64];
    (void)snprintf(when, sizeof when, "killed after %.0f ms", seconds * 1e3);
    process_run(&p, GET " >/dev/null 2>&1 & pid=$!; sleep %.3f; kill -9 $pid 2>/dev/null; wait $pid; true", port,
                seconds);
    bool model = file_exists(HUB_MODELS "vitmatte-s.mbw"), part = file_exists(HUB_PART), whole = file_exists(HUB_FILE);
    t->models += model;
    t->parts += part;
    t->checkpoints += whole;
    t->none += !model && !part && !whole;
    check_known_files(when);
    if (model) {
        process_run(&p, "mattebox-weights verify " HUB_MODELS "vitmatte-s.mbw --against hub.safetensors");
        CHECK_MSG(p.code == 0, "%s: the model is not whole: %s", when, p.err);
    }
    process_run(&p, "mattebox models list >/dev/null && timeout 60 " GET, port);
    CHECK_MSG(p.code == 0, "%s: the second run: %d, %s", when, p.code, p.err);
    if (!model) { /* else the second run had nothing to do, and may leave a checkpoint for the next */
        hub_check_installed(&p);
    }
    check_known_files(when);
    process_run(&p, GET " --force", port); /* clears away what was left */
    CHECK_MSG(p.code == 0, "%s: a third run: %s", when, p.err);
    hub_check_installed(&p);
}

SETUP
{
    if (!hub_start(&p, "cli-models-kill", &good, &port)) {
        SKIP("this build or machine cannot download");
    }
}

BEFORE_EACH
{
    process_run(&p, "rm -rf .local .cache .config");
    http_server_script(&good);
}

TEST(at_any_moment)
{
    tally t = {0};
    process_run(&p, GET, port);
    CHECK_RUN(&p, 0, "");
    const double whole = p.seconds;
    const char *text = getenv("MATTEBOX_KILLS");
    const int kills = text != NULL ? atoi(text) : 40;
    for (int i = 0; i < kills; i++) {
        process_run(&p, "rm -rf .local .cache .config");
        kill_after(1.2 * whole * i / kills, &t);
    }
    printf("%d kills: %d before anything, %d with a part, %d with a checkpoint, %d with a model\n", kills, t.none,
           t.parts, t.checkpoints, t.models);
    CHECK_MSG(kills < 40 || (t.models > 0 && t.none > 0), "the moments do not cover the run");
}

/* From the middle of a download that stalls, twice in a row. */
TEST(while_stalled)
{
    http_script stalls = good;
    stalls.stall_after = 400000;
    for (int i = 0; i < 2; i++) {
        http_server_script(&stalls);
        process_run(&p,
                    GET " >/dev/null 2>&1 & pid=$!; for i in $(seq 50); do [ -s " HUB_PART " ] && break; sleep 0.1; "
                        "done; sleep 0.2; kill -9 $pid; wait $pid; true",
                    port);
        CHECK(file_exists(HUB_PART) && !file_exists(HUB_MODELS "vitmatte-s.mbw"));
    }
    http_server_script(&good);
    process_run(&p, GET, port);
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(http_server_last(), "Range: bytes=");
    hub_check_installed(&p);
}

/* Temporaries of runs that were killed go when nobody can be writing them any more. */
TEST(old_temporaries)
{
    process_run(&p, GET, port);
    CHECK_RUN(&p, 0, "");
    process_run(&p, "touch -d '9 days ago' " HUB_MODELS ".vitmatte-s.mbw.mattebox-abcdef; touch " HUB_CACHE
                    ".x.part.info.mattebox-123456; touch -d '9 days ago' " HUB_CACHE ".x.part.info.mattebox-abcdef");
    process_run(&p, GET " --force", port);
    CHECK_EQ(p.code, 0);
    CHECK(!file_exists(HUB_MODELS ".vitmatte-s.mbw.mattebox-abcdef"));
    CHECK(!file_exists(HUB_CACHE ".x.part.info.mattebox-abcdef") &&
          file_exists(HUB_CACHE ".x.part.info.mattebox-123456"));
}

TEARDOWN
{
    http_server_stop();
}
