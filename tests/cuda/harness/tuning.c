/* Timing of the libraries' proposals and of our own kernels, on stand-ins that say how long each takes: the fastest is
 * chosen, kept on disk and taken again; what fails is passed over; without time or a cache the first one stays. */
#define _GNU_SOURCE /* setenv, mkdtemp */
#include "harness/check.h"
#include "harness/genweights.h"
#include "on_standins.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/mattebox-tuning-XXXXXX";

/* An empty folder of plans. */
static void forget_plans(void)
{
    char path[600];
    DIR *d = opendir(folder);
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            CHECK(remove(path) == 0);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
}

/* How long everything takes: algorithms of cuBLASLt, engines of cuDNN, kernels of ours. */
static void script(const char *lt, const char *dnn, const char *kernel)
{
    setenv("MB_STANDIN_LT_TIMES", lt, 1);
    setenv("MB_STANDIN_DNN_TIMES", dnn, 1);
    setenv("MB_STANDIN_KERNEL_MS", kernel, 1);
}

static outcome *copy_of(const outcome *o)
{
    static outcome kept[4];
    static int next;
    outcome *out = &kept[next++ % 4];
    *out = *o;
    return out;
}

/* Products whose activation is a kernel of its own may go to our kernel, which has it inside: most do not. */
static bool most_by(int n, const outcome *o)
{
    return n > o->by_blaslt * 2 / 3 && n <= o->by_blaslt;
}

/* The fastest algorithm is found, kept, and taken by the next process without timing, whatever it would find now. */
TEST(products)
{
    forget_plans();
    script("5,3,1,4", "0.01", "20");
    outcome *first = copy_of(run(MB_F32, false));
    CHECK_OK(first->status, first->err);
    CHECK_MSG(first->lt[2] > first->lt[0] && first->lt[0] > 0 && first->lt[0] == first->lt[1] &&
                  first->lt[0] == first->lt[3],
              "%d %d %d %d", first->lt[0], first->lt[1], first->lt[2], first->lt[3]);
    script("1,3,5,4", "0.01", "0.001");
    outcome *second = run(MB_F32, false);
    CHECK_OK(second->status, second->err);
    CHECK_MSG(most_by(second->lt[2], second) && second->lt[0] + second->lt[1] + second->lt[3] == 0,
              "%d of %d nodes by the choice; %d %d %d", second->lt[2], second->by_blaslt, second->lt[0], second->lt[1],
              second->lt[3]);
    CHECK(same_bits(first, second));
}

/* One that is not supported after all, one that fails: passed over. All of them: our own kernel. */
TEST(failures)
{
    forget_plans();
    script("-1,-2,3", "0.01", "20");
    outcome *o = run(MB_F32, false);
    CHECK_OK(o->status, o->err);
    CHECK_MSG(o->lt[0] == 0 && o->lt[1] == 0 && o->lt[2] > 0, "%d %d %d", o->lt[0], o->lt[1], o->lt[2]);
    o = run(MB_F32, false);
    CHECK_MSG(o->status == MB_OK && most_by(o->lt[2], o), "%d of %d: %s", o->lt[2], o->by_blaslt, o->err.message);
    forget_plans();
    script("-2,-1", "-1,-1,-1", "20");
    o = run(MB_F32, false);
    CHECK_OK(o->status, o->err);
    CHECK(o->lt[0] + o->lt[1] + o->dnn[0] + o->dnn[1] + o->dnn[2] == 0);
}

/* Our own kernel takes part, and its victory is remembered. */
TEST(own)
{
    forget_plans();
    script("5", "5,5,5", "0.001");
    outcome *first = copy_of(run(MB_F32, false));
    CHECK_OK(first->status, first->err);
    CHECK_MSG(first->lt[0] > 0 && first->dnn[2] > 0, "%d %d timed", first->lt[0], first->dnn[2]);
    outcome *second = run(MB_F32, false);
    CHECK_OK(second->status, second->err);
    CHECK_MSG(second->lt[0] == 0 && second->dnn[2] == 0 && second->by_dnn == 0, "%d %d by libraries", second->lt[0],
              second->dnn[2]);
    CHECK(same_bits(first, second));
}

/* Engines: the nondeterministic one never, one on tensor cores never in strict f32, however fast they are. */
TEST(engines)
{
    forget_plans();
    script("1", "0.1,4,2", "20");
    outcome *o = run(MB_F16, false);
    CHECK_OK(o->status, o->err);
    CHECK_MSG(o->dnn[0] == 0 && o->dnn[1] > 0 && o->dnn[2] > o->dnn[1], "%d %d %d", o->dnn[0], o->dnn[1], o->dnn[2]);
    forget_plans();
    script("1", "0.1,0.1,9", "20");
    o = run(MB_F32, false);
    CHECK_OK(o->status, o->err);
    CHECK_MSG(o->dnn[0] == 0 && o->dnn[1] == 0 && o->dnn[2] > 0, "%d %d %d", o->dnn[0], o->dnn[1], o->dnn[2]);
    o = run(MB_F32, true); /* tf32 keeps its own choices */
    CHECK_MSG(o->status == MB_OK && o->dnn[1] > 0, "%d: %s", o->dnn[1], o->err.message);
}

/* Offset convolutions in 16 bits: ours until timed; by cuDNN's TF32 engines where those are faster, with the same
 * products and sums. */
TEST(dnn_f32)
{
    static const mb_dtype types[] = {MB_F16, MB_BF16};
    for (int i = 0; i < 2; i++) {
        forget_plans();
        script("1", "9,1,9", "20");
        outcome *timed = copy_of(run(types[i], false));
        CHECK_OK(timed->status, timed->err);
        CHECK_MSG(timed->by_dnn_f32 > 0, "no offset convolution was offered to cuDNN");
        outcome *again = copy_of(run(types[i], false));
        CHECK_MSG(again->by_dnn_f32 == timed->by_dnn_f32 && again->dnn[1] == again->by_dnn + again->by_dnn_f32,
                  "%d nodes, %d and %d of cuDNN's", again->by_dnn_f32, again->dnn[1], again->by_dnn);
        CHECK(same_bits(timed, again));
        forget_plans();
        outcome *untimed = run_with("MATTEBOX_TUNE", "off", types[i]);
        CHECK_MSG(untimed->status == MB_OK && untimed->by_dnn_f32 == 0, "%d: %s", untimed->by_dnn_f32,
                  untimed->err.message);
        double far = apart(timed, untimed), limit = types[i] == MB_F16 ? 1e-2 : 8e-2; /* sums in another order */
        CHECK_MSG(far < limit, "%g", far);
        forget_plans();
        script("1", "9,9,9", "0.5"); /* ours is faster: the next plan does not even ask for workspace */
        timed = run(types[i], false);
        CHECK_OK(timed->status, timed->err);
        again = run(types[i], false);
        CHECK_MSG(again->by_dnn_f32 == 0 && again->dnn[1] == 0, "%d %d", again->by_dnn_f32, again->dnn[1]);
    }
    outcome *old = run_with("MB_STANDIN_SM", "75", MB_F16); /* Turing has no TF32 */
    CHECK_MSG(old->status == MB_OK && old->by_dnn_f32 == 0, "%d: %s", old->by_dnn_f32, old->err.message);
}

/* No time, no cache, or no wish: the first proposal, and nothing is timed. */
TEST(untimed)
{
    static const char *const rows[] = {"off", "0", "-3", "2x"};
    script("5,3,1", "9,4,2", "20");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        forget_plans();
        outcome *o = run_with("MATTEBOX_TUNE", rows[i], MB_F32);
        CHECK_OK(o->status, o->err);
        CHECK_MSG(o->lt[0] == o->by_blaslt && o->lt[1] == 0 && o->lt[2] == 0 && o->dnn[1] == 0,
                  "%s: %d of %d, %d %d, %d", rows[i], o->lt[0], o->by_blaslt, o->lt[1], o->lt[2], o->dnn[1]);
    }
    unsetenv("MATTEBOX_TUNE");
    outcome *uncached = run_with("MATTEBOX_CACHE", "", MB_F32);
    CHECK_MSG(uncached->lt[0] == uncached->by_blaslt && uncached->lt[1] == 0, "%d of %d", uncached->lt[0],
              uncached->by_blaslt);
    setenv("MATTEBOX_TUNE", "1000", 1);
    forget_plans(); /* time for one thing at most: it goes on, the rest stays as proposed, and is timed another day */
    outcome *hurried = run_with("MATTEBOX_TUNE", "0.0001", MB_F32);
    CHECK_OK(hurried->status, hurried->err);
    CHECK_MSG(hurried->lt[0] > hurried->by_blaslt / 2, "%d of %d", hurried->lt[0], hurried->by_blaslt);
    outcome *later = run(MB_F32, false);
    CHECK_MSG(later->status == MB_OK && later->lt[2] > later->by_blaslt, "%d of %d", later->lt[2], later->by_blaslt);
}

/* A file that is damaged is made again, by timing. */
TEST(damage)
{
    char path[600] = "";
    forget_plans();
    script("5,3,1", "9,4,2", "20");
    outcome *first = copy_of(run(MB_F32, false));
    DIR *d = opendir(folder);
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        if (e->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        }
    }
    (void)closedir(d);
    for (long at = 2; at < 2000; at = at * 7) { /* the magic, a record's head, a choice, an algorithm */
        FILE *f = fopen(path, "r+");
        if (CHECK(f != NULL)) {
            (void)fseek(f, at, SEEK_SET);
            (void)fputs("damage", f);
            (void)fclose(f);
        }
        outcome *o = run(MB_F32, false);
        CHECK_MSG(o->status == MB_OK && same_bits(o, first), "at %ld: %s", at, o->err.message);
        o = run(MB_F32, false);
        CHECK_MSG(o->lt[0] == 0 && most_by(o->lt[2], o), "at %ld: %d, %d of %d", at, o->lt[0], o->lt[2], o->by_blaslt);
    }
}

/* Two devices of a kind that were opened at once: the second takes what the first has found. */
TEST(two_devices)
{
    static outcome a, b;
    mb_backend one = {0}, two = {0};
    mb_error err = {0};
    forget_plans();
    script("5,3,1", "9,4,2", "20");
    CHECK_OK(mb_backend_cuda_open(&one, 0, MB_F16, &err), err);
    CHECK_OK(mb_backend_cuda_open(&two, 0, MB_F16, &err), err);
    CHECK_OK(run_on(&a, &one, &err), err);
    script("1,3,5", "9,2,4", "20"); /* what the second would find */
    CHECK_OK(run_on(&b, &two, &err), err);
    CHECK(same_bits(&a, &b));
    mb_backend_cuda_close(&two);
    mb_backend_cuda_close(&one);
    outcome *o = run(MB_F16, false);
    CHECK_MSG(most_by(o->lt[2], o) && o->dnn[2] >= o->by_dnn && o->dnn[1] == 0, "%d of %d, %d of %d", o->lt[2],
              o->by_blaslt, o->dnn[2], o->by_dnn);
}

static mb_weights *owned;

SETUP
{
    mb_error err;
    setenv("MATTEBOX_CUDA_LIBS", MB_STANDIN_FOLDER, 1);
    REQUIRE(mkdtemp(folder) != NULL);
    setenv("MATTEBOX_CACHE", folder, 1);
    setenv("MATTEBOX_TUNE", "1000", 1); /* seconds: the emulation is slow */
    REQUIRE_OK(gen_weights(&owned, "tiny7", 1, &err), err);
    weights = owned;
}

TEARDOWN
{
    forget_plans();
    CHECK(remove(folder) == 0);
    mb_weights_free(owned);
}
