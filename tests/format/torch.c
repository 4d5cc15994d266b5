/* PyTorch checkpoints that torch itself wrote (tests/data/checkpoints/README.md says how): every value, every kind of
 * view and nesting; programs in pickles are named and refused; no damage gets through. */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/file.h"
#include "harness/check.h"
#include "source.h"
#include "zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA MB_TEST_DATA "/checkpoints/"

static bool equals(const source *s, const char *name, int rank, const int64_t *dims, const float *want, size_t n)
{
    const source_tensor *t = source_find(s, name);
    if (t == NULL || t->rank != rank || t->count != n ||
        (rank > 0 && memcmp(t->dims, dims, sizeof dims[0] * (size_t)rank) != 0)) {
        return false;
    }
    double raw[32];
    float got[32] = {0};
    source_read(t, 0, n, raw);
    mb_st_to_float(got, raw, t->dtype, n);
    for (size_t i = 0; i < n; i++) { /* any cut gives the same */
        float one;
        source_read(t, i, 1, raw);
        mb_st_to_float(&one, raw, t->dtype, 1);
        if (one != want[i] || got[i] != want[i]) {
            return false;
        }
    }
    return true;
}

/* The values that the script gave: a ramp from -3. */
static void check_values(const char *file)
{
    source *s;
    mb_error err;
    float v[24], transposed[24], third[8], half[5];
    for (int i = 0; i < 24; i++) {
        v[i] = (float)(i - 3);
    }
    for (int i = 0; i < 24; i++) {
        transposed[i] = v[i % 4 * 6 + i / 4];
    }
    for (int i = 0; i < 8; i++) {
        third[i] = v[3 * i];
    }
    for (int i = 0; i < 5; i++) {
        half[i] = (float)i * 0.5F - 3;
    }
    CHECK_OK(source_open(&s, file, &err), err);
    if (s == NULL) {
        return;
    }
    CHECK(source_kind(s) == SOURCE_TORCH && source_count(s) == 12);
    CHECK(equals(s, "plain.weight", 2, (int64_t[]){2, 3}, v, 6));
    CHECK(equals(s, "transposed", 2, (int64_t[]){6, 4}, transposed, 24));
    CHECK(!source_find(s, "transposed")->contiguous && source_find(s, "view")->contiguous);
    CHECK(equals(s, "view", 2, (int64_t[]){3, 4}, v + 6, 12));
    CHECK(equals(s, "every_third", 1, (int64_t[]){8}, third, 8));
    CHECK(equals(s, "half", 1, (int64_t[]){5}, half, 5) && equals(s, "brain", 1, (int64_t[]){5}, half, 5));
    CHECK(source_find(s, "half")->dtype == MB_ST_F16 && source_find(s, "brain")->dtype == MB_ST_BF16);
    CHECK(equals(s, "double", 1, (int64_t[]){3}, (float[]){-3, -2.75F, -2.5F}, 3));
    CHECK(equals(s, "counter", 0, NULL, (float[]){7}, 1));
    CHECK(equals(s, "bytes", 1, (int64_t[]){4}, (float[]){0, 1, 2, 3}, 4));
    CHECK(equals(s, "flag", 1, (int64_t[]){2}, (float[]){1, 0}, 2));
    CHECK(equals(s, "empty", 2, (int64_t[]){0, 3}, NULL, 0));
    CHECK(equals(s, "parameter", 1, (int64_t[]){4}, v, 4));
    CHECK_STR(source_find(s, "parameter")->original, "module.parameter");
    CHECK_OK(source_check_data(s, &err), err);
    source_free(s);
}

TEST(nested)
{
    source *s;
    mb_error err;
    CHECK_OK(source_open(&s, DATA "nested.pth", &err), err);
    CHECK(source_count(s) == 3 && source_find(s, "plain.weight") != NULL);
    source_free(s);
    CHECK_OK(source_open(&s, DATA "nested_state_dict.pt", &err), err);
    CHECK(source_count(s) == 2 && source_find(s, "plain.weight") != NULL); /* both prefixes are gone */
    source_free(s);
    CHECK_OK(source_open(&s, DATA "module_metadata.pth", &err), err);
    CHECK(source_count(s) == 5 && source_find(s, "running_var") != NULL);
    source_free(s);
}

static void refuses(const char *file, mb_status code, const char *part)
{
    source *s;
    mb_error err = {0};
    mb_status status = source_open(&s, file, &err);
    CHECK_MSG(status == code && s == NULL && strstr(err.message, part) != NULL, "%s: %d %s", file, status, err.message);
    source_free(s);
}

TEST(refusals)
{
    refuses(DATA "evil_system.pth", MB_E_FORMAT,
            "evil_system.pth: asks to call \"posix.system\"; refused\nnothing was run");
    refuses(DATA "evil_eval.pth", MB_E_FORMAT, "asks to call \"__builtin__.eval\"; refused");
    refuses(DATA "whole_module.pth", MB_E_FORMAT, "BatchNorm2d\"; refused");
    refuses(DATA "torchscript.pt", MB_E_UNSUPPORTED, "TorchScript");
    refuses(DATA "old_format.pth", MB_E_UNSUPPORTED, "written by torch < 1.6 (no zip)\nre-save");
    CHECK_NE(access("/tmp/mattebox-was-run", F_OK), 0);
}

/* ---- damage */

static char scratch[] = "/tmp/mattebox-torch-XXXXXX";

/* Opens bytes as a file; true if everything about them was accepted. */
static bool accepted(const uint8_t *data, size_t n)
{
    source *s;
    mb_error err = {0};
    FILE *f = fopen(scratch, "wb");
    bool written = f != NULL && fwrite(data, 1, n, f) == n;
    written = f != NULL && fclose(f) == 0 && written;
    CHECK(written);
    mb_status status = source_open(&s, scratch, &err);
    CHECK_MSG((status == MB_OK) == (err.message[0] == '\0'), "%s", err.message);
    bool ok = status == MB_OK && source_check_data(s, NULL) == MB_OK;
    source_free(s);
    return ok;
}

TEST(damage)
{
    void *p;
    size_t n;
    mb_error err;
    CHECK_OK(mb_read_file(&p, &n, DATA "nested.pth", 1 << 20, &err), err);
    uint8_t *data = p;
    int cut = 0, flipped = 0;
    for (size_t i = 0; i < n; i++) {
        cut += accepted(data, i);
    }
    CHECK_MSG(cut == 0, "%d cut files pass", cut);
    /* A flipped bit may sit where nothing depends on it (time stamps, version numbers, padding of the zip), so not all
     * can be refused; the contents of the pickle and of the storages are under checksums. */
    zip_archive z;
    CHECK_OK(zip_open(&z, data, n, &err), err);
    for (size_t m = 0; m < z.n_members; m++) {
        const bool used = strstr(z.members[m].name, "data.pkl") != NULL || strstr(z.members[m].name, "/data/") != NULL;
        for (size_t i = 0; used && i < z.members[m].bytes; i += 3) {
            size_t at = (size_t)(z.members[m].data - data) + i;
            data[at] ^= (uint8_t)(1u << i % 8);
            flipped += accepted(data, n);
            data[at] ^= (uint8_t)(1u << i % 8);
        }
    }
    CHECK_MSG(flipped == 0, "%d changed contents pass", flipped);
    /* local header: every byte of sizes, flags, method, CRC and name of the first member must agree with the directory
     */
    int differs = 0;
    for (size_t at = 6; at < 30 + 4; at++) {
        if (at >= 10 && at < 14) {
            continue; /* time and date */
        }
        data[at] ^= 0x41;
        differs += accepted(data, n);
        data[at] ^= 0x41;
    }
    CHECK_MSG(differs == 0, "%d disagreeing local headers pass", differs);
    CHECK(accepted(data, n));
    zip_dispose(&z);
    mb_free(p);
}

static const struct {
    const char *name;
} files[] = {{"plain.pth"}, {"protocol3.bin"}, {"protocol4.bin"}, {"protocol5.bin"}};

TEST_ROWS(values, files)
{
    char path[512];
    (void)snprintf(path, sizeof path, DATA "%s", row->name);
    check_values(path);
}

SETUP
{
    int fd = mkstemp(scratch);
    REQUIRE(fd >= 0 && close(fd) == 0);
}

TEARDOWN
{
    CHECK_EQ(remove(scratch), 0);
}
