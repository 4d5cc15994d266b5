/* Which tensors of a file are the model. The names of the known networks decide: what stands before a known name -
 * keys of nested dicts, wrappers such as "model." or "_fsdp_wrapped_module." - is a prefix; the prefix with the most
 * known names is the model's. A component in the middle of names is a wrapper if all tensors of the module above lie
 * in it. Training checkpoints are the reason for this file: they hold the model two or three times (weights, moving
 * average, optimiser), under keys that every training script chooses for itself. A list of known wrappers would never
 * be complete; the networks' own names are. */
#include "source_internal.h"

#include "names.h"
#include "nobg_names.h"
#include "network_names.h"

#include "core/alloc.h"
#include "core/sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Different prefixes that are counted; further ones are not considered. */
#define MAX_GROUPS 1000

typedef struct group {
    const char *prefix; /* in a tensor's name */
    size_t n, count;    /* bytes of the prefix; tensors with a known name behind it */
    size_t key_bytes;   /* of its first tensor, see source_tensor */
} group;

typedef struct selection {
    source *s; /* its list of tensors is renamed and reordered */
    const source_choice *choice;
    network_names *names;   /* owned */
    network_match *matches; /* by tensor; .name[0] == 0: none */
    bool *beside;           /* by tensor */
    group *groups;
    size_t n_groups;     /* at most MAX_GROUPS */
    const char **sorted; /* the originals, for the look at wrappers */
    char *prefix;        /* the model's, owned */
} selection;

/* n bytes as a string of its own; NULL: no memory. */
static char *copy_text(const char *text, size_t n)
{
    char *copy = mb_alloc(n + 1);
    if (copy != NULL) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

/* ---- told by hand */

static bool same_text(const char *a, size_t n, const char *b, size_t m)
{
    return n == m && memcmp(a, b, n) == 0;
}

/* Bytes of "text." with or without its closing dot. */
static size_t without_dot(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && text[n - 1] == '.' ? n - 1 : n;
}

/* Does the name lie under the key that was told (all keys, or the outer ones)? The bytes are compared up to a dot, so
 * that "model" does not take "model_ema" along. */
static bool under_key(const selection *k, const source_tensor *t)
{
    if (k->choice->key == NULL) {
        return true;
    }
    size_t n = without_dot(k->choice->key);
    return n == 0 || (t->key_bytes > n && strncmp(t->original, k->choice->key, n) == 0 && t->original[n] == '.');
}

/* Is this prefix (of the whole name) the one that was told: alone, or behind the keys? A user who writes --prefix
 * module. may mean the whole prefix "state_dict.module." or what is left of it behind the key: both are taken. */
static bool is_told(const selection *k, const char *prefix, size_t n, size_t key_bytes)
{
    if (k->choice->prefix == NULL) {
        return true;
    }
    const size_t told = without_dot(k->choice->prefix), bare = n > 0 ? n - 1 : 0;
    const size_t behind = key_bytes <= n ? key_bytes : 0;
    return same_text(prefix, bare, k->choice->prefix, told) ||
           same_text(prefix + behind, n > behind ? n - behind - 1 : 0, k->choice->prefix, told);
}

/* Nothing lies where the user says. The message lists the prefixes that were found, eight at most, so that the next
 * try can be right. */
static mb_status fail_told(const selection *k, mb_error *err)
{
    char seen[300];
    size_t at = 0;
    seen[0] = '\0';
    for (size_t i = 0; i < k->n_groups && i < 8 && at < sizeof seen; i++) {
        const group *g = &k->groups[i];
        int m = snprintf(seen + at, sizeof seen - at, "%s\"%.*s\" (%zu tensors)", i > 0 ? ", " : "", (int)g->n,
                         g->prefix, g->count);
        at += m > 0 ? (size_t)m : 0;
    }
    const bool key = k->choice->prefix == NULL;
    return mb_fail(err, MB_E_MISMATCH, "no tensor of a known network lies %s \"%.100s\"%s%s%s%s",
                   key ? "under the key" : "behind the prefix", key ? k->choice->key : k->choice->prefix,
                   seen[0] != '\0' ? "\nknown names stand behind " : "", seen,
                   k->s->keys[0] != '\0' ? "\nkeys of the file: " : "", k->s->keys);
}

/* ---- groups of one prefix */

/* Adds the tensor to the group of its prefix, or opens one. */
static void count_match(selection *k, const source_tensor *t, const network_match *m)
{
    size_t i = 0;
    while (i < k->n_groups && !same_text(k->groups[i].prefix, k->groups[i].n, t->original, m->prefix)) {
        i++;
    }
    if (i == k->n_groups && i < MAX_GROUPS) {
        k->groups[k->n_groups++] = (group){t->original, m->prefix, 0, t->key_bytes};
    }
    if (i < k->n_groups) {
        k->groups[i].count++;
    }
}

/* BasicSR and its kin save both "params" and "params_ema", the second to be used. */
static bool is_averaged_twin(const group *g, const group *of)
{
    static const char a[] = "params_ema.", b[] = "params.";
    return g->n >= sizeof a - 1 && of->n >= sizeof b - 1 && memcmp(g->prefix, a, sizeof a - 1) == 0 &&
           memcmp(of->prefix, b, sizeof b - 1) == 0;
}

/* The group with the most known names among those that fit what was told. At a tie the first of the file wins, but for
 * the averaged twin. */
static const group *best_group(const selection *k)
{
    const group *best = NULL;
    for (size_t i = 0; i < k->n_groups; i++) {
        const group *g = &k->groups[i];
        if (is_told(k, g->prefix, g->n, g->key_bytes) &&
            (best == NULL || g->count > best->count || (g->count == best->count && is_averaged_twin(g, best)))) {
            best = g;
        }
    }
    return best;
}

/* Another group that is as large: the choice was made by the order of the file. The user is warned of it and can
 * choose with --prefix. */
static mb_status note_rival(selection *k, const group *best, mb_error *err)
{
    for (size_t i = 0; i < k->n_groups; i++) {
        const group *g = &k->groups[i];
        if (g != best && g->count == best->count && g->count > 1 && is_told(k, g->prefix, g->n, g->key_bytes)) {
            k->s->rival = copy_text(g->prefix, g->n);
            return k->s->rival != NULL ? MB_OK : mb_fail_memory(err, g->n, "a prefix");
        }
    }
    return MB_OK;
}

/* No known name at all: the dict with the most tensors, so that what it is can be said. */
static void largest_dict(const selection *k, const char **prefix, size_t *n)
{
    size_t most = 0, at = 0;
    *prefix = "";
    *n = 0;
    while (at < k->s->n_tensors) { /* tensors of a dict follow one another */
        const source_tensor *first = &k->s->tensors[at];
        size_t count = 0;
        while (at < k->s->n_tensors &&
               same_text(k->s->tensors[at].original, k->s->tensors[at].key_bytes, first->original, first->key_bytes)) {
            count += under_key(k, &k->s->tensors[at]);
            at++;
        }
        if (count > most) {
            most = count;
            *prefix = first->original;
            *n = first->key_bytes;
        }
    }
}

/* ---- wrappers in the middle of names */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first of the sorted names that does not come before text[0..n). after: that comes behind all that begin so.
 * Binary search over the originals, sorted by strcmp. */
static size_t bound(const selection *k, const char *text, size_t n, bool after)
{
    size_t low = 0, high = k->s->n_tensors;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(k->sorted[middle], text, n);
        if (order < 0 || (after && order == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Do all tensors of the module above a dropped component lie in that component? In "encoder.wrapped.layer" the word
 * "wrapped" is a wrapper only if "encoder." has no other child: then the range of names that begin with "encoder."
 * equals that of "encoder.wrapped.". A component that the known networks lack and that stands beside others makes
 * another network, and must not be dropped silently. */
static bool all_are_wrappers(const selection *k, const source_tensor *t, const network_match *m)
{
    for (int i = 0; i < m->n_dropped; i++) {
        const size_t module = m->dropped[i].at, inside = module + m->dropped[i].n + 1;
        if (bound(k, t->original, module, false) != bound(k, t->original, inside, false) ||
            bound(k, t->original, module, true) != bound(k, t->original, inside, true)) {
            return false;
        }
    }
    return true;
}

/* ---- naming */

static bool is_module_parameter(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".weight") == 0 || strcmp(dot, ".bias") == 0);
}

/* A tensor without a known name: does it belong to the model (and makes it another one), or does it lie beside it?
 * Weights and biases in the model's own dict count as part of it, since leaving out a layer of a changed network would
 * give wrong masks; counters and buffers lie beside. */
static bool is_part(const selection *k, const source_tensor *t, size_t prefix, bool any_match)
{
    const char *rest = t->original + prefix;
    if (!any_match || network_names_begin(k->names, rest)) {
        return true;
    }
    return t->key_bytes <= prefix && is_module_parameter(rest);
}

/* Takes `name` over; NULL stands for an allocation that failed. */
static mb_status set_name(source_tensor *t, char *name, mb_error *err)
{
    if (name == NULL) {
        return mb_fail_memory(err, strlen(t->original), "the name of a tensor");
    }
    mb_free(t->name);
    t->name = name;
    return MB_OK;
}

/* Decides for each tensor whether it lies beside the model, and gives the others their names. The original VITMatte is
 * told by names that the hub's version has not (of more than one tensor: it may lack one), and BiRefNet of the nobg library by its Swin; their
 * names are then mapped. */
static mb_status name_tensors(selection *k, bool any_match, mb_error *err)
{
    const size_t n = strlen(k->prefix);
    bool original_vitmatte = false, nobg = false;
    mb_status status = MB_OK;
    for (size_t i = 0; i < k->s->n_tensors; i++) {
        const network_match *m = &k->matches[i];
        /* Seen among all matches, since one name of the original decides for all of them. */
        original_vitmatte = original_vitmatte || strcmp(m->name, "backbone.pos_embed") == 0 ||
                            strncmp(m->name, "decoder.fusion_blks.", 20) == 0;
        nobg = nobg || nobg_has(m->name);
    }
    for (size_t i = 0; i < k->s->n_tensors && status == MB_OK; i++) {
        source_tensor *t = &k->s->tensors[i];
        const network_match *m = &k->matches[i];
        const bool known = m->name[0] != '\0';
        k->beside[i] = !under_key(k, t) || strncmp(t->original, k->prefix, n) != 0 || (known && m->prefix != n) ||
                       (!known && !is_part(k, t, n, any_match));
        if (k->beside[i]) {
            continue;
        }
        const char *rest = t->original + n;
        const char *name = known && all_are_wrappers(k, t, m) ? m->name : any_match ? rest : names_strip(rest);
        status = set_name(t,
                          original_vitmatte ? names_vitmatte_to_hub(name)
                          : nobg            ? nobg_to_ours(name)
                                            : mb_strdup(name),
                          err);
    }
    return status;
}

/* The model's tensors first, each part in the order of the file. Order matters: patch order and reports refer to the
 * order of the file. */
static mb_status move_beside(selection *k, mb_error *err)
{
    source *s = k->s;
    size_t n_beside = 0, at = 0, behind = 0;
    for (size_t i = 0; i < s->n_tensors; i++) {
        n_beside += k->beside[i];
    }
    if (n_beside == 0) {
        return MB_OK;
    }
    source_tensor *aside = mb_alloc_array(n_beside, sizeof aside[0]);
    if (aside == NULL) {
        return mb_fail_memory(err, n_beside * sizeof aside[0], "the list of tensors");
    }
    for (size_t i = 0; i < s->n_tensors; i++) {
        if (k->beside[i]) {
            aside[behind++] = s->tensors[i];
        } else {
            s->tensors[at++] = s->tensors[i];
        }
    }
    memcpy(s->tensors + at, aside, n_beside * sizeof aside[0]);
    mb_free(aside);
    s->n_tensors = at;
    s->n_beside = n_beside;
    return MB_OK;
}

/* ---- all of it */

/* Looks for a known name in every tensor's name and counts the prefixes. Everything is allocated here and freed by
 * source_select, also after a failure. */
static mb_status match_all(selection *k, mb_error *err)
{
    source *s = k->s;
    mb_status status;
    MB_TRY(network_names_create(&k->names, err));
    k->matches = mb_calloc(s->n_tensors, sizeof k->matches[0]);
    k->beside = mb_calloc(s->n_tensors, sizeof k->beside[0]);
    k->sorted = mb_alloc_array(s->n_tensors, sizeof k->sorted[0]);
    k->groups = mb_calloc(MAX_GROUPS, sizeof k->groups[0]);
    if (k->matches == NULL || k->beside == NULL || k->sorted == NULL || k->groups == NULL) {
        return mb_fail_memory(err, s->n_tensors * sizeof k->matches[0], "the choice of tensors");
    }
    for (size_t i = 0; i < s->n_tensors; i++) {
        const source_tensor *t = &s->tensors[i];
        k->sorted[i] = t->original;
        if (network_names_find(k->names, t->original, &k->matches[i]) && under_key(k, t)) {
            count_match(k, t, &k->matches[i]);
        } else {
            k->matches[i] = (network_match){.n_dropped = 0};
        }
    }
    mb_sort(k->sorted, s->n_tensors, sizeof k->sorted[0], by_text);
done:
    return status;
}

/* Sets k->prefix: that of the best group or, where no name is known, the key of the largest dict. The second case ends
 * in a refusal, which can then name the network by tensors of the right dict. */
static mb_status choose_prefix(selection *k, bool *any_match, mb_error *err)
{
    const group *best = best_group(k);
    const char *prefix;
    size_t n;
    mb_status status = MB_OK;
    *any_match = best != NULL;
    if (best != NULL) {
        prefix = best->prefix;
        n = best->n;
        status = note_rival(k, best, err);
    } else if (k->choice->prefix != NULL) {
        return fail_told(k, err);
    } else {
        largest_dict(k, &prefix, &n);
    }
    if (status != MB_OK) {
        return status;
    }
    k->prefix = copy_text(prefix, n);
    return k->prefix != NULL ? MB_OK : mb_fail_memory(err, n, "a prefix");
}

/* On success the source has a prefix, names, and an index of them. No tensor left means that --key or --prefix leads
 * nowhere. */
mb_status source_select(source *s, const source_choice *choice, mb_error *err)
{
    selection k = {.s = s, .choice = choice};
    bool any_match;
    mb_status status = MB_OK;
    if (s->format == SOURCE_MBW) { /* a model file holds the model, under its names */
        return source_build_index(s, err);
    }
    MB_TRY(match_all(&k, err));
    MB_TRY(choose_prefix(&k, &any_match, err));
    MB_TRY(name_tensors(&k, any_match, err));
    MB_TRY(move_beside(&k, err));
    if (s->n_tensors == 0) {
        status = fail_told(&k, err);
        goto done;
    }
    s->prefix = k.prefix;
    k.prefix = NULL;
    status = source_build_index(s, err);
done:
    network_names_free(k.names);
    mb_free(k.matches);
    mb_free(k.beside);
    mb_free(k.sorted);
    mb_free(k.groups);
    mb_free(k.prefix);
    return status;
}
