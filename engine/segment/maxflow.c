/* Max-flow in two steps. Waves move what the sources have towards the sinks, level by level; what is left, often stuck
 * behind full arcs, is for Boykov and Kolmogorov's trees: both grow from the terminals over arcs with residual capacity;
 * where they touch, the path is filled; nodes that lose their parent look for another one in their tree or become free.
 *
 * Moving flow over an arc without a path that continues it is allowed, because the terminals take up the difference:
 * with f more from a to b, f less from the source to a and f more to b every labelling costs the same as before, up to a
 * constant (V. Kolmogorov, R. Zabih, "What energy functions can be minimized via graph cuts?", PAMI 2004).
 *
 * A node's eight arcs lie side by side; the parent is stored as the direction towards it; two bytes say which arcs still
 * have residual capacity. A node costs 8 * 4 + 26 bytes, and 8 * 4 more where the neighbours must be stored. */
#include "segment/maxflow.h"

#include "core/alloc.h"

#include <string.h>

const int mb_maxflow_dx[MB_CUT_DIRECTIONS] = {1, -1, 0, 0, 1, -1, -1, 1};
const int mb_maxflow_dy[MB_CUT_DIRECTIONS] = {0, 0, 1, -1, 1, -1, 1, -1};

enum { FREE, SOURCE, SINK };                       /* tree */
enum { TERMINAL = 8, ORPHAN = 9, NO_PARENT = 10 }; /* parent, beside a direction 0..7 */
enum { NONE = -1, LAST = -2 };                     /* end marks of the linked lists */
enum { NO_LEVEL = UINT16_MAX };
enum { MOST = (1 << 30) - 1 };  /* that a node may have waiting for the sink */
enum { STEPS_PER_POLL = 1024 }; /* active nodes between two looks at the task: under 5 ms */

/* The most waves before the trees, and the share of the nodes that a wave must have moved something from for another one
 * to pay. */
enum { WAVES = 40, LEAST_SHARE = 32 };

struct mb_maxflow {
    int n;                           /* nodes; n is the number of one without arcs, where missing neighbours lead */
    int32_t step[MB_CUT_DIRECTIONS]; /* grid: number of the neighbour minus that of the node */
    int32_t *neighbour;              /* n x 8; NULL: a grid */
    int32_t *capacity;               /* n x 8; residual capacity of the arc that leaves in that direction */
    int32_t *terminal;               /* residual: > 0 from the source, < 0 to the sink */
    uint8_t *leaving, *entering;     /* bit d: the arc to, from the neighbour in direction d has residual capacity */
    int32_t *next;                   /* queue of active nodes: NONE when not in it */
    int32_t *orphans;                /* ring (a node is at most once in it); waves: nodes by their level */
    int32_t *stamp, *distance;       /* distance to the terminal, known at time `stamp` (waves: place in the list) */
    uint16_t *level;                 /* waves: arcs to the sink */
    uint8_t *tree, *parent;
    int32_t first, last, first_orphan, last_orphan, time;
    bool solved; /* `leaving` and `entering` are right */
};

/* Arrays of one kind each: a search reads few of them, densely. */
static mb_status create(mb_maxflow **out, int nodes, bool grid, mb_error *err)
{
    mb_status status = MB_OK;
    size_t n = (size_t)nodes + 1;
    mb_maxflow *c = mb_calloc(1, sizeof *c);
    if (!c) {
        return mb_fail_memory(err, sizeof *c, "minimum cut");
    }
    c->n = nodes;
    c->neighbour = grid ? NULL : mb_alloc_array(n, MB_CUT_DIRECTIONS * sizeof(int32_t));
    c->capacity = mb_calloc(n, MB_CUT_DIRECTIONS * sizeof(int32_t));
    c->terminal = mb_calloc(n, sizeof(int32_t));
    c->next = mb_alloc_array(n, sizeof(int32_t));
    c->orphans = mb_alloc_array(n, sizeof(int32_t));
    c->stamp = mb_alloc_array(n, sizeof(int32_t));
    c->distance = mb_alloc_array(n, sizeof(int32_t));
    c->level = mb_calloc(n, sizeof(uint16_t));
    c->leaving = mb_calloc(n, 4);
    if ((!grid && !c->neighbour) || !c->capacity || !c->terminal || !c->next || !c->orphans || !c->stamp ||
        !c->distance || !c->level || !c->leaving) {
        status = mb_fail_memory(err, n * (MB_CUT_DIRECTIONS * (grid ? 4u : 8u) + 26), "minimum cut");
        mb_maxflow_free(c);
        return status;
    }
    c->entering = c->leaving + n;
    c->tree = c->entering + n;
    c->parent = c->tree + n;
    *out = c;
    return MB_OK;
}

mb_status mb_maxflow_create(mb_maxflow **out, int nodes, mb_error *err)
{
    mb_status status = create(out, nodes, false, err);
    for (size_t i = 0; status == MB_OK && i < ((size_t)nodes + 1) * MB_CUT_DIRECTIONS; i++) {
        (*out)->neighbour[i] = nodes;
    }
    return status;
}

mb_status mb_maxflow_create_grid(mb_maxflow **out, int width, int height, mb_error *err)
{
    mb_status status = create(out, mb_maxflow_grid_nodes(width, height), true, err);
    for (int d = 0; status == MB_OK && d < MB_CUT_DIRECTIONS; d++) {
        (*out)->step[d] = mb_maxflow_dy[d] * (width + 1) + mb_maxflow_dx[d];
    }
    return status;
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
    mb_free(c->level);
    mb_free(c->leaving); /* and the three behind it */
    mb_free(c);
}

static inline size_t arc(int node, int d)
{
    return (size_t)node * MB_CUT_DIRECTIONS + (size_t)d;
}

/* The neighbour in direction d. On a grid only where an arc leads or an array of bytes says that there is one. */
static inline int beside(const mb_maxflow *c, int a, int d)
{
    return c->neighbour != NULL ? c->neighbour[arc(a, d)] : a + c->step[d];
}

void mb_maxflow_edge(mb_maxflow *c, int a, int b, int d, int capacity)
{
    if (c->neighbour != NULL) {
        c->neighbour[arc(a, d)] = b;
        c->neighbour[arc(b, d ^ 1)] = a;
    }
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

/* Before the first solution: which arcs have capacity. It is the same both ways then. */
static void find_arcs(mb_maxflow *c)
{
    for (int a = 0; a < c->n; a++) {
        unsigned bits = 0;
        for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
            bits |= (unsigned)(c->capacity[arc(a, d)] > 0) << d;
        }
        c->leaving[a] = c->entering[a] = (uint8_t)bits;
    }
}

/* Sends `flow` from a to b over the arc in direction d. -> is that arc full now? */
static inline bool send(mb_maxflow *c, int a, int d, int b, int32_t flow)
{
    int32_t *there = &c->capacity[arc(a, d)], *back = &c->capacity[arc(b, d ^ 1)];
    if (*back == 0) {
        c->leaving[b] |= (uint8_t)(1u << (d ^ 1));
        c->entering[a] |= (uint8_t)(1u << d);
    }
    *back += flow;
    *there -= flow;
    if (*there > 0) {
        return false;
    }
    c->leaving[a] &= (uint8_t) ~(1u << d);
    c->entering[b] &= (uint8_t) ~(1u << (d ^ 1));
    return true;
}

static inline int32_t least(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* The lowest set bit of a byte that has one. */
static inline int lowest(unsigned bits)
{
    return __builtin_ctz(bits);
}

/* ---- waves */

/* The directions in which the neighbour of a has this level. (Eight comparisons cost less than a branch that nobody can
 * predict.) */
static inline unsigned at_level(const mb_maxflow *c, int a, int level)
{
    unsigned bits = 0;
    if (c->neighbour != NULL) {
        const int32_t *near = c->neighbour + arc(a, 0);
        for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
            bits |= (unsigned)(c->level[near[d]] == level) << d;
        }
    } else {
        const uint16_t *here = c->level + a;
        for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
            bits |= (unsigned)(here[c->step[d]] == level) << d;
        }
    }
    return bits;
}

/* Levels: the fewest arcs to a node that the sink still takes something from (0), by breadth first search. The nodes that
 * have a level are listed in its order, with their places in that list. -> how many. */
static int find_levels(mb_maxflow *c)
{
    int32_t *queue = c->orphans;
    uint16_t *level = c->level;
    int count = 0;
    for (int a = 0; a < c->n; a++) {
        level[a] = c->terminal[a] < 0 ? 0 : NO_LEVEL;
        queue[count] = a;
        count += c->terminal[a] < 0;
    }
    for (int i = 0; i < count && level[queue[i]] < NO_LEVEL - 1; i++) {
        const int v = queue[i];
        const uint16_t above = (uint16_t)(level[v] + 1);
        c->stamp[v] = i;
        for (unsigned bits = c->entering[v] & at_level(c, v, NO_LEVEL); bits; bits &= bits - 1) {
            const int u = beside(c, v, lowest(bits));
            level[u] = above;
            queue[count++] = u;
        }
    }
    return count;
}

/* How much v can pass on to the level below, or to the sink. */
static int32_t room(const mb_maxflow *c, int v)
{
    int64_t sum = -(int64_t)c->terminal[v];
    for (unsigned bits = c->leaving[v] & at_level(c, v, c->level[v] - 1); bits; bits &= bits - 1) {
        sum += c->capacity[arc(v, lowest(bits))];
    }
    return sum < MOST ? (int32_t)sum : MOST;
}

/* Moves up to `most` of what u has over the arc in direction d. -> what u still has. */
static inline int32_t pass_on(mb_maxflow *c, int u, int d, int32_t rest, int32_t most)
{
    const int v = beside(c, u, d);
    const int32_t flow = least(least(rest, c->capacity[arc(u, d)]), least(most, MOST - c->terminal[v]));
    if (flow > 0) {
        (void)send(c, u, d, v, flow);
        c->terminal[v] += flow;
        rest -= flow;
    }
    return rest;
}

/* What u has goes to the level below; what finds no way there, to neighbours of the same level that come later and have
 * room. */
static void move_on(mb_maxflow *c, int u)
{
    int32_t rest = c->terminal[u];
    for (unsigned bits = c->leaving[u] & at_level(c, u, c->level[u] - 1); bits && rest > 0; bits &= bits - 1) {
        rest = pass_on(c, u, lowest(bits), rest, MOST);
    }
    if (rest > 0) {
        for (unsigned bits = c->leaving[u] & at_level(c, u, c->level[u]); bits && rest > 0; bits &= bits - 1) {
            const int v = beside(c, u, lowest(bits));
            rest = pass_on(c, u, lowest(bits), rest, c->stamp[v] < c->stamp[u] ? room(c, v) : 0);
        }
    }
    c->terminal[u] = rest;
}

/* From the farthest level to the sinks. Flow that gets stuck waits for the levels of the next wave. */
static mb_status send_waves(const mb_task *task, mb_maxflow *c, mb_error *err)
{
    mb_status status = MB_OK;
    for (int wave = 0; wave < WAVES; wave++) {
        int moved = 0;
        MB_TRY(mb_task_check(task, err));
        for (int i = find_levels(c) - 1; i >= 0; i--) {
            if (c->terminal[c->orphans[i]] > 0) {
                move_on(c, c->orphans[i]);
                moved++;
            }
        }
        if (moved < c->n / LEAST_SHARE) {
            break;
        }
    }
done:
    return status;
}

/* ---- trees */

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

static inline void make_orphan(mb_maxflow *c, int a)
{
    c->parent[a] = ORPHAN;
    c->orphans[c->last_orphan] = a;
    c->last_orphan = c->last_orphan < c->n ? c->last_orphan + 1 : 0;
}

/* The arcs with residual capacity along the tree, away from the terminal and towards it. */
static inline unsigned arcs_down(const mb_maxflow *c, int a)
{
    return c->tree[a] == SOURCE ? c->leaving[a] : c->entering[a];
}

static inline unsigned arcs_up(const mb_maxflow *c, int a)
{
    return c->tree[a] == SOURCE ? c->entering[a] : c->leaving[a];
}

/* The smallest of `flow` and the residual capacities between the source and a. */
static int32_t bottleneck_source(const mb_maxflow *c, int a, int32_t flow)
{
    for (int d = c->parent[a]; d != TERMINAL; d = c->parent[a]) {
        a = beside(c, a, d);
        flow = least(flow, c->capacity[arc(a, d ^ 1)]);
    }
    return least(flow, c->terminal[a]);
}

/* The same between a and the sink. */
static int32_t bottleneck_sink(const mb_maxflow *c, int a, int32_t flow)
{
    for (int d = c->parent[a]; d != TERMINAL; d = c->parent[a]) {
        flow = least(flow, c->capacity[arc(a, d)]);
        a = beside(c, a, d);
    }
    return least(flow, -c->terminal[a]);
}

/* Fills the path source .. s -> t .. sink, where direction d leads from s to t. A full arc cuts off the node that it
 * joins to its parent: an orphan. */
static void augment(mb_maxflow *c, int s, int d, int t)
{
    const int32_t flow = bottleneck_sink(c, t, bottleneck_source(c, s, c->capacity[arc(s, d)]));
    (void)send(c, s, d, t, flow);
    for (int up = c->parent[s]; up != TERMINAL; up = c->parent[s]) {
        const int p = beside(c, s, up);
        if (send(c, p, up ^ 1, s, flow)) {
            make_orphan(c, s);
        }
        s = p;
    }
    for (int up = c->parent[t]; up != TERMINAL; up = c->parent[t]) {
        const int p = beside(c, t, up);
        if (send(c, t, up, p, flow)) {
            make_orphan(c, t);
        }
        t = p;
    }
    c->terminal[s] -= flow;
    c->terminal[t] += flow;
    if (c->terminal[s] == 0) {
        make_orphan(c, s);
    }
    if (c->terminal[t] == 0) {
        make_orphan(c, t);
    }
}

/* Distance of a to its terminal if its chain of parents reaches one, else 0; leaves time stamps on the way. (Inlined into
 * the loop of its caller it would lack registers: 5 % of the whole.) */
static __attribute__((noinline)) int32_t origin_distance(mb_maxflow *c, int a)
{
    const int32_t time = c->time;
    int32_t steps = 0, total = 0;
    for (int b = a;; b = beside(c, b, c->parent[b])) {
        if (c->stamp[b] == time) {
            total = steps + c->distance[b];
            break;
        }
        steps++;
        if (c->parent[b] == TERMINAL) {
            c->stamp[b] = time;
            c->distance[b] = 1;
            total = steps;
            break;
        }
        if (c->parent[b] >= ORPHAN) {
            return 0;
        }
    }
    int32_t d = total;
    for (int b = a; c->stamp[b] != time; b = beside(c, b, c->parent[b])) {
        c->stamp[b] = time;
        c->distance[b] = d--;
    }
    return total;
}

/* No parent found: a becomes free, its children become orphans, neighbours that could reach it become active. */
static void release(mb_maxflow *c, int a)
{
    const unsigned near = c->leaving[a] | c->entering[a], up = arcs_up(c, a);
    for (unsigned bits = near; bits; bits &= bits - 1) {
        const int d = lowest(bits), b = beside(c, a, d);
        if (c->tree[b] != c->tree[a]) {
            continue;
        }
        if (up >> d & 1) {
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
    int32_t nearest = INT32_MAX;
    for (unsigned bits = arcs_up(c, a); bits; bits &= bits - 1) {
        const int d = lowest(bits), b = beside(c, a, d);
        if (c->tree[b] == c->tree[a]) {
            const int32_t far = origin_distance(c, b);
            if (far > 0 && far < nearest) {
                nearest = far;
                best = d;
            }
        }
    }
    if (best == NO_PARENT) {
        release(c, a);
        return;
    }
    c->parent[a] = (uint8_t)best;
    c->stamp[a] = c->time;
    c->distance[a] = nearest + 1;
}

/* Grows the tree of a; true when it touched the other tree and a path was filled. */
static bool grow(mb_maxflow *c, int a)
{
    const uint8_t tree = c->tree[a];
    for (unsigned bits = arcs_down(c, a); bits; bits &= bits - 1) {
        const int d = lowest(bits), b = beside(c, a, d);
        if (c->tree[b] == FREE) {
            c->tree[b] = tree;
            c->parent[b] = (uint8_t)(d ^ 1);
            c->stamp[b] = c->stamp[a];
            c->distance[b] = c->distance[a] + 1;
            activate(c, b);
        } else if (c->tree[b] != tree) {
            if (tree == SOURCE) {
                augment(c, a, d, b);
            } else {
                augment(c, b, d ^ 1, a);
            }
            return true;
        }
    }
    return false;
}

/* Is there somewhere to grow to from a root? Those amidst others of their tree need not be looked at. */
static bool has_border(const mb_maxflow *c, int a)
{
    for (unsigned bits = arcs_down(c, a); bits; bits &= bits - 1) {
        if (c->tree[beside(c, a, lowest(bits))] != c->tree[a]) {
            return true;
        }
    }
    return false;
}

/* Both trees start from all nodes with capacity to their terminal; flow that is there stays. */
static void plant_trees(mb_maxflow *c)
{
    c->first = c->last = LAST;
    c->first_orphan = c->last_orphan = 0;
    c->time = 0;
    for (int a = 0; a < c->n; a++) {
        c->next[a] = NONE;
        c->stamp[a] = 0;
        c->distance[a] = 1;
        c->tree[a] = c->terminal[a] > 0 ? SOURCE : c->terminal[a] < 0 ? SINK : FREE;
        c->parent[a] = c->terminal[a] ? TERMINAL : NO_PARENT;
    }
    for (int a = 0; a < c->n; a++) {
        if (c->tree[a] != FREE && has_border(c, a)) {
            activate(c, a);
        }
    }
}

/* Waves pay where there is no flow yet. */
mb_status mb_maxflow_solve(const mb_task *task, mb_maxflow *c, mb_error *err)
{
    mb_status status = MB_OK;
    unsigned steps = 0;
    MB_TRY(mb_task_check(task, err));
    if (!c->solved) {
        find_arcs(c);
        c->solved = true;
        MB_TRY(send_waves(task, c, err));
    }
    plant_trees(c);
    for (int a = take_active(c); a != LAST; a = take_active(c)) {
        if (steps++ % STEPS_PER_POLL == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        /* a may touch the other tree in several places: it stays until nothing more can be filled from it */
        while (c->tree[a] != FREE && grow(c, a)) {
            c->time++;
            while (c->first_orphan != c->last_orphan) {
                const int orphan = c->orphans[c->first_orphan];
                c->first_orphan = c->first_orphan < c->n ? c->first_orphan + 1 : 0;
                adopt(c, orphan);
            }
        }
    }
done:
    return status;
}
