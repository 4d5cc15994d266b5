/* Every allocation of conversion and reading fails once, one after the other: the right error, nothing half-written, no
 * leak (under the address sanitizer), and the next attempt works. */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/file.h"
#include "generate.h"
#include "harness/check.h"
#include "harness/failing.h"
#include "source.h"
#include "tool.h"
#include "weights/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/mattebox-fault-XXXXXX";
static char checkpoint[300], model[300], converted[300];

typedef mb_status (*scenario)(mb_error *err);

static mb_status open_model(mb_error *err)
{
    mb_weights *w;
    mb_status status = mb_weights_open(&w, model, err);
    mb_weights_free(w);
    return status;
}

static mb_status open_source(const char *path, mb_error *err)
{
    source *s;
    mb_status status = source_open(&s, path, err);
    source_free(s);
    return status;
}

static mb_status open_safetensors(mb_error *err)
{
    return open_source(checkpoint, err);
}

static mb_status open_torch(mb_error *err)
{
    return open_source(MB_TEST_DATA "/checkpoints/plain.pth", err);
}

static mb_status generate_one(mb_error *err)
{
    generator *g;
    mb_weights *w = NULL;
    mb_status status = generator_create(&g, "vitmatte-tiny4", 1, err);
    if (status == MB_OK) {
        status = generate_memory(g, &w, MB_F16, err);
    }
    generator_free(g);
    mb_weights_free(w);
    return status;
}

static FILE *sink;

static mb_status run_tool(int code)
{
    CHECK_MSG(code == EXIT_OK || code == EXIT_MEMORY, "exit code %d", code);
    return code == EXIT_OK ? MB_OK : MB_E_MEMORY;
}

static mb_status convert(mb_error *err)
{
    tool_options o = {.command = COMMAND_CONVERT, .source = checkpoint, .output = converted, .dtype = MB_F16};
    mb_status status = run_tool(tool_convert(&o, sink, sink, err));
    CHECK_MSG((access(converted, F_OK) == 0) == (status == MB_OK), "whole or not at all");
    (void)unlink(converted);
    return status;
}

static mb_status verify(mb_error *err)
{
    tool_options o = {.command = COMMAND_VERIFY, .source = model, .against = checkpoint};
    return run_tool(tool_verify(&o, sink, sink, err));
}

static mb_status inspect(mb_error *err)
{
    tool_options o = {.command = COMMAND_INSPECT, .source = model, .json = true, .tensors = true};
    return run_tool(tool_inspect(&o, sink, sink, err));
}

/* With test_short() the first 40 fail, and every ninth after them. */
static void sweep(const char *name, scenario run)
{
    long n = 0, failed = 0;
    for (;; n += test_short() && n >= 40 ? 9 : 1, failed++) {
        mb_error err = {0};
        const long blocks = failing_blocks();
        failing_arm(n);
        const mb_status status = run(&err);
        (void)failing_disarm();
        CHECK_MSG(failing_blocks() == blocks, "%s, allocation %ld: %ld blocks are left", name, n,
                  failing_blocks() - blocks);
        if (!failing_struck()) { /* it came to its end before */
            CHECK_MSG(status == MB_OK, "%s works with all its memory: %s", name, err.message);
            break;
        }
        if (!CHECK_MSG(status == MB_E_MEMORY && err.code == MB_E_MEMORY, "%s, allocation %ld: %d %s", name, n, status,
                       err.message)) {
            break;
        }
    }
    CHECK_GT(failed, 0);
    printf("%s: %ld allocations failed once each\n", name, failed);
}

static const struct {
    const char *name;
    scenario run;
} scenarios[] = {{"open", open_model},  {"safetensors", open_safetensors},
                 {"torch", open_torch}, {"generate", generate_one},
                 {"convert", convert},  {"verify", verify},
                 {"inspect", inspect}};

TEST_ROWS(sweep, scenarios)
{
    sweep(row->name, row->run);
}

SETUP
{
    mb_error err;
    generator *g;
    REQUIRE(mkdtemp(folder) != NULL);
    sink = fopen("/dev/null", "w");
    setvbuf(sink, NULL, _IONBF, 0); /* no buffer of its own in the middle of a sweep */
    (void)snprintf(checkpoint, sizeof checkpoint, "%s/a.safetensors", folder);
    (void)snprintf(model, sizeof model, "%s/a.mbw", folder);
    (void)snprintf(converted, sizeof converted, "%s/b.mbw", folder);
    REQUIRE_OK(generator_create(&g, "vitmatte-tiny4", 1, &err), err);
    CHECK_OK(generate_safetensors(g, checkpoint, false, MB_F32, &err), err);
    CHECK_OK(generate_file(g, model, false, MB_F32, &err), err);
    generator_free(g);
}

TEARDOWN
{
    (void)fclose(sink);
    CHECK(unlink(checkpoint) == 0 && unlink(model) == 0 && rmdir(folder) == 0);
}
