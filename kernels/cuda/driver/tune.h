/* Which of several implementations of a call is the fastest on this device: timed with events, once, before the first
 * run of a plan; the libraries' plans and our own kernel compete. What was found goes to the plan cache, so that later
 * processes choose the same. Without time or a cache the first fitting proposal stays.
 *   MATTEBOX_TUNE=off        never
 *   MATTEBOX_TUNE=SECONDS    what it may cost in all of a process, looked at before each call (5 if not set; set: also
 *                            without a cache) */
#ifndef MB_CUDA_DRIVER_TUNE_H
#define MB_CUDA_DRIVER_TUNE_H

#include "cuda/driver/device.h"

/* Proposals of a library that are timed: its heuristics have the good ones first. */
enum { MB_CUDA_PROPOSALS = 8 };

/* What a record of the plan cache begins with; an algorithm or the text of a plan may follow. */
typedef struct mb_cuda_choice {
    uint32_t timed, own; /* own: our kernel is faster than the library */
    float first_ms, ms;  /* of the first proposal and of the fastest; 0: not timed */
    int32_t index;       /* which proposal it was */
    char what[60];       /* for people */
} mb_cuda_choice;

/* Reads the environment: how much time there is. */
void mb_cuda_tune_open(mb_cuda_device *d);
/* Is there time left? */
bool mb_cuda_may_tune(const mb_cuda_device *d);
/* Around the calls of one plan: one device of the process at a time, so that two of a kind choose the same. begin
 * reads what others have chosen meanwhile; end writes. False: there is nothing to be done, and nothing to end. */
bool mb_cuda_tune_begin(mb_cuda_device *d);
void mb_cuda_tune_end(mb_cuda_device *d);
/* Counts time that was spent on proposals elsewhere (milliseconds since). */
double mb_cuda_tune_clock(void);
void mb_cuda_tune_spent(mb_cuda_device *d, double since);

/* Runs candidates 0..n-1 of a call and times them; an earlier one is displaced only by one that is clearly faster.
 * Candidates that fail are passed over: out->index -1 if all did, else which, and the times. Only a device that broke
 * is an error. `choose` makes the call use a candidate. */
typedef struct mb_cuda_trial {
    const mb_call *call;
    mb_status (*run)(const mb_call *c, mb_error *err);
    bool (*choose)(void *user, int candidate);
    bool (*has_run)(void *user, int candidate); /* after a run: it was really this one */
    void *user;
    int n;
} mb_cuda_trial;
MB_MUST_CHECK mb_status mb_cuda_fastest(mb_cuda_choice *out, mb_cuda_device *d, const mb_cuda_trial *t, mb_error *err);

#endif
