/* A small network on the stand-ins: a device opened, a plan made and run, all closed; what came out, and what the
 * stand-ins counted. For the tests of the host side. */
#ifndef MB_ON_STANDINS_H
#define MB_ON_STANDINS_H

#include "cuda/backend.h"
#include "models/registry.h"
#include "standin/standin.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE, RUNS = 4 };

extern const mb_weights *weights; /* of tiny7, set by the test */
extern int runs;                  /* of every plan */

/* What one sequence of runs gave. */
typedef struct outcome {
    float logits[RUNS][PIXELS];
    int launches, recorded, by_blaslt, by_dnn, by_dnn_f32; /* graphs launched, works recorded; nodes by their kernels */
    int lt[MB_STANDIN_WAYS], dnn[MB_STANDIN_WAYS];         /* how often each algorithm and engine ran, in all */
    mb_status status;
    mb_error err;
} outcome;

/* An int of the stand-in driver by the name of the function that tells. */
int ask_standin(const char *symbol);
void fill(mb_view in, int run);
mb_status run_on(outcome *o, mb_backend *b, mb_error *err);
/* The device is opened, a plan made and run `runs` times on two inputs in turn, all is closed, nothing left open. Valid
 * until the third call after. */
outcome *run(mb_dtype type, bool tf32);
/* The same with a variable of the environment set meanwhile. */
outcome *run_with(const char *variable, const char *value, mb_dtype type);
double apart(const outcome *a, const outcome *b);
bool same_bits(const outcome *a, const outcome *b);

#endif
