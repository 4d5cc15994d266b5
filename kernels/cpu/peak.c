/* What the machine reaches at most, measured: the rooflines of `mattebox bench`. */
#include "cpu_kernels.h"
#include "isa/bf16.h"

#include "core/alloc.h"
#include "core/clock.h"
#include "core/machine.h"
#include "core/os_process.h"

#include <string.h>

#define TRIES      7
#define TRY_MS     8.0
#define MAP_BYTES  ((size_t)96 << 20) /* and as much for the copy: more than most caches hold */
#define MAP_FLOATS (MAP_BYTES / sizeof(float))
#define BOTH_MAPS  (2 * MAP_BYTES)
#define PART       4096 /* floats of the copy at a time: a page of each and no more */

typedef struct peak_job {
    const mb_simd *simd;
    const mb_bf16_loops *bf16; /* NULL: f32 */
    int64_t rounds;
    int64_t macs;       /* of one item */
    bool counts_finely; /* the processor's time; Windows counts it in steps of 16 ms */
    float *from, *to;
} peak_job;

static void multiply_items(void *arg, size_t begin, size_t end, int worker)
{
    peak_job *j = arg;
    (void)worker;
    if (j->bf16 != NULL && j->bf16->begin != NULL) {
        j->bf16->begin();
    }
    int64_t macs = 0;
    for (size_t i = begin; i < end; i++) {
        macs = j->bf16 != NULL ? j->bf16->peak(j->rounds) : j->simd->peak(j->rounds);
    }
    if (begin == 0) {
        j->macs = macs; /* the same for each item */
    }
    if (j->bf16 != NULL && j->bf16->end != NULL) {
        j->bf16->end();
    }
}

static void copy_items(void *arg, size_t begin, size_t end, int worker)
{
    const peak_job *j = arg;
    (void)worker;
    for (size_t i = begin * PART; i < end * PART; i += PART) {
        j->simd->scale(j->to + i, j->from + i, 0.5f, PART);
    }
}

/* Milliseconds that the threads of a pool would take for `items` items with a processor each, the best of some tries:
 * the processors' time through their number. Other programs take part of the machine, and wall time would show what is
 * left instead of what it reaches. */
static double best_ms(peak_job *j, mb_pool *pool, mb_range_fn fn, size_t items, size_t grain)
{
    const int threads = mb_pool_size(pool), processors = mb_machine_processors();
    const double at_once = threads < processors ? threads : processors;
    double best = 1e30;
    for (int i = 0; i < TRIES; i++) {
        double start = mb_clock_ms(), cpu = mb_os_cpu_seconds();
        mb_parallel_for(pool, items, grain, fn, j);
        double wall = mb_clock_ms() - start;
        double ms = (mb_os_cpu_seconds() - cpu) * 1e3 / at_once;
        ms = j->counts_finely && ms < wall ? ms : wall;
        best = ms < best ? ms : best;
    }
    return best;
}

/* Multiply-adds a second of all threads: rounds are doubled until an item takes long enough to be timed. */
static double multiply_rate(peak_job *j, mb_pool *pool)
{
    double ms = 0;
    for (j->rounds = 512; ms < TRY_MS && j->rounds < (int64_t)1 << 30;) {
        j->rounds *= 2;
        double start = mb_os_cpu_seconds();
        multiply_items(j, 0, 1, 0);
        ms = (mb_os_cpu_seconds() - start) * 1e3;
    }
    j->counts_finely = ms < 2.5 * TRY_MS; /* twice as much as the last that was too little */
    size_t threads = (size_t)mb_pool_size(pool);
    return (double)j->macs * (double)threads / (best_ms(j, pool, multiply_items, threads, 1) * 1e-3);
}

/* Is that what some op is computed by first? */
static bool runs_kernel(const mb_backend *b, const char *name)
{
    for (int op = 0; op < MB_OP_COUNT; op++) {
        if (b->kernels[op][0] != NULL && strcmp(b->kernels[op][0]->name, name) == 0) {
            return true;
        }
    }
    return false;
}

mb_status mb_cpu_measure_peak(mb_cpu_peak *out, const mb_backend *b, mb_pool *pool, mb_error *err)
{
    mb_isa isa;
    mb_bf16_set set;
    *out = (mb_cpu_peak){.kernel = "", .kernel16 = ""};
    mb_status status = mb_cpu_choose_isa(&isa, err);
    if (status != MB_OK) {
        return status;
    }
    const mb_simd *simd = mb_simd_of(isa == MB_ISA_REF ? MB_ISA_GENERIC : isa);
    peak_job j = {.simd = simd};
    out->kernel = mb_isa_name(simd->isa);
    out->macs = multiply_rate(&j, pool);
    if (mb_cpu_choose_bf16(&set, NULL) == MB_OK) {
        const mb_simd *narrow = mb_simd_of_bf16(set);
        if (runs_kernel(b, narrow->bf16->name)) {
            j.bf16 = narrow->bf16;
            out->kernel16 = narrow->bf16->name;
            out->macs16 = multiply_rate(&j, pool);
        }
    }
    j.from = mb_alloc_aligned(BOTH_MAPS);
    if (j.from == NULL) {
        return mb_fail_memory(err, BOTH_MAPS, "measuring the memory's bandwidth");
    }
    memset(j.from, 0, BOTH_MAPS);
    j.to = j.from + MAP_FLOATS;
    out->bytes = BOTH_MAPS / (best_ms(&j, pool, copy_items, MAP_FLOATS / PART, 64) * 1e-3);
    mb_free_aligned(j.from);
    return MB_OK;
}
