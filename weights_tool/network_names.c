/* From the lists of tensors of the two architectures, at their smallest with every optional part: "#" stands for any
 * number between dots, so that networks of all depths have the same names. Building the names from the same lists that
 * describe the architectures keeps the two from drifting apart: a tensor that is added there is known here. VITMatte's
 * original names are added beside the hub's. */
#include "network_names.h"

#include "arch.h"
#include "names.h"

#include "core/alloc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COMPONENT 40

struct network_names {
    spec_list patterns; /* sorted by name, numbers as "#"; of spec_list only the names */
    char (*words)[MAX_COMPONENT];
    size_t n_words, word_capacity; /* sorted when all are there */
    char (*firsts)[MAX_COMPONENT]; /* the first words of patterns */
    size_t n_firsts, first_capacity;
    bool failed; /* an allocation failed while the sets grew */
};

/* A part of a name between dots; it points into the name. */
typedef struct component {
    const char *text;
    size_t n;
} component;

/* Components of a name; -1: too many, or an empty one. */
static int split(component parts[NETWORK_MAX_COMPONENTS], const char *name)
{
    int n = 0;
    for (const char *at = name;;) {
        size_t length = strcspn(at, ".");
        if (n == NETWORK_MAX_COMPONENTS || length == 0) {
            return -1;
        }
        parts[n++] = (component){at, length};
        if (at[length] == '\0') {
            return n;
        }
        at += length + 1;
    }
}

/* Indices of ModuleLists; an empty component does not occur (see split). */
static bool is_number(const component *c)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!isdigit((unsigned char)c->text[i])) {
            return false;
        }
    }
    return true;
}

/* ---- the sets */

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* A set as a plain array: a few dozen words, filled once. */
static void add_word(char (**words)[MAX_COMPONENT], size_t *n, size_t *capacity, const component *c, bool *failed)
{
    for (size_t i = 0; i < *n; i++) {
        if (strncmp((*words)[i], c->text, c->n) == 0 && (*words)[i][c->n] == '\0') {
            return;
        }
    }
    if (*n == *capacity) {
        size_t larger = *capacity == 0 ? 64 : *capacity * 2;
        char(*p)[MAX_COMPONENT] = mb_realloc_array(*words, larger, sizeof *p);
        if (p == NULL) {
            *failed = true;
            return;
        }
        *words = p;
        *capacity = larger;
    }
    (void)snprintf((*words)[(*n)++], MAX_COMPONENT, "%.*s", (int)c->n, c->text); /* official components: 28 at most */
}

/* The parts without those that are dropped, numbers as "#". "layers.11.attn" becomes "layers.#.attn". Too small a
 * buffer cuts the pattern, which then matches nothing. */
static void generalise(char *dst, size_t capacity, const component *parts, int n)
{
    size_t at = 0;
    dst[0] = '\0';
    for (int i = 0; i < n && at < capacity; i++) {
        bool number = is_number(&parts[i]);
        int m = snprintf(dst + at, capacity - at, "%s%.*s", i > 0 ? "." : "", number ? 1 : (int)parts[i].n,
                         number ? "#" : parts[i].text);
        at += m > 0 ? (size_t)m : 0;
    }
}

/* Adds the pattern of a name, its first component, and the words that it consists of. */
static void add_name(network_names *k, const char *name)
{
    component parts[NETWORK_MAX_COMPONENTS];
    char pattern[160];
    int n = split(parts, name);
    if (n < 1) {
        return;
    }
    generalise(pattern, sizeof pattern, parts, n);
    spec_add(&k->patterns, SPEC_BIAS, (int64_t[4]){0}, "%s", pattern);
    add_word(&k->firsts, &k->n_firsts, &k->first_capacity, &parts[0], &k->failed);
    for (int i = 0; i < n; i++) {
        if (!is_number(&parts[i])) {
            add_word(&k->words, &k->n_words, &k->word_capacity, &parts[i], &k->failed);
        }
    }
}

/* Every name as the hub and as the original code write it; for BiRefNet the two are mostly the same, and a pattern
 * that comes twice does no harm to the search. Frees the list. */
static void add_all(network_names *k, spec_list *specs)
{
    for (size_t i = 0; i < specs->n; i++) {
        char *original = names_vitmatte_to_original(specs->v[i].name);
        add_name(k, specs->v[i].name);
        if (original != NULL) {
            add_name(k, original);
        }
        k->failed = k->failed || original == NULL;
        mb_free(original);
    }
    k->failed = k->failed || specs->failed;
    spec_list_dispose(specs);
}

/* The names of all backbones, at their shallowest: only names matter, and depth 1 gives the index that "#" stands for.
 * The decoder is listed once for each family, as the neck is one family's. */
static void add_birefnets(network_names *k)
{
    size_t n;
    const backbone_family *const *families = backbone_families(&n);
    for (size_t i = 0; i < n; i++) {
        for (size_t p = 0; p < families[i]->n_presets; p++) {
            backbone_arch backbone = families[i]->presets[p].numbers;
            spec_list specs = {0};
            backbone.family = families[i];
            backbone.separate_biases = true;
            for (int stage = 0; stage < BACKBONE_MAPS; stage++) {
                backbone.depths[stage] = backbone.depths[stage] > 0 ? 1 : 0;
            }
            if (p == 0) {
                birefnet_arch birefnet;
                birefnet_fit(&birefnet, &backbone, true);
                birefnet_specs(&specs, &birefnet);
            } else {
                families[i]->specs(&specs, &backbone);
            }
            add_all(k, &specs);
        }
    }
}

/* The sizes are the smallest that make every optional tensor appear. */
mb_status network_names_create(network_names **out, mb_error *err)
{
    static const vitmatte_arch vitmatte = {.hidden = 2,
                                           .depth = 1,
                                           .heads = 1,
                                           .window = 1,
                                           .patch = 1,
                                           .mlp_ratio = 1,
                                           .table_side = 1,
                                           .global_side = 1,
                                           .residual = {true},
                                           .bottleneck = 1,
                                           .conv = {1, 1, 1},
                                           .fusion = {1, 1, 1, 1},
                                           .head = 1};
    spec_list specs = {0};
    *out = NULL;
    network_names *k = mb_calloc(1, sizeof *k);
    if (k == NULL) {
        return mb_fail_memory(err, sizeof *k, "the networks' names");
    }
    add_birefnets(k);
    vitmatte_specs(&specs, &vitmatte);
    add_all(k, &specs);
    if (k->failed || k->patterns.failed) {
        network_names_free(k);
        return mb_fail_memory(err, sizeof *k, "the networks' names");
    }
    qsort(k->patterns.v, k->patterns.n, sizeof k->patterns.v[0], by_text); /* the name is a spec's first field */
    qsort(k->words, k->n_words, sizeof k->words[0], by_text);
    *out = k;
    return MB_OK;
}

void network_names_free(network_names *k)
{
    if (k != NULL) {
        spec_list_dispose(&k->patterns);
        mb_free(k->words);
        mb_free(k->firsts);
        mb_free(k);
    }
}

/* ---- finding */

/* Does the component occur in any known name? Numbers do by definition. */
static bool is_word(const network_names *k, const component *c)
{
    char text[MAX_COMPONENT];
    if (is_number(c)) {
        return true;
    }
    if (c->n >= sizeof text) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)c->n, c->text);
    return bsearch(text, k->words, k->n_words, sizeof k->words[0], by_text) != NULL;
}

/* Can a known name begin with it? There are a handful, so a linear search will do. */
static bool is_first(const network_names *k, const component *c)
{
    for (size_t i = 0; i < k->n_firsts; i++) {
        if (strncmp(k->firsts[i], c->text, c->n) == 0 && k->firsts[i][c->n] == '\0') {
            return true;
        }
    }
    return false;
}

bool network_names_begin(const network_names *k, const char *name)
{
    component c = {name, strcspn(name, ".")};
    return is_first(k, &c);
}

/* Does a known name remain when unknown components from `first` on are dropped? Fills *m with the name, the length of
 * the prefix and the places of what was dropped, 8 at most. */
static bool fits(const network_names *k, const component *parts, const bool *word, int first, int n, network_match *m)
{
    component kept[NETWORK_MAX_COMPONENTS];
    char pattern[160];
    int n_kept = 0;
    m->n_dropped = 0;
    m->prefix = (size_t)(parts[first].text - parts[0].text);
    for (int i = first; i < n; i++) {
        if (word[i]) {
            kept[n_kept++] = parts[i];
        } else if (m->n_dropped < (int)(sizeof m->dropped / sizeof m->dropped[0])) {
            m->dropped[m->n_dropped].at = (size_t)(parts[i].text - parts[0].text);
            m->dropped[m->n_dropped++].n = parts[i].n;
        } else {
            return false;
        }
    }
    generalise(pattern, sizeof pattern, kept, n_kept);
    if (bsearch(pattern, k->patterns.v, k->patterns.n, sizeof k->patterns.v[0], by_text) == NULL) {
        return false;
    }
    /* The known name with its real numbers in place of "#". */
    size_t at = 0;
    for (int i = 0; i < n_kept && at < sizeof m->name; i++) {
        int length =
            snprintf(m->name + at, sizeof m->name - at, "%s%.*s", i > 0 ? "." : "", (int)kept[i].n, kept[i].text);
        at += length > 0 ? (size_t)length : 0;
    }
    return at < sizeof m->name;
}

/* Tries each component as the first of a known name, from the left, so that the shortest prefix wins. The last
 * component must be a known word ("weight"): dropping it would make any tensor of a module pass. */
bool network_names_find(const network_names *k, const char *name, network_match *m)
{
    component parts[NETWORK_MAX_COMPONENTS];
    bool word[NETWORK_MAX_COMPONENTS];
    int n = split(parts, name);
    for (int i = 0; i < n; i++) {
        word[i] = is_word(k, &parts[i]);
    }
    if (n < 2 || !word[n - 1]) {
        return false;
    }
    for (int first = 0; first < n - 1; first++) {
        if (is_first(k, &parts[first]) && fits(k, parts, word, first, n, m)) {
            return true;
        }
    }
    return false;
}
