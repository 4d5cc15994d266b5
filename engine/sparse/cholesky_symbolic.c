/* Which rows each front of the factor touches: own couplings and the children's boundaries, merged upwards. */
#include "sparse/cholesky.h"

#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef struct symbolic {
    mb_cholesky *c;
    const mb_symmetric *a;
    size_t capacity;             /* of c->bound */
    int32_t *child, *sibling;    /* [nodes] first child, next one; -1: none */
    int32_t *mark;               /* [n] last node that listed this row */
    int32_t *own, *merged, *two; /* [n] lists in hand */
} symbolic;

/* For qsort: ascending. */
static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Rows beyond the node that its own pivots couple to, ascending. */
static size_t own_rows(symbolic *s, int32_t k)
{
    const mb_nd_node *node = &s->c->tree->node[k];
    int32_t end = node->first + node->n;
    size_t n = 0;
    for (int32_t j = node->first; j < end; j++) {
        for (size_t p = s->a->begin[j]; p < s->a->begin[j + 1]; p++) {
            int32_t r = s->a->row[p];
            if (r >= end && s->mark[r] != k) {
                s->mark[r] = k;
                s->own[n++] = r;
            }
        }
    }
    qsort(s->own, n, sizeof *s->own, by_value);
    return n;
}

/* dst = rows of a and of b, ascending, each once. */
static size_t merge(int32_t *dst, const int32_t *a, size_t na, const int32_t *b, size_t nb)
{
    size_t i = 0, j = 0, n = 0;
    while (i < na || j < nb) {
        if (j == nb || (i < na && a[i] < b[j])) {
            dst[n++] = a[i++];
        } else {
            i += i < na && a[i] == b[j];
            dst[n++] = b[j++];
        }
    }
    return n;
}

/* Boundary rows of node k: bound grows by doubling. It is there even if no node has any, as where there is one node
 * alone, so that positions in it may be formed. */
static mb_status append(symbolic *s, const int32_t *rows, size_t n, int32_t k, mb_error *err)
{
    mb_cholesky *c = s->c;
    size_t used = c->bound_begin[k];
    if (c->bound == NULL || used + n > s->capacity) {
        size_t capacity = s->capacity * 2 > used + n ? s->capacity * 2 : used + n;
        capacity = capacity > 0 ? capacity : 1;
        int32_t *grown = mb_realloc_array(c->bound, capacity, sizeof *grown);
        if (grown == NULL) {
            return mb_fail_memory(err, capacity * sizeof *grown, "the shape of a sparse factor");
        }
        c->bound = grown;
        s->capacity = capacity;
    }
    if (n > 0) {
        memcpy(c->bound + used, rows, n * sizeof *rows);
    }
    c->bound_begin[k + 1] = used + n;
    return MB_OK;
}

/* Own rows, merged with the boundaries of the children beyond this node. Two lists take turns as source and result. */
static mb_status node_rows(symbolic *s, int32_t k, mb_error *err)
{
    mb_cholesky *c = s->c;
    int32_t end = c->tree->node[k].first + c->tree->node[k].n;
    size_t n = own_rows(s, k);
    int32_t *list = s->own, *next = s->merged, *spare = s->two;
    for (int32_t child = s->child[k]; child >= 0; child = s->sibling[child]) {
        const int32_t *b = c->bound + c->bound_begin[child], *b_end = c->bound + c->bound_begin[child + 1];
        while (b < b_end && *b < end) { /* its rows that are this node's pivots */
            b++;
        }
        n = merge(next, list, n, b, (size_t)(b_end - b));
        list = next;
        next = spare;
        spare = list;
    }
    return append(s, list, n, k, err);
}

/* Sizes of panels, and the most bytes of update matrices alive at once when nodes are done in order. */
static void count(symbolic *s)
{
    mb_cholesky *c = s->c;
    size_t live = 0;
    for (int32_t k = 0; k < c->tree->n_nodes; k++) {
        size_t n = (size_t)c->tree->node[k].n, b = c->bound_begin[k + 1] - c->bound_begin[k];
        c->panel[k + 1] = c->panel[k] + (n + b) * n;
        live += b * b * sizeof(double);
        c->update_bytes = live > c->update_bytes ? live : c->update_bytes;
        for (int32_t child = s->child[k]; child >= 0; child = s->sibling[child]) {
            size_t cb = c->bound_begin[child + 1] - c->bound_begin[child];
            live -= cb * cb * sizeof(double);
        }
    }
    c->entries = c->panel[c->tree->n_nodes];
}

/* Lists of children in ascending order, from the parents. */
static void link_children(symbolic *s)
{
    const mb_nd_tree *t = s->c->tree;
    for (int32_t k = 0; k < t->n_nodes; k++) {
        s->child[k] = s->sibling[k] = -1;
    }
    for (int32_t k = t->n_nodes; k-- > 0;) {
        int32_t parent = t->node[k].parent;
        if (parent >= 0) {
            s->sibling[k] = s->child[parent];
            s->child[parent] = k;
        }
    }
}

/* mark, own, merged and two share one block of 4 n; child and sibling one of 2 nodes. */
mb_status mb_cholesky_analyse(const mb_task *task, mb_cholesky *out, const mb_symmetric *a, const mb_nd_tree *tree,
                              mb_error *err)
{
    *out = (mb_cholesky){.tree = tree, .n = a->n};
    size_t nodes = (size_t)tree->n_nodes, n = (size_t)a->n;
    symbolic s = {.c = out, .a = a};
    mb_status status = MB_OK;
    out->bound_begin = mb_calloc(nodes + 1, sizeof *out->bound_begin);
    out->panel = mb_calloc(nodes + 1, sizeof *out->panel);
    s.child = mb_alloc_array(2 * nodes, sizeof *s.child);
    s.mark = mb_alloc_array(4 * n, sizeof *s.mark);
    if (out->bound_begin == NULL || out->panel == NULL || s.child == NULL || s.mark == NULL) {
        status = mb_fail_memory(err, (4 * n + 6 * nodes) * sizeof *s.mark, "the shape of a sparse factor");
        goto done;
    }
    s.sibling = s.child + nodes;
    s.own = s.mark + n;
    s.merged = s.own + n;
    s.two = s.merged + n;
    memset(s.mark, 0xff, n * sizeof *s.mark); /* -1: no node */
    link_children(&s);
    for (int32_t k = 0; k < tree->n_nodes; k++) {
        if (k % 256 == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        MB_TRY(node_rows(&s, k, err));
    }
    count(&s);
done:
    mb_free(s.child);
    mb_free(s.mark);
    if (status != MB_OK) {
        mb_cholesky_dispose(out);
    }
    return status;
}

void mb_cholesky_dispose(mb_cholesky *c)
{
    mb_free(c->bound_begin);
    mb_free(c->bound);
    mb_free(c->panel);
    mb_free_aligned(c->l);
    *c = (mb_cholesky){0};
}
