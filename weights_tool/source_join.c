/* Queries, keys and values that lie apart, as one: transformers' Swin has three layers where the published code has one
 * of three times the rows. Nothing is copied: the joined tensor reads its pieces one after the other. */
#include "source_internal.h"

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

#define LAYERS "bb.layers."

/* Where the "q" of "bb.layers.S.blocks.N.attn.q.weight" stands; 0: another name. PVTv2 has a q of its own elsewhere. */
static size_t query_at(const char *name)
{
    const char *at = strncmp(name, LAYERS, strlen(LAYERS)) == 0 ? strstr(name, ".attn.q.") : NULL;
    return at != NULL ? (size_t)(at - name) + strlen(".attn.") : 0;
}

/* The tensor with another letter there; NULL: absent, not of the same kind, or a query of its own (".attn.q." may stand in
 * a name twice: it would be joined to two). */
static source_tensor *sibling(const source *s, const source_tensor *q, size_t at, char letter)
{
    char name[300];
    (void)snprintf(name, sizeof name, "%s", q->name);
    name[at < sizeof name ? at : 0] = letter;
    const source_tensor *t = source_find(s, name);
    const bool alike = t != NULL && query_at(name) == 0 && t->dims[0] <= INT64_MAX / 3 && t->count <= SIZE_MAX / 3 &&
                       t->dtype == q->dtype && t->rank == q->rank && t->unread == q->unread &&
                       memcmp(t->dims, q->dims, sizeof t->dims) == 0;
    return alike ? &s->tensors[t - s->tensors] : NULL;
}

/* Three tensors that belong together. */
typedef struct triple {
    source_tensor *q, *k, *v;
} triple;

/* q becomes the three; k and v give up their places in the list (no name). */
static mb_status join(source *s, const triple *j, mb_error *err)
{
    source_tensor *q = j->q, *k = j->k, *v = j->v;
    const size_t at = query_at(q->name);
    char name[300];
    (void)snprintf(name, sizeof name, "%.*sqkv%s", (int)at, q->name, q->name + at + 1);
    source_tensor all = *q;
    all.name = mb_strdup(name);
    all.original = mb_strdup(q->original);
    if (all.name == NULL || all.original == NULL) {
        mb_free(all.name);
        mb_free(all.original);
        return mb_fail_memory(err, strlen(name), "the name of a tensor");
    }
    source_tensor *pieces = s->pieces + s->n_pieces;
    pieces[0] = *q;
    pieces[1] = *k;
    pieces[2] = *v;
    s->n_pieces += 3;
    k->name = k->original = v->name = v->original = NULL;
    all.dims[0] *= 3;
    all.count *= 3;
    all.pieces = pieces;
    all.n_pieces = 3;
    *q = all;
    return MB_OK;
}

/* Those without a name are gone. */
static void compact(source *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_tensors + s->n_beside; i++) {
        if (s->tensors[i].name != NULL) {
            s->tensors[n++] = s->tensors[i];
        }
    }
    s->n_tensors = n - s->n_beside;
}

/* All are found first: the index of names is good for nothing once names change. */
mb_status source_join(source *s, mb_error *err)
{
    size_t n = 0, found = 0;
    mb_status status = MB_OK;
    for (size_t i = 0; i < s->n_tensors; i++) {
        n += query_at(s->tensors[i].name) > 0;
    }
    if (n == 0) {
        return MB_OK;
    }
    triple *joins = mb_calloc(n, sizeof joins[0]);
    s->pieces = mb_calloc(n * 3, sizeof s->pieces[0]);
    if (joins == NULL || s->pieces == NULL) {
        mb_free(joins);
        return mb_fail_memory(err, n * 3 * sizeof s->pieces[0], "the list of tensors");
    }
    for (size_t i = 0; i < s->n_tensors; i++) {
        source_tensor *q = &s->tensors[i];
        const size_t at = q->rank > 0 ? query_at(q->name) : 0;
        source_tensor *k = at > 0 ? sibling(s, q, at, 'k') : NULL, *v = k != NULL ? sibling(s, q, at, 'v') : NULL;
        if (v != NULL) {
            joins[found++] = (triple){q, k, v};
        }
    }
    for (size_t i = 0; i < found && status == MB_OK; i++) {
        status = join(s, &joins[i], err);
    }
    mb_free(joins);
    compact(s);
    return status == MB_OK ? source_build_index(s, err) : status;
}
