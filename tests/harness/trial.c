#include "harness/trial.h"

#include "harness/check.h"
#include "harness/failing.h"
#include "harness/image_hash.h"

#include <stdio.h>
#include <string.h>

static long n_injected, n_failures, n_scenarios, n_survived;

void trial_begin(trial *t)
{
    t->err = (mb_error){0};
}

bool trial_failed(trial *t, mb_status status, const char *call)
{
    if (status == MB_OK) {
        return false;
    }
    CHECK_MSG(failing_struck(), "%s: %s fails with all its memory: %s", t->name, call, t->err.message);
    (void)failing_disarm();
    CHECK_MSG(status == MB_E_MEMORY, "%s, allocation %ld: %s: %s, %s", t->name, t->number, call, mb_status_name(status),
              t->err.message);
    CHECK_MSG(t->err.code == status && t->err.message[0] != '\0', "%s, allocation %ld: %s: no message", t->name,
              t->number, call);
    t->n_failed++;
    return true;
}

bool trial_again(trial *t, mb_status status, const char *call)
{
    t->incomplete = t->incomplete || status != MB_OK;
    return CHECK_MSG(status == MB_OK, "%s, allocation %ld: %s does not work afterwards: %s", t->name, t->number, call,
                     t->err.message);
}

void trial_mix(trial *t, const void *data, size_t bytes)
{
    t->hash = hash_mix(t->hash, data, bytes);
}

void trial_mix_image(trial *t, const mb_image *m)
{
    t->hash = hash_image(t->hash, m);
}

void trial_mix_result(trial *t, const mb_result *r)
{
    t->hash = hash_result(t->hash, r);
    trial_mix(t, &r->coverage, sizeof r->coverage);
}

static trial attempt(const char *name, scenario run, long number)
{
    trial t = {.number = number, .hash = HASH_START, .name = name};
    failing_arm(number);
    run(&t);
    return t;
}

void trial_sweep(const char *name, scenario run, long few)
{
    (void)attempt(name, run, -1); /* libraries that are opened once, tables that are made once */
    (void)failing_disarm();
    const trial whole = attempt(name, run, -1);
    const long total = failing_disarm();
    const long step = test_long() || total <= 2 * few ? 1 : (total - few) / few + 1;
    long injected = 0, failed = 0, survived = 0;
    CHECK_MSG(whole.n_failed == 0 && !whole.incomplete && total > 0, "%s does not work", name);
    for (long i = 0; i < total; i += i < few ? 1 : step) {
        const long before = failing_blocks();
        const trial t = attempt(name, run, i);
        const bool hit = failing_struck();
        (void)failing_disarm();
        const long kept = failing_blocks() - before;
        injected += hit;
        failed += t.n_failed > 0;
        survived += hit && t.n_failed == 0; /* a slower way that was taken */
        CHECK_MSG(kept == 0, "%s, allocation %ld of %ld: %ld blocks are left", name, i, total, kept);
        CHECK_MSG(t.lost || t.incomplete || t.hash == whole.hash, "%s, allocation %ld of %ld: other bytes", name, i,
                  total);
    }
    printf("%s: %ld failures injected into %ld allocations; %ld calls said so, %ld went another way\n", name, injected,
           total, failed, survived);
    n_injected += injected;
    n_failures += failed;
    n_survived += survived;
    n_scenarios++;
}

void trial_summary(void)
{
    printf("%ld scenarios: %ld failures injected, %ld calls failed as documented, %ld went another way\n", n_scenarios,
           n_injected, n_failures, n_survived);
}
