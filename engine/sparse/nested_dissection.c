/* Geometric nested dissection (George 1973) for sets of pixels whose couplings reach two pixels.
 *
 * A set is cut by the two adjacent columns (or rows) that hold the fewest pixels against the smaller side; the two
 * sides are dissected in turn and eliminated before the cut. The unknown band of a trimap is a thin strip: cuts fall
 * across it and stay as small as the strip is wide. Small sets are leaves, eliminated whole. */
#include "sparse/nested_dissection.h"

#include "core/alloc.h"

#define LEAF      24
#define MAX_DEPTH 96

typedef struct dissection {
    mb_nd_tree *tree;
    int32_t capacity;
    int32_t *order;
    mb_nd_pixels pixels;
    int32_t *histogram; /* pixels of each column or row of the current set, from its smallest on */
    int32_t *roots;     /* stack of finished subtrees without a parent */
    int32_t n_roots;
    const mb_task *task;
    mb_error *err;
} dissection;

/* Column (axis 0) or row (axis 1) of the i-th pixel in the order. */
static int32_t coordinate(const dissection *d, int32_t i, int axis)
{
    int32_t p = d->pixels.at[d->order[i]];
    return axis == 0 ? p % d->pixels.width : p / d->pixels.width;
}

/* A finished set: its node becomes the parent of the roots pushed since `mark`. */
static mb_status add_node(dissection *d, int32_t first, int32_t n, int32_t mark)
{
    mb_nd_tree *t = d->tree;
    if (t->n_nodes == d->capacity) {
        size_t capacity = d->capacity > 0 ? (size_t)d->capacity * 2 : 64;
        mb_nd_node *grown = mb_realloc_array(t->node, capacity, sizeof *grown);
        if (grown == NULL) {
            return mb_fail_memory(d->err, capacity * sizeof *grown, "the elimination tree");
        }
        t->node = grown;
        d->capacity = (int32_t)capacity;
    }
    mb_nd_node node = {first, n, -1, t->n_nodes};
    if (d->n_roots > mark) {
        node.low = t->node[d->roots[mark]].low;
    }
    while (d->n_roots > mark) {
        t->node[d->roots[--d->n_roots]].parent = t->n_nodes;
    }
    t->node[t->n_nodes] = node;
    d->roots[d->n_roots++] = t->n_nodes++;
    return MB_OK;
}

/* Two adjacent columns or rows that a set is cut by. */
typedef struct cut {
    int axis;
    int32_t at; /* the cut is coordinates at and at + 1 */
    double cost;
} cut;

/* The cheapest cut along one axis: pixels cut away against the smaller side, which holds a fifth at least if any does.
 */
static void find_cut(dissection *d, int32_t lo, int32_t hi, int axis, cut *best)
{
    int32_t least = coordinate(d, lo, axis), most = least;
    for (int32_t i = lo + 1; i < hi; i++) {
        int32_t c = coordinate(d, i, axis);
        least = c < least ? c : least;
        most = c > most ? c : most;
    }
    int32_t span = most - least + 1, n = hi - lo, left = 0;
    for (int32_t c = 0; c < span; c++) {
        d->histogram[c] = 0;
    }
    for (int32_t i = lo; i < hi; i++) {
        d->histogram[coordinate(d, i, axis) - least]++;
    }
    for (int32_t c = 1; c + 2 < span; c++) {
        left += d->histogram[c - 1];
        int32_t cut_size = d->histogram[c] + d->histogram[c + 1], right = n - left - cut_size;
        int32_t smaller = left < right ? left : right;
        double cost = ((double)cut_size + 0.05) / (double)smaller;
        cost += smaller < n / 5 ? 1e3 : 0;
        if (cost < best->cost) {
            *best = (cut){axis, least + c, cost};
        }
    }
}

/* A set order[lo..hi) after its partition: [lo, left_end), [left_end, right_end), and the cut up to hi. */
typedef struct sides {
    int32_t left_end, right_end;
} sides;

/* Splits order[lo..hi) into left, right and cut, in this place. */
static sides partition(dissection *d, int32_t lo, int32_t hi, const cut *c)
{
    int32_t end = hi;
    for (int32_t i = lo; i < end;) { /* the cut goes to the end */
        int32_t v = coordinate(d, i, c->axis);
        if (v == c->at || v == c->at + 1) {
            int32_t t = d->order[--end];
            d->order[end] = d->order[i];
            d->order[i] = t;
        } else {
            i++;
        }
    }
    int32_t left = lo;
    for (int32_t i = lo; i < end; i++) {
        if (coordinate(d, i, c->axis) < c->at) {
            int32_t t = d->order[left];
            d->order[left++] = d->order[i];
            d->order[i] = t;
        }
    }
    return (sides){left, end};
}

/* order[lo .. hi): find the better of the two cuts, split, both sides first, then the cut itself as their parent. */
static mb_status dissect(dissection *d, int32_t lo, int32_t hi, int depth)
{
    int32_t mark = d->n_roots;
    cut best = {.cost = 1e30};
    if (hi - lo > LEAF && mb_should_stop(d->task)) {
        return mb_task_check(d->task, d->err);
    }
    if (hi - lo > LEAF && depth < MAX_DEPTH) {
        find_cut(d, lo, hi, 0, &best);
        find_cut(d, lo, hi, 1, &best);
    }
    if (best.cost >= 1e30) {
        return add_node(d, lo, hi - lo, mark);
    }
    mb_status status = MB_OK;
    sides s = partition(d, lo, hi, &best);
    MB_TRY(dissect(d, lo, s.left_end, depth + 1));
    MB_TRY(dissect(d, s.left_end, s.right_end, depth + 1));
    if (s.right_end < hi) { /* an empty cut: the sides do not touch, both stay roots for whoever comes after */
        MB_TRY(add_node(d, s.right_end, hi - s.right_end, mark));
    }
done:
    return status;
}

/* One dissection a component: they do not touch. */
mb_status mb_nested_dissection(const mb_task *task, mb_nd_tree *out, int32_t *order, const int32_t *begin,
                               int32_t n_components, mb_nd_pixels pixels, mb_error *err)
{
    *out = (mb_nd_tree){0};
    int32_t n = begin[n_components], span = pixels.width; /* columns or rows that a set can have */
    for (int32_t i = 0; i < n; i++) {
        int32_t y = pixels.at[order[i]] / pixels.width + 1;
        span = y > span ? y : span;
    }
    dissection d = {.tree = out, .order = order, .pixels = pixels, .task = task, .err = err};
    d.histogram = mb_alloc_array((size_t)span, sizeof *d.histogram);
    d.roots = mb_alloc_array((size_t)n + 1, sizeof *d.roots);
    mb_status status = MB_OK;
    if (d.histogram == NULL || d.roots == NULL) {
        status = mb_fail_memory(err, ((size_t)span + (size_t)n) * sizeof *d.roots, "the elimination tree");
        goto done;
    }
    for (int32_t c = 0; c < n_components; c++) {
        MB_TRY(dissect(&d, begin[c], begin[c + 1], 0));
        d.n_roots = 0; /* what is left are roots of the forest */
    }
done:
    mb_free(d.histogram);
    mb_free(d.roots);
    if (status != MB_OK) {
        mb_nd_tree_dispose(out);
    }
    return status;
}

void mb_nd_tree_dispose(mb_nd_tree *t)
{
    mb_free(t->node);
    *t = (mb_nd_tree){0};
}
