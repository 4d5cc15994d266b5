/* Multifrontal Cholesky (Duff and Reid 1983; Liu 1992).
 *
 * A node's front holds its pivots and boundary rows: the matrix's own entries plus the children's update matrices. Its
 * pivots are eliminated by dense BLAS 3 in the panel that is also their place in L; what is left of the boundary is the
 * update matrix for the parent. Subtrees below a share of the total work run in parallel, the few large fronts above
 * them one after the other with parallel dense products. Which subtrees those are, and how products are cut, depends on
 * the matrix alone: same bits for any number of threads. */
#include "sparse/cholesky.h"

#include "core/alloc.h"
#include "sparse/dense.h"

#include <stdatomic.h>
#include <string.h>

#define SUBTREE_SHARE 24  /* a subtree runs in one worker up to this part of the work */
#define BLOCK_MOST    192 /* rows or columns in one dense call */
#define BLOCK_LEAST   16
#define BLOCK_WORK    1e8 /* multiply-adds in one call: some 20 ms, between which the task is polled */

/* The factorisation in hand. What a node needs is found by its number k in the tree (children before parents):
 *
 *   c->l + c->panel[k]     its panel, m x n column-major: n pivots (triangle on top), then b = m - n boundary rows
 *   c->bound               the rows of the system that the boundary rows are, ascending
 *   update[k]              its update matrix, b x b column-major, of which the lower triangle counts: what the elimination of
 *                          the pivots subtracts from the rest of the system. Lives from run_node(k) to assemble(parent)
 *   map[worker]            scratch: row of the system -> row of the front that this worker assembles
 *
 * Two phases: subtrees whose work is at most `limit` run side by side, each from its first node to its root in one worker;
 * then the nodes above them, one after the other, with all workers in their dense products. Progress is the work of the
 * subtree that has just been finished, which is all work below it, too. */
typedef struct numeric {
    mb_cholesky *c;
    const mb_symmetric *a;
    const mb_task *task;
    mb_dense dense;
    double total;      /* work of the whole tree */
    double work_below; /* of the subtrees that run side by side */
    double **update;   /* [nodes] matrices waiting for the parent */
    int32_t *child;    /* [nodes] first child, -1: none */
    int32_t *sibling;  /* [nodes] */
    double *work;      /* [nodes] of the subtree */
    int32_t *subtree;  /* roots of the subtrees that run in parallel */
    int32_t n_subtrees;
    double limit;   /* work of a subtree that runs in one worker */
    int32_t **map;  /* [workers][n] row -> place in the front in hand */
    atomic_int bad; /* pivots that were not positive */
    atomic_int failed;
} numeric;

enum { FAILED_MEMORY = 1, FAILED_CANCELLED = 2 };

/* One node while it is eliminated. */
typedef struct front {
    int32_t k;
    size_t n, b, m; /* pivots, boundary rows, both */
    const int32_t *bound;
    double *panel;  /* [m, n] */
    double *update; /* [b, b] */
    const mb_task *task;
    mb_dense dense;
} front;

/* extend-add: the child's update matrix [b,b] (lower triangle) into the front, row by row through `map`: row of the
 * system -> row of the front. */
static void add_child(const front *f, const numeric *s, int32_t child, const int32_t *map)
{
    const int32_t *bound = s->c->bound + s->c->bound_begin[child];
    size_t b = s->c->bound_begin[child + 1] - s->c->bound_begin[child];
    const double *u = s->update[child];
    for (size_t j = 0; j < b; j++) {
        size_t to = (size_t)map[bound[j]];
        /* bounds ascend, so what lies below a column stays below it */
        double *column = to < f->n ? f->panel + to * f->m : f->update + (to - f->n) * f->b;
        size_t shift = to < f->n ? 0 : f->n;
        for (size_t i = j; i < b; i++) {
            column[(size_t)map[bound[i]] - shift] += u[j * b + i];
        }
    }
}

/* The front of a node before elimination: its columns of A, and its children's update matrices, which are freed. */
static void assemble(const front *f, numeric *s, int32_t *map)
{
    const mb_nd_node *node = &s->c->tree->node[f->k];
    for (size_t i = 0; i < f->n; i++) {
        map[node->first + (int32_t)i] = (int32_t)i;
    }
    for (size_t i = 0; i < f->b; i++) {
        map[f->bound[i]] = (int32_t)(f->n + i);
    }
    memset(f->panel, 0, f->m * f->n * sizeof(double));
    for (size_t j = 0; j < f->n; j++) {
        size_t column = (size_t)node->first + j;
        for (size_t p = s->a->begin[column]; p < s->a->begin[column + 1]; p++) {
            f->panel[j * f->m + (size_t)map[s->a->row[p]]] += s->a->value[p];
        }
    }
    for (int32_t child = s->child[f->k]; child >= 0; child = s->sibling[child]) {
        if (s->update[child] != NULL) {
            add_child(f, s, child, map);
            mb_free_aligned(s->update[child]);
            s->update[child] = NULL;
        }
    }
}

/* Boundary rows [begin, end): B becomes B L^-T. */
static void solve_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const front *f = arg;
    mb_dense_solve_right(&f->dense, f->panel + f->n + begin, end - begin, f->panel, f->n, f->m);
}

/* Columns [begin, end) of the update matrix: U -= L_boundary L_boundary^T, the square on the diagonal and what is
 * below it. */
static void update_columns(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const front *f = arg;
    const double *a = f->panel + f->n;
    mb_dense_product square = {.c = f->update + begin * f->b + begin,
                               .a = a + begin,
                               .b = a + begin,
                               .rows = end - begin,
                               .cols = end - begin,
                               .k = f->n,
                               .c_stride = f->b,
                               .stride = f->m,
                               .lower = true};
    mb_dense_product below = {.c = f->update + begin * f->b + end,
                              .a = a + end,
                              .b = a + begin,
                              .rows = f->b - end,
                              .cols = end - begin,
                              .k = f->n,
                              .c_stride = f->b,
                              .stride = f->m};
    mb_dense_subtract(&f->dense, &square);
    mb_dense_subtract(&f->dense, &below);
}

/* Rows or columns of one dense call when each takes `work` multiply-adds. Depends on the matrix alone. */
static size_t block_of(double work)
{
    double fits = BLOCK_WORK / (work > 1.0 ? work : 1.0);
    size_t block = fits < BLOCK_MOST ? (size_t)fits / 8 * 8 : BLOCK_MOST;
    return block > BLOCK_LEAST ? block : BLOCK_LEAST;
}

/* Assemble, factor the pivots, solve for the boundary rows, update what is left for the parent. task: with the pool
 * for large fronts, without it inside a worker. */
static void run_node(numeric *s, int32_t k, int worker, const mb_task *task)
{
    mb_cholesky *c = s->c;
    front f = {.k = k, .n = (size_t)c->tree->node[k].n, .task = task, .dense = s->dense};
    f.b = c->bound_begin[k + 1] - c->bound_begin[k];
    f.m = f.n + f.b;
    f.bound = c->bound + c->bound_begin[k];
    f.panel = c->l + c->panel[k];
    if (f.b > 0) {
        size_t bytes = f.b * f.b * sizeof(double);
        f.update = mb_alloc_aligned(bytes);
        if (f.update == NULL) {
            atomic_fetch_or(&s->failed, FAILED_MEMORY);
            return;
        }
        memset(f.update, 0, bytes);
        s->update[k] = f.update;
    }
    assemble(&f, s, s->map[worker]);
    if (!mb_dense_cholesky(&s->dense, f.panel, f.n, f.m)) {
        atomic_fetch_add(&s->bad, 1);
        return;
    }
    const double n = (double)f.n;
    if (mb_task_for(task, f.b, block_of(0.5 * n * n), solve_rows, &f, NULL) != MB_OK ||
        mb_task_for(task, f.b, block_of(n * (double)f.b), update_columns, &f, NULL) != MB_OK) {
        atomic_fetch_or(&s->failed, FAILED_CANCELLED);
    }
}

/* Has anything happened that ends the work? Any worker. */
static bool stop(numeric *s)
{
    if (mb_should_stop(s->task)) {
        atomic_fetch_or(&s->failed, FAILED_CANCELLED);
    }
    return atomic_load(&s->failed) != 0 || atomic_load(&s->bad) != 0;
}

/* Subtrees [begin, end), each alone in its worker. */
static void run_subtrees(void *arg, size_t begin, size_t end, int worker)
{
    numeric *s = arg;
    const mb_task serial = mb_task_serial(s->task); /* the pool is busy with the subtrees */
    for (size_t i = begin; i < end; i++) {
        int32_t root = s->subtree[i];
        for (int32_t k = s->c->tree->node[root].low; k <= root && !stop(s); k++) {
            run_node(s, k, worker, &serial);
        }
        mb_report_progress(s->task, s->work_below / s->total * (double)(i + 1) / s->n_subtrees);
    }
}

/* Work of every subtree; the largest subtrees within the limit run side by side. */
static void choose_subtrees(numeric *s)
{
    const mb_cholesky *c = s->c;
    const mb_nd_tree *t = c->tree;
    double total = 0;
    for (int32_t k = 0; k < t->n_nodes; k++) {
        double n = t->node[k].n, m = n + (double)(c->bound_begin[k + 1] - c->bound_begin[k]);
        s->work[k] += n * m * m + 1;
        if (t->node[k].parent >= 0) {
            s->work[t->node[k].parent] += s->work[k];
        } else {
            total += s->work[k];
        }
    }
    s->total = total;
    s->limit = total / SUBTREE_SHARE;
    for (int32_t k = 0; k < t->n_nodes; k++) {
        int32_t parent = t->node[k].parent;
        if (s->work[k] <= s->limit && (parent < 0 || s->work[parent] > s->limit)) {
            s->subtree[s->n_subtrees++] = k;
            s->work_below += s->work[k];
        }
    }
}

/* All arrays of the factorisation. child, sibling and subtree share one block of 3 * nodes; l has one panel a node,
 * at offsets that the analysis found. */
static mb_status prepare(numeric *s, mb_error *err)
{
    const mb_nd_tree *t = s->c->tree;
    size_t nodes = (size_t)t->n_nodes, workers = (size_t)mb_task_workers(s->task);
    s->update = mb_calloc(nodes, sizeof *s->update);
    s->child = mb_alloc_array(3 * nodes, sizeof *s->child);
    s->work = mb_calloc(nodes, sizeof *s->work);
    s->map = mb_calloc(workers, sizeof *s->map);
    size_t bytes = 0;
    if (!mb_mul_size(&bytes, s->c->entries, sizeof(double))) {
        return mb_fail(err, MB_E_MEMORY, "a factor of %zu entries is too large", s->c->entries);
    }
    s->c->l = mb_alloc_aligned(bytes);
    if (s->update == NULL || s->child == NULL || s->work == NULL || s->map == NULL || s->c->l == NULL) {
        return mb_fail_memory(err, bytes, "the factor of the matting Laplacian");
    }
    for (size_t i = 0; i < workers; i++) {
        s->map[i] = mb_alloc_array((size_t)s->c->n, sizeof **s->map);
        if (s->map[i] == NULL) {
            return mb_fail_memory(err, (size_t)s->c->n * sizeof **s->map, "the factor of the matting Laplacian");
        }
    }
    s->sibling = s->child + nodes;
    s->subtree = s->sibling + nodes;
    memset(s->child, 0xff, 2 * nodes * sizeof *s->child);
    for (int32_t k = t->n_nodes; k-- > 0;) {
        int32_t parent = t->node[k].parent;
        if (parent >= 0) {
            s->sibling[k] = s->child[parent];
            s->child[parent] = k;
        }
    }
    choose_subtrees(s);
    return MB_OK;
}

/* Subtrees side by side, then the fronts above them one after the other. A node's update matrix lives until its
 * parent has assembled it. */
mb_status mb_cholesky_factor(const mb_task *task, mb_cholesky *c, const mb_symmetric *a, bool *positive, mb_error *err)
{
    numeric s = {.c = c, .a = a, .task = task, .dense = mb_dense_begin(task)};
    mb_status status = MB_OK;
    *positive = false;
    MB_TRY(prepare(&s, err));
    MB_TRY(mb_task_for(task, (size_t)s.n_subtrees, 1, run_subtrees, &s, err));
    for (int32_t k = 0; k < c->tree->n_nodes && !stop(&s); k++) {
        if (s.work[k] > s.limit) {
            run_node(&s, k, 0, task);
            mb_report_progress(task, s.work[k] / s.total); /* a subtree's work: what is below is done too */
        }
    }
    if (atomic_load(&s.failed) & FAILED_MEMORY) {
        status = mb_fail_memory(err, c->update_bytes, "the factor of the matting Laplacian");
    } else if (atomic_load(&s.failed) & FAILED_CANCELLED) {
        status = mb_task_check(task, err);
    }
    *positive = status == MB_OK && atomic_load(&s.bad) == 0;
done:
    if (s.update != NULL) {
        for (int32_t k = 0; k < c->tree->n_nodes; k++) {
            mb_free_aligned(s.update[k]);
        }
    }
    if (s.map != NULL) {
        for (int i = 0; i < mb_task_workers(task); i++) {
            mb_free(s.map[i]);
        }
    }
    mb_free(s.map);
    mb_free(s.update);
    mb_free(s.child);
    mb_free(s.work);
    return status;
}

/* Forward through the tree, then backward; work [n] holds the boundary rows of one node. */
void mb_cholesky_solve(const mb_task *task, const mb_cholesky *c, double *x, double *work)
{
    const mb_nd_tree *t = c->tree;
    for (int32_t k = 0; k < t->n_nodes && !mb_should_stop(task); k++) { /* L y = x, children first */
        const int32_t *bound = c->bound + c->bound_begin[k];
        size_t n = (size_t)t->node[k].n, b = c->bound_begin[k + 1] - c->bound_begin[k];
        memset(work, 0, b * sizeof *work);
        mb_dense_forward(c->l + c->panel[k], n, b, x + t->node[k].first, work);
        for (size_t i = 0; i < b; i++) {
            x[bound[i]] += work[i];
        }
    }
    for (int32_t k = t->n_nodes; k-- > 0 && !mb_should_stop(task);) { /* L^T x = y, parents first */
        const int32_t *bound = c->bound + c->bound_begin[k];
        size_t n = (size_t)t->node[k].n, b = c->bound_begin[k + 1] - c->bound_begin[k];
        for (size_t i = 0; i < b; i++) {
            work[i] = x[bound[i]];
        }
        mb_dense_backward(c->l + c->panel[k], n, b, x + t->node[k].first, work);
    }
}
