/* Boykov-Kolmogorov max-flow. Both trees grow from the terminals over arcs with residual capacity; where they touch,
 * the path is filled; nodes that lose their parent look for another one in their tree or become free.
 *
 * A node's eight arcs lie side by side (nodes * 8 neighbours and capacities); the parent is stored as the direction
 * towards it, so a node costs 8 * 8 + 21 bytes. */
#include "segment/maxflow.h"

#include "core/alloc.h"

#include <string.h>

const int mb_maxflow_dx[MB_CUT_DIRECTIONS] = {1, -1, 0, 0, 1, -1, -1, 1};
const int mb_maxflow_dy[MB_CUT_DIRECTIONS] = {0, 0, 1, -1, 1, -1, 1, -1};

enum { FREE, SOURCE, SINK };                       /* tree */
enum { TERMINAL = 8, ORPHAN = 9, NO_PARENT = 10 }; /* parent, beside a direction 0..7 */
enum { NONE = -1, LAST = -2 };                     /* end marks of the linked lists */
enum { STEPS_PER_POLL = 1024 };                    /* active nodes between two looks at the task: under 5 ms */

struct mb_maxflow {
    int n;
    int32_t *neighbour, *capacity; /* n x 8; residual capacity of the arc that leaves in that direction */
    int32_t *terminal;             /* residual: > 0 from the source, < 0 to the sink */
    int32_t *next;                 /* queue of active nodes: NONE when not in it */
    int32_t *orphans;              /* stack (a node is at most once in it) */
    int32_t *stamp, *distance;     /* distance to the terminal, known at time `stamp` */
    uint8_t *tree, *parent;
    int32_t first, last, orphan_count, time;
};

/* Arrays of one kind each: a search reads few of them, densely. */
mb_status mb_maxflow_create(mb_maxflow **out, int nodes, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)nodes;
    mb_maxflow *c = mb_calloc(1, sizeof *c);
    if (!c) {
        return mb_fail_memory(err, sizeof *c, "minimum cut");
    }
    c->n = nodes;
    c->neighbour = mb_alloc_array(n, MB_CUT_DIRECTIONS * sizeof(int32_t));
    c->capacity = mb_calloc(n, MB_CUT_DIRECTIONS * sizeof(int32_t));
    c->terminal = mb_calloc(n, sizeof(int32_t));
    c->next = mb_alloc_array(n, sizeof(int32_t));
    c->orphans = mb_alloc_array(n, sizeof(int32_t));
    c->stamp = mb_calloc(n, sizeof(int32_t));
    c->distance = mb_calloc(n, sizeof(int32_t));
    c->tree = mb_calloc(n, 1);
    c->parent = mb_alloc_array(n, 1);
    if (!c->neighbour || !c->capacity || !c->terminal || !c->next || !c->orphans || !c->stamp || !c->distance ||
        !c->tree || !c->parent) {
        status = mb_fail_memory(err, n * (MB_CUT_DIRECTIONS * 8 + 22), "minimum cut");
        mb_maxflow_free(c);
        return status;
    }
    memset(c->neighbour, 0xff, n * MB_CUT_DIRECTIONS * sizeof(int32_t));
    *out = c;
    return MB_OK;
}

void mb_maxflow_free(mb_maxflow *c)
{
    if (!c) {
        return;
    }
    mb_free(c->neighbour);
    mb_free(c->capacity);
    mb_free(c->terminal);
    mb_free(c->next);
    mb_free(c->orphans);
    mb_free(c->stamp);
    mb_free(c->distance);
    mb_free(c->tree);
    mb_free(c->parent);
    mb_free(c);
}

static size_t arc(int node, int d)
{
    return (size_t)node * MB_CUT_DIRECTIONS + (size_t)d;
}

void mb_maxflow_edge(mb_maxflow *c, int a, int b, int d, int capacity)
{
    c->neighbour[arc(a, d)] = b;
    c->neighbour[arc(b, d ^ 1)] = a;
    c->capacity[arc(a, d)] = capacity;
    c->capacity[arc(b, d ^ 1)] = capacity;
}

void mb_maxflow_terminal(mb_maxflow *c, int a, int source_minus_sink)
{
    c->terminal[a] += source_minus_sink;
}

int mb_maxflow_on_source_side(const mb_maxflow *c, int a)
{
    return c->tree[a] == SOURCE;
}

/* Appends to the queue of active nodes, unless it is in there. */
static void activate(mb_maxflow *c, int a)
{
    if (c->next[a] != NONE) {
        return;
    }
    c->next[a] = LAST;
    if (c->first == LAST) {
        c->first = a;
    } else {
        c->next[c->last] = a;
    }
    c->last = a;
}

/* The next active node that is still in a tree, or LAST. */
static int take_active(mb_maxflow *c)
{
    while (c->first != LAST) {
        int a = c->first;
        c->first = c->next[a];
        c->next[a] = NONE;
        if (c->tree[a] != FREE) {
            return a;
        }
    }
    return LAST;
}

static void make_orphan(mb_maxflow *c, int a)
{
    c->parent[a] = ORPHAN;
    c->orphans[c->orphan_count++] = a;
}

/* Residual capacity along the tree: from the parent (source tree) or to the parent (sink tree) in direction d. */
static int32_t *tree_arc(mb_maxflow *c, int a, int d)
{
    return c->tree[a] == SOURCE ? &c->capacity[arc(c->neighbour[arc(a, d)], d ^ 1)] : &c->capacity[arc(a, d)];
}

/* The smallest residual capacity between a and its terminal. */
static int32_t bottleneck(mb_maxflow *c, int a, int32_t least)
{
    for (; c->parent[a] != TERMINAL; a = c->neighbour[arc(a, c->parent[a])]) {
        int32_t r = *tree_arc(c, a, c->parent[a]);
        least = r < least ? r : least;
    }
    int32_t t = c->tree[a] == SOURCE ? c->terminal[a] : -c->terminal[a];
    return t < least ? t : least;
}

/* Sends `flow` along the tree between a and its terminal. An arc that it fills cuts the node below off: an orphan. */
static void push(mb_maxflow *c, int a, int32_t flow)
{
    for (;;) {
        int d = c->parent[a];
        if (d == TERMINAL) {
            c->terminal[a] += c->tree[a] == SOURCE ? -flow : flow;
            if (c->terminal[a] == 0) {
                make_orphan(c, a);
            }
            return;
        }
        int up = c->neighbour[arc(a, d)];
        int32_t *r = tree_arc(c, a, d);
        *r -= flow;
        if (c->tree[a] == SOURCE) {
            c->capacity[arc(a, d)] += flow;
        } else {
            c->capacity[arc(up, d ^ 1)] += flow;
        }
        if (*r == 0) {
            make_orphan(c, a);
        }
        a = up;
    }
}

/* Fills the path source .. s -> t .. sink, where direction d leads from s to t. */
static void augment(mb_maxflow *c, int s, int d, int t)
{
    int32_t flow = bottleneck(c, t, bottleneck(c, s, c->capacity[arc(s, d)]));
    c->capacity[arc(s, d)] -= flow;
    c->capacity[arc(t, d ^ 1)] += flow;
    push(c, s, flow);
    push(c, t, flow);
}

/* Distance of a to its terminal if its chain of parents reaches one, else 0; leaves time stamps on the way. */
static int32_t origin_distance(mb_maxflow *c, int a)
{
    int32_t steps = 0, total = 0;
    for (int b = a;; b = c->neighbour[arc(b, c->parent[b])]) {
        if (c->stamp[b] == c->time) {
            total = steps + c->distance[b];
            break;
        }
        steps++;
        if (c->parent[b] == TERMINAL) {
            c->stamp[b] = c->time;
            c->distance[b] = 1;
            total = steps;
            break;
        }
        if (c->parent[b] >= ORPHAN) {
            return 0;
        }
    }
    int32_t d = total;
    for (int b = a; c->stamp[b] != c->time; b = c->neighbour[arc(b, c->parent[b])]) {
        c->stamp[b] = c->time;
        c->distance[b] = d--;
    }
    return total;
}

/* No parent found: a becomes free, its children become orphans, neighbours that could reach it become active. */
static void release(mb_maxflow *c, int a)
{
    for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
        int b = c->neighbour[arc(a, d)];
        if (b < 0 || c->tree[b] != c->tree[a]) {
            continue;
        }
        if (*tree_arc(c, a, d) > 0) {
            activate(c, b);
        }
        if (c->parent[b] == (d ^ 1)) {
            make_orphan(c, b);
        }
    }
    c->tree[a] = FREE;
    c->parent[a] = NO_PARENT;
}

/* Looks for a new parent of an orphan among its neighbours in the same tree: one whose own chain of parents still
 * reaches the terminal, the nearest of them. */
static void adopt(mb_maxflow *c, int a)
{
    int best = NO_PARENT;
    int32_t least = INT32_MAX;
    for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
        int b = c->neighbour[arc(a, d)];
        if (b < 0 || c->tree[b] != c->tree[a] || *tree_arc(c, a, d) == 0) {
            continue;
        }
        int32_t far = origin_distance(c, b);
        if (far > 0 && far < least) {
            least = far;
            best = d;
        }
    }
    if (best == NO_PARENT) {
        release(c, a);
        return;
    }
    c->parent[a] = (uint8_t)best;
    c->stamp[a] = c->time;
    c->distance[a] = least + 1;
}

/* Grows the tree of a; true when it touched the other tree and a path was filled. */
static int grow(mb_maxflow *c, int a)
{
    for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
        int b = c->neighbour[arc(a, d)];
        if (b < 0) {
            continue;
        }
        int32_t r = c->tree[a] == SOURCE ? c->capacity[arc(a, d)] : c->capacity[arc(b, d ^ 1)];
        if (r == 0) {
            continue;
        }
        if (c->tree[b] == FREE) {
            c->tree[b] = c->tree[a];
            c->parent[b] = (uint8_t)(d ^ 1);
            c->stamp[b] = c->stamp[a];
            c->distance[b] = c->distance[a] + 1;
            activate(c, b);
        } else if (c->tree[b] != c->tree[a]) {
            if (c->tree[a] == SOURCE) {
                augment(c, a, d, b);
            } else {
                augment(c, b, d ^ 1, a);
            }
            return 1;
        } else if (c->stamp[b] <= c->stamp[a] && c->distance[b] > c->distance[a]) {
            c->parent[b] = (uint8_t)(d ^ 1); /* a shorter way to the terminal */
            c->stamp[b] = c->stamp[a];
            c->distance[b] = c->distance[a] + 1;
        }
    }
    return 0;
}

/* Both trees start from all nodes with capacity to their terminal; flow that is there stays. */
mb_status mb_maxflow_solve(const mb_task *task, mb_maxflow *c, mb_error *err)
{
    mb_status status = MB_OK;
    unsigned steps = 0;
    c->first = c->last = LAST;
    c->orphan_count = 0;
    c->time = 0;
    for (int a = 0; a < c->n; a++) {
        c->next[a] = NONE;
        c->stamp[a] = 0;
        c->distance[a] = 1;
        c->tree[a] = c->terminal[a] > 0 ? SOURCE : c->terminal[a] < 0 ? SINK : FREE;
        c->parent[a] = c->terminal[a] ? TERMINAL : NO_PARENT;
    }
    for (int a = 0; a < c->n; a++) {
        if (c->tree[a] != FREE) {
            activate(c, a);
        }
    }
    for (int a = take_active(c); a != LAST; a = take_active(c)) {
        if (steps++ % STEPS_PER_POLL == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        /* a may touch the other tree in several places: it stays until nothing more can be filled from it */
        while (c->tree[a] != FREE && grow(c, a)) {
            c->time++;
            while (c->orphan_count > 0) {
                adopt(c, c->orphans[--c->orphan_count]);
            }
        }
    }
done:
    return status;
}
