/* Runs a fuzz target without libFuzzer:
 *
 *     fuzz_TARGET FILE...                    replays files (crashes found before); of folders all files in them
 *     fuzz_TARGET --mutate SECONDS FILE...   mutates them, too: by the target's own mutator where it has one, else by
 *                                            flips, cuts, copies, boundary values and words of dictionaries
 *
 * A file called *.dict is a dictionary, as libFuzzer reads them: a line "WORD" each, with \\, \" and \xHH in it.
 *
 * No crash and no leak is what the sanitizers watch; each target states what else must hold. MB_FUZZ_SEED=N begins with
 * other numbers; MB_FUZZ_KEEP=FILE writes each input there before it runs. tests/fuzz.sh runs the same targets with
 * clang's libFuzzer. */
#define _GNU_SOURCE
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LARGEST ((size_t)1 << 16) /* of what mutators may make */

#pragma weak LLVMFuzzerCustomMutator
#pragma weak LLVMFuzzerInitialize

typedef struct seed {
    uint8_t *v;
    size_t n;
} seed;

typedef struct seeds {
    seed *v;
    size_t n, capacity;
} seeds;

static fuzz_random state;
static seeds words; /* of the dictionaries */

static bool read_seed(seed *s, const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat info;
    if (f == NULL || fstat(fileno(f), &info) != 0) {
        return false;
    }
    s->n = (size_t)info.st_size;
    s->v = malloc(s->n + 1);
    const bool whole = s->v != NULL && fread(s->v, 1, s->n, f) == s->n;
    fclose(f);
    return whole;
}

/* One more, empty. NULL: no memory. */
static seed *grow(seeds *all)
{
    if (all->n == all->capacity) {
        all->capacity = all->capacity == 0 ? 64 : 2 * all->capacity;
        seed *larger = realloc(all->v, all->capacity * sizeof *larger);
        if (larger == NULL) {
            return NULL;
        }
        all->v = larger;
    }
    all->v[all->n] = (seed){0};
    return &all->v[all->n++];
}

static bool add(seeds *all, const char *path)
{
    seed *s = grow(all);
    return s != NULL && read_seed(s, path);
}

static int hex(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "WORD" of a line -> its bytes, in place. */
static bool read_word(seed *word, const char *line)
{
    size_t at = 1, n = 0;
    while (line[0] == '"' && line[at] != '"' && line[at] != '\0') {
        int c = (unsigned char)line[at++];
        if (c == '\\' && line[at] == 'x' && hex(line[at + 1]) >= 0 && hex(line[at + 2]) >= 0) {
            c = hex(line[at + 1]) * 16 + hex(line[at + 2]);
            at += 3;
        } else if (c == '\\') {
            c = line[at++];
            n = c == '\\' || c == '"' ? n : LARGEST; /* no other letter may follow */
        }
        if (n >= word->n) {
            return false;
        }
        word->v[n++] = (uint8_t)c;
    }
    word->n = n;
    return n > 0 && line[at] == '"' && strcmp(line + at + 1, "\n") == 0;
}

static bool add_dictionary(const char *path)
{
    char line[400];
    bool ok = true;
    FILE *f = fopen(path, "r");
    while (f != NULL && ok && fgets(line, sizeof line, f) != NULL) {
        if (line[0] != '#' && line[0] != '\n') {
            seed *word = grow(&words);
            ok = word != NULL && (word->v = malloc(sizeof line)) != NULL;
            word->n = ok ? sizeof line : 0;
            ok = ok && read_word(word, line);
            fprintf(ok ? stdout : stderr, ok ? "" : "%s: not a word: %s", path, line);
        }
    }
    return f != NULL && fclose(f) == 0 && ok && words.n > 0;
}

/* A file, the files of a folder in the order of their names, or nothing. */
static bool add_path(seeds *all, const char *path)
{
    struct dirent **entries;
    struct stat info;
    bool ok = true;
    if (stat(path, &info) != 0) {
        return true; /* a target without regressions has no such folder */
    }
    const char *dot = strrchr(path, '.');
    if (!S_ISDIR(info.st_mode)) {
        return dot != NULL && strcmp(dot, ".dict") == 0 ? add_dictionary(path) : add(all, path);
    }
    int n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char file[1200];
        (void)snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        ok = ok && (entries[i]->d_name[0] == '.' || add(all, file));
        free(entries[i]);
    }
    free(n >= 0 ? entries : NULL);
    return ok;
}

/* ---- mutation */

size_t LLVMFuzzerMutate(uint8_t *v, size_t n, size_t capacity)
{
    size_t length = 1 + fuzz_below(&state, 16), at, from;
    if (n == 0) {
        v[0] = (uint8_t)fuzz_next(&state);
        return capacity > 0;
    }
    at = fuzz_one_in(&state, 4) ? fuzz_below(&state, n < 64 ? n : 64) : fuzz_below(&state, n);
    from = fuzz_below(&state, n);
    length = length < n - at ? length : n - at;
    switch (fuzz_below(&state, words.n > 0 ? 8 : 7)) {
    case 7: { /* a word in place of what stands there, or before it */
        const seed *word = &words.v[fuzz_below(&state, words.n)];
        if (fuzz_one_in(&state, 2) && n + word->n <= capacity) {
            memmove(v + at + word->n, v + at, n - at);
            n += word->n;
        }
        memcpy(v + at, word->v, word->n < n - at ? word->n : n - at);
        return n;
    }
    case 0:
        v[at] = (uint8_t)(v[at] ^ (1u << fuzz_below(&state, 8)));
        return n;
    case 1: {
        const size_t width = (size_t)1 << fuzz_below(&state, 4);
        const uint64_t value = fuzz_edge(&state, v[at]);
        memcpy(v + at, &value, width < n - at ? width : n - at);
        return n;
    }
    case 2:
        v[at] = (uint8_t)fuzz_next(&state);
        return n;
    case 3: /* bytes from elsewhere */
        memmove(v + at, v + from, length < n - from ? length : n - from);
        return n;
    case 4: /* twice */
        if (n + length <= capacity) {
            memmove(v + at + length, v + at, n - at);
            n += length;
        }
        return n;
    case 5: /* away */
        memmove(v + at, v + at + length, n - at - length);
        return n - length;
    default: /* the end */
        return fuzz_one_in(&state, 4) ? at : n;
    }
}

/* The current input lies in a file before it runs, so that a crash leaves it behind. */
static void keep(const uint8_t *v, size_t n)
{
    const char *path = getenv("MB_FUZZ_KEEP");
    FILE *f = path != NULL ? fopen(path, "wb") : NULL;
    if (f != NULL) {
        fwrite(v, 1, n, f);
        fclose(f);
    }
}

/* Of exactly its size, so that the address sanitizer sees the first byte behind it. */
static double run(const uint8_t *v, size_t n)
{
    uint8_t *exact = malloc(n > 0 ? n : 1);
    const clock_t before = clock();
    if (exact != NULL) {
        memcpy(exact, v, n);
        (void)LLVMFuzzerTestOneInput(exact, n);
        free(exact);
    }
    return (double)(clock() - before) / CLOCKS_PER_SEC;
}

static void mutate(const seeds *all, double seconds)
{
    static uint8_t v[LARGEST];
    const clock_t start = clock();
    long runs = 0;
    double slowest = 0.0;
    while ((double)(clock() - start) / CLOCKS_PER_SEC < seconds) {
        const seed *s = &all->v[fuzz_below(&state, all->n)];
        size_t n = s->n < LARGEST ? s->n : LARGEST;
        memcpy(v, s->v, n);
        for (size_t i = 0, changes = 1 + fuzz_below(&state, 4); i < changes; i++) {
            n = LLVMFuzzerCustomMutator != NULL ? LLVMFuzzerCustomMutator(v, n, LARGEST, (unsigned)fuzz_next(&state))
                                                : LLVMFuzzerMutate(v, n, LARGEST);
        }
        keep(v, n);
        const double took = run(v, n);
        slowest = took > slowest ? took : slowest;
        FUZZ_MUST(took < 5.0); /* an input that takes that long is a fault, too */
        runs++;
    }
    printf("%ld inputs, slowest %.3f s\n", runs, slowest);
}

static void dispose(seeds *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->v[i].v);
    }
    free(all->v);
}

int main(int argc, char **argv)
{
    const bool mutating = argc > 3 && strcmp(argv[1], "--mutate") == 0;
    const int first = mutating ? 3 : 1;
    const char *start = getenv("MB_FUZZ_SEED");
    seeds all = {0};
    state.state = start != NULL ? strtoull(start, NULL, 10) : 1;
    for (int i = first; i < argc; i++) {
        if (!add_path(&all, argv[i])) {
            fprintf(stderr, "%s: cannot be read\n", argv[i]);
            return 2;
        }
    }
    if (all.n == 0) {
        fprintf(stderr, "usage: %s [--mutate SECONDS] FILE|FOLDER...\n", argv[0]);
        return 2;
    }
    FUZZ_MUST(LLVMFuzzerInitialize == NULL || LLVMFuzzerInitialize(&argc, &argv) == 0);
    for (size_t i = 0; i < all.n; i++) {
        (void)run(all.v[i].v, all.v[i].n);
    }
    printf("%zu files replayed\n", all.n);
    if (mutating) {
        mutate(&all, atof(argv[2]));
    }
    dispose(&all);
    dispose(&words);
    return 0;
}
