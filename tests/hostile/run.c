/* Makes the hostile corpus and reads it, in one process:
 *
 *     hostile MANIFEST SEEDS DATA [--sample] [--write] [--folder FOLDER]
 *
 * SEEDS: what fuzz_seeds writes; DATA: tests/data. Each file has 2 s and a share of memory; each family (a kind of file and
 * a rule that made it) has a line in MANIFEST: how many files, how many accepted, hashes of all verdicts in their order. A
 * family whose line differs is named, and the exit code is 1. --sample reads every 20th file alone; --write makes the
 * manifest anew; --folder writes the files out as well. */
#define _GNU_SOURCE
#include "hostile.h"

#include "mattebox.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_FAMILIES 64
#define SAMPLE       20
#define MOST_SECONDS 2.0
#define MOST_MIB     400 /* that one file may add to the process */

typedef struct family {
    const char *name;
    size_t files, accepted, damaged, over_limit, other, sampled;
    uint64_t all, sample; /* hashes of verdicts */
} family;

typedef struct corpus {
    family families[MAX_FAMILIES];
    size_t n, files;
    bool sample;
    const char *folder;
    double slowest;
    long largest_kib;
} corpus;

static family *find_family(corpus *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->families[i].name, name) == 0) {
            return &c->families[i];
        }
    }
    if (c->n == MAX_FAMILIES) {
        abort();
    }
    c->families[c->n] = (family){.name = name};
    return &c->families[c->n++];
}

static long peak_kib(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_maxrss : 0;
}

static void write_file(const corpus *c, const char *name, const uint8_t *bytes, size_t n)
{
    char path[600], flat[64];
    (void)snprintf(flat, sizeof flat, "%s", name);
    for (char *p = flat; *p != '\0'; p++) {
        *p = *p == '/' || *p == ' ' ? '-' : *p;
    }
    (void)snprintf(path, sizeof path, "%s/%s-%zu", c->folder, flat, c->files);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) {
        fprintf(stderr, "%s: cannot be written\n", path);
        exit(2);
    }
}

static void take(void *user, hostile_kind kind, const char *name, const uint8_t *bytes, size_t n)
{
    corpus *c = user;
    family *f = find_family(c, name);
    const bool sampled = f->files++ % SAMPLE == 0;
    c->files++;
    if (c->sample && !sampled) {
        return;
    }
    if (c->folder != NULL) {
        write_file(c, name, bytes, n);
    }
    uint8_t *exact = malloc(n > 0 ? n : 1); /* so that the address sanitizer sees the first byte behind it */
    if (exact == NULL) {
        exit(2);
    }
    memcpy(exact, bytes, n);
    uint64_t message = 0;
    const long before = peak_kib();
    const clock_t start = clock();
    const int code = hostile_verdict(kind, exact, n, &message);
    const double took = (double)(clock() - start) / CLOCKS_PER_SEC;
    const long grown = peak_kib() - before;
    free(exact);
    if (took > MOST_SECONDS || grown > MOST_MIB * 1024L) {
        fprintf(stderr, "%s, file %zu: %.2f s, %ld MiB more\n", name, f->files, took, grown / 1024);
        abort();
    }
    c->slowest = took > c->slowest ? took : c->slowest;
    c->largest_kib = grown > c->largest_kib ? grown : c->largest_kib;
    *(code == MB_OK           ? &f->accepted
      : code == MB_E_FORMAT   ? &f->damaged
      : code == MB_E_ARGUMENT ? &f->over_limit
                              : &f->other) += 1;
    f->sampled += sampled;
    const uint64_t verdict = (message + (uint64_t)(1 - code)) * 0x9E3779B97F4A7C15u;
    f->all = (f->all ^ verdict) * 1099511628211u;
    f->sample = sampled ? (f->sample ^ verdict) * 1099511628211u : f->sample;
}

/* ---- seeds: the files of a folder in the order of their names, those of a fitting size */

static void from_folder(corpus *c, hostile_kind kind, const char *folder, const char *name, size_t most_files,
                        size_t most_bytes)
{
    static uint8_t bytes[1 << 15];
    const hostile_maker m = {take, c};
    char path[600];
    struct dirent **entries;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int n = scandir(path, &entries, NULL, versionsort);
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof path, "%s/%s/%s", folder, name, entries[i]->d_name);
        FILE *f = entries[i]->d_name[0] != '.' && most_files > 0 ? fopen(path, "rb") : NULL;
        const size_t length = f != NULL ? fread(bytes, 1, most_bytes + 1, f) : 0;
        if (length > 8 && length <= most_bytes) {
            hostile_from(&m, kind, bytes, length);
            most_files--;
        }
        if (f != NULL) {
            fclose(f);
        }
        free(entries[i]);
    }
    free(n >= 0 ? entries : NULL);
}

static void make_all(corpus *c, const char *seeds, const char *data)
{
    static const char *const kinds[] = {"picture_png", "picture_jpeg", "picture_webp", "picture_pnm",
                                        "picture_stb", "picture_gif",  "picture_psd",  "picture_hdr"};
    const hostile_maker m = {take, c};
    char folder[600];
    (void)snprintf(folder, sizeof folder, "%s/fuzz", data);
    from_folder(c, HOSTILE_MODEL, seeds, "mbw", 6, 1200);
    from_folder(c, HOSTILE_SAFETENSORS, seeds, "safetensors", 10, 1000);
    from_folder(c, HOSTILE_ZIP, folder, "zip", 4, 2200);
    from_folder(c, HOSTILE_PICKLE, folder, "pickle", 3, 520);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        from_folder(c, HOSTILE_PICTURE, seeds, kinds[i], 1, 2000);
    }
    hostile_specials(&m);
}

/* ---- the manifest */

static void line_of(char *text, size_t n, const family *f)
{
    (void)snprintf(text, n, "%s: %zu files, %zu accepted, %zu damaged, %zu over a limit, %zu other; %016" PRIx64,
                   f->name, f->files, f->accepted, f->damaged, f->over_limit, f->other, f->all);
}

static void write_manifest(const corpus *c, const char *path)
{
    FILE *f = fopen(path, "w");
    char text[256];
    if (f == NULL) {
        exit(2);
    }
    fprintf(
        f,
        "# What each family of hostile files gets (tests/hostile; sh tests/hostile.sh --write makes it anew): verdicts "
        "of all,\n# a hash of them in their order, and one of every 20th.\n");
    for (size_t i = 0; i < c->n; i++) {
        line_of(text, sizeof text, &c->families[i]);
        fprintf(f, "%s %016" PRIx64 "\n", text, c->families[i].sample);
    }
    if (fclose(f) != 0) {
        exit(2);
    }
}

/* The number of families whose verdicts are not those of the manifest. */
static size_t compare(const corpus *c, const char *path)
{
    char line[400], text[256];
    size_t bad = 0, found = 0;
    FILE *f = fopen(path, "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        const char *colon = strchr(line, ':');
        for (size_t i = 0; colon != NULL && line[0] != '#' && i < c->n; i++) {
            const family *k = &c->families[i];
            if (strlen(k->name) != (size_t)(colon - line) || strncmp(k->name, line, strlen(k->name)) != 0) {
                continue;
            }
            char sample[20];
            line_of(text, sizeof text, k);
            (void)snprintf(sample, sizeof sample, " %016" PRIx64 "\n", k->sample);
            const size_t n = strlen(line);
            const bool same =
                n > 18 && strcmp(line + n - 18, sample) == 0 && (c->sample || strncmp(line, text, strlen(text)) == 0);
            found++;
            bad += !same;
            if (!same) {
                fprintf(stderr, "another verdict than before:\n  was %s  is  %s%s", line, text, sample);
            }
        }
    }
    if (f != NULL) {
        fclose(f);
    }
    if (found != c->n) {
        fprintf(stderr, "%s: %zu of %zu families\n", path, found, c->n);
    }
    return bad + (found != c->n);
}

int main(int argc, char **argv)
{
    static corpus c;
    bool write = false;
    if (argc < 4) {
        fprintf(stderr, "usage: %s MANIFEST SEEDS DATA [--sample] [--write] [--folder FOLDER]\n", argv[0]);
        return 2;
    }
    for (int i = 4; i < argc; i++) {
        c.sample = c.sample || strcmp(argv[i], "--sample") == 0;
        write = write || strcmp(argv[i], "--write") == 0;
        c.folder = strcmp(argv[i], "--folder") == 0 && i + 1 < argc ? argv[++i] : c.folder;
    }
    make_all(&c, argv[2], argv[3]);
    size_t read = 0;
    for (size_t i = 0; i < c.n; i++) {
        read += c.sample ? c.families[i].sampled : c.families[i].files;
    }
    printf("%zu files, %zu of them read, %zu families; slowest %.3f s, %.1f MiB\n", c.files, read, c.n, c.slowest,
           (double)c.largest_kib / 1024);
    if (write) {
        write_manifest(&c, argv[1]);
        return 0;
    }
    return compare(&c, argv[1]) == 0 ? 0 : 1;
}
