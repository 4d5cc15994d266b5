/* Runs a fuzz target without libFuzzer:
 *
 *     fuzz_TARGET FILE...                    replays files (crashes found before)
 *     fuzz_TARGET --mutate SECONDS FILE...   mutates them: flips, cuts, copies, splices, boundary values
 *
 * No crash and no leak is what the sanitizers watch; each target states what else must hold. tests/fuzz/run.sh builds
 * the same targets with clang's libFuzzer. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

typedef struct seed {
    uint8_t *v;
    size_t n;
} seed;

static uint64_t state = 88172645463325252u;

static size_t pick(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return n > 0 ? (size_t)(state % n) : 0;
}

static seed read_seed(const char *path)
{
    seed s = {0};
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return s;
    }
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    s.v = malloc((size_t)(size > 0 ? size : 0) + 1);
    s.n = s.v != NULL && size > 0 ? fread(s.v, 1, (size_t)size, f) : 0;
    fclose(f);
    return s;
}

static void change(uint8_t *v, size_t n)
{
    static const uint8_t edges[] = {0, 1, 0x7F, 0x80, 0xFF, 0xFE, 0x10, 0x40};
    size_t at = pick(4) == 0 ? pick(n < 64 ? n : 64) : pick(n);
    switch (pick(5)) {
    case 0:
        v[at] = (uint8_t)(v[at] ^ (1u << pick(8)));
        break;
    case 1:
        v[at] = edges[pick(sizeof edges)];
        break;
    case 2:
        v[at] = (uint8_t)pick(256);
        break;
    case 3: /* a block from elsewhere in the file */
        for (size_t i = 0, from = pick(n), len = pick(32); i < len && at + i < n && from + i < n; i++) {
            v[at + i] = v[from + i];
        }
        break;
    default:
        for (size_t i = 0, len = pick(8); i < len && at + i < n; i++) {
            v[at + i] = 0xFF;
        }
        break;
    }
}

/* The current input lies in `crash`'s file before it runs, so that a crash leaves it behind. */
static void keep(const uint8_t *v, size_t n)
{
    const char *path = getenv("MB_FUZZ_KEEP");
    FILE *f = path != NULL ? fopen(path, "wb") : NULL;
    if (f != NULL) {
        fwrite(v, 1, n, f);
        fclose(f);
    }
}

static void mutate(const seed *seeds, size_t n_seeds, double seconds)
{
    clock_t start = clock();
    long runs = 0;
    double slowest = 0.0;
    while ((double)(clock() - start) / CLOCKS_PER_SEC < seconds) {
        const seed *s = &seeds[pick(n_seeds)];
        size_t n = s->n > 0 && pick(8) == 0 ? pick(s->n) + 1 : s->n;
        uint8_t *v = malloc(n > 0 ? n : 1);
        if (v == NULL || s->n == 0) {
            free(v);
            continue;
        }
        memcpy(v, s->v, n);
        for (size_t i = 0, changes = 1 + pick(6); i < changes; i++) {
            change(v, n);
        }
        keep(v, n);
        clock_t before = clock();
        (void)LLVMFuzzerTestOneInput(v, n);
        double took = (double)(clock() - before) / CLOCKS_PER_SEC;
        slowest = took > slowest ? took : slowest;
        if (took > 5.0) {
            abort(); /* a decoder that crawls is a fault, too */
        }
        free(v);
        runs++;
    }
    printf("%ld inputs, slowest %.3f s\n", runs, slowest);
}

int main(int argc, char **argv)
{
    const bool mutating = argc > 3 && strcmp(argv[1], "--mutate") == 0;
    const int first = mutating ? 3 : 1;
    const size_t n = argc > first ? (size_t)(argc - first) : 0;
    seed *seeds = calloc(n + 1, sizeof *seeds);
    if (seeds == NULL || n == 0) {
        free(seeds);
        fprintf(stderr, "usage: %s [--mutate SECONDS] FILE...\n", argv[0]);
        return 2;
    }
    const char *start = getenv("MB_FUZZ_SEED");
    state ^= start != NULL ? strtoull(start, NULL, 10) * 0x9E3779B97F4A7C15u : 0;
    for (size_t i = 0; i < n; i++) {
        seeds[i] = read_seed(argv[first + (int)i]);
        (void)LLVMFuzzerTestOneInput(seeds[i].v, seeds[i].n);
    }
    if (mutating) {
        mutate(seeds, n, atof(argv[2]));
    } else {
        printf("%zu files replayed\n", n);
    }
    for (size_t i = 0; i < n; i++) {
        free(seeds[i].v);
    }
    free(seeds);
    return 0;
}
