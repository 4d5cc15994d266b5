/* One attempt at a scenario in which an allocation fails. Each call that can fail goes through CALL: a failure must be
 * MB_E_MEMORY with a message, and the same call must then work; so the scenario comes to its end in any case, and gives
 * the same bytes. */
#ifndef MB_TEST_TRIAL_H
#define MB_TEST_TRIAL_H

#include <mattebox.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct trial {
    mb_error err;
    long number;     /* of the allocation that fails */
    int n_failed;    /* calls that said so */
    bool lost;       /* what cannot be done again: the hash says nothing */
    bool incomplete; /* a call failed for good */
    uint64_t hash;
    const char *name;
} trial;

#define CALL(t, call)                                                                                                  \
    (trial_begin(t), !trial_failed((t), (call), #call) || (trial_begin(t), trial_again((t), (call), #call)))

void trial_begin(trial *t);
/* Checks a status: whether the call failed as it should. */
bool trial_failed(trial *t, mb_status status, const char *call);
/* Checks the second attempt. */
bool trial_again(trial *t, mb_status status, const char *call);

void trial_mix(trial *t, const void *data, size_t bytes);
void trial_mix_image(trial *t, const mb_image *image);
void trial_mix_result(trial *t, const mb_result *r);

typedef void (*scenario)(trial *t);
/* Fails the allocations of the scenario one at a time: all of them with --long, else the first `few` and then a spread
 * of as many. */
void trial_sweep(const char *name, scenario run, long few);
/* Failures injected, calls that failed, and scenarios, since the program began: a line for the report. */
void trial_summary(void);

#endif
