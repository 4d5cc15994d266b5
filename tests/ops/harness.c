/* The harness itself: a kernel with any of the faults it looks for must fail, in a child process, and a sound one must
 * pass. The op is unary (relu), the fault is chosen by a global. */
#define _GNU_SOURCE /* fork */
#include "core/alloc.h"
#include "harness/check.h"
#include "harness/op_harness.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum fault {
    SOUND,
    INEXACT,
    WRITES_GAP,
    WRITES_BEHIND,
    READS_GAP,
    CHANGES_INPUT,
    SUMS_ONTO_OUTPUT,
    READS_WORKSPACE,
    OVERRUNS_WORKSPACE,
    COUNTS_THREADS,
    ALLOCATES,
    WRONG_IN_PLACE,
    FAILS,
    N_FAULTS
} fault;

static const struct {
    const char *name;
} names[N_FAULTS] = {{"sound"},
                     {"inexact"},
                     {"writes the gap"},
                     {"writes behind"},
                     {"reads the gap"},
                     {"changes an input"},
                     {"sums onto the output"},
                     {"reads the workspace"},
                     {"overruns the workspace"},
                     {"counts threads"},
                     {"allocates"},
                     {"wrong in place"},
                     {"fails"}};
static fault now;

static size_t workspace(const mb_call *c)
{
    (void)c;
    return 64;
}

static mb_status run(const mb_call *c, mb_error *err)
{
    const mb_view *x = &c->in[0], *y = &c->out;
    float *last_x = (float *)x->data + (mb_view_tokens(x) - 1) * x->pitch;
    float *last_y = (float *)y->data + (mb_view_tokens(y) - 1) * y->pitch;
    bool in_place = x->data == y->data;
    for (int64_t t = 0; t < mb_view_tokens(y); t++) {
        for (int64_t i = 0; i < y->dims[1]; i++) {
            float v = ((float *)x->data)[t * x->pitch + i], *o = (float *)y->data + t * y->pitch + i;
            float r = v > 0 ? v : 0, before = *o;
            *o = now == INEXACT && t == 0 ? r + 0.01f : r;
            *o = now == SUMS_ONTO_OUTPUT && !in_place ? r + before * 1e-6f : *o;
            *o = now == WRONG_IN_PLACE && in_place ? r + 1 : *o;
            *o = now == COUNTS_THREADS && i == 0 ? r + 1e-7f * (float)mb_pool_size(c->pool) : *o;
        }
    }
    if (now == WRITES_GAP && y->pitch > y->dims[1]) {
        ((float *)y->data)[y->dims[1]] = 1;
    } else if (now == WRITES_BEHIND) {
        last_y[y->dims[1]] = 1;
    } else if (now == READS_GAP && x->pitch > x->dims[1]) {
        *last_y += 0 * ((float *)x->data)[x->dims[1]];
    } else if (now == CHANGES_INPUT) {
        *last_x = 2;
        *last_y = 2;
    } else if (now == READS_WORKSPACE) {
        *last_y += 1e-7f * (float)((unsigned char *)c->workspace)[0];
    } else if (now == OVERRUNS_WORKSPACE) {
        ((float *)c->workspace)[16] = 1;
    } else if (now == ALLOCATES) {
        mb_free(mb_alloc(8));
    }
    return now == FAILS ? mb_fail(err, MB_E_INTERNAL, "it fails") : MB_OK;
}

static const mb_kernel faulty = {.name = "faulty", .workspace = workspace, .run = run, .in_place_input = 1};

/* The exit status of the harness on the faulty kernel. */
static int verdict(void)
{
    static const op_case oc = {"relu", .attrs.unary = {MB_ACT_RELU}, .in = {{2, 7, 5, 3}}};
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        mb_backend ref;
        mb_backend_ref(&ref);
        op_kernel kernels[2] = {{"ref", ref.kernels[MB_OP_unary][0]}, {"test", &faulty}};
        if (freopen("/dev/null", "w", stderr) == NULL || freopen("/dev/null", "w", stdout) == NULL) {
            _exit(3);
        }
        op_check_case(MB_OP_unary, &oc, kernels, 2);
        _exit(test_report());
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_ROWS(a_kernel_that_is, names)
{
    now = (fault)(row - names);
    const int got = verdict();
    CHECK_EQ(got, now != SOUND);
}
