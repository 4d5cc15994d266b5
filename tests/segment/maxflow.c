/* The minimum cut against every labelling of small grids, and against shortest paths filled one after the other on larger
 * ones, with random capacities. */
#include "harness/check.h"
#include "segment/maxflow.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 4, HEIGHT = 3, NODES = WIDTH * HEIGHT, GRIDS = 200 };

static uint32_t state;

static int draw(int limit)
{
    state = state * 1664525u + 1013904223u;
    return (int)((state >> 8) % (uint32_t)limit);
}

typedef struct grid {
    int edge[NODES][MB_CUT_DIRECTIONS / 2], terminal[NODES];
} grid;

/* Cost of a labelling: bit i set = node i on the source's side. */
static int cost(const grid *g, int labels)
{
    int sum = 0;
    for (int i = 0; i < NODES; i++) {
        int inside = labels >> i & 1, t = g->terminal[i];
        sum += t > 0 && !inside ? t : t < 0 && inside ? -t : 0;
        for (int k = 0; k < MB_CUT_DIRECTIONS / 2; k++) {
            int x = i % WIDTH + mb_maxflow_dx[2 * k], y = i / WIDTH + mb_maxflow_dy[2 * k];
            if (x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT && inside != (labels >> (y * WIDTH + x) & 1)) {
                sum += g->edge[i][k];
            }
        }
    }
    return sum;
}

static mb_maxflow *build(const grid *g)
{
    mb_maxflow *cut = NULL;
    mb_error err;
    CHECK_OK(mb_maxflow_create(&cut, NODES, &err), err);
    for (int i = 0; cut && i < NODES; i++) {
        mb_maxflow_terminal(cut, i, g->terminal[i]);
        for (int k = 0; k < MB_CUT_DIRECTIONS / 2; k++) {
            int x = i % WIDTH + mb_maxflow_dx[2 * k], y = i / WIDTH + mb_maxflow_dy[2 * k];
            if (x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT) {
                mb_maxflow_edge(cut, i, y * WIDTH + x, 2 * k, g->edge[i][k]);
            }
        }
    }
    return cut;
}

/* Bit i set = node i on the source's side. */
static int solve(mb_maxflow *cut)
{
    int labels = 0;
    mb_error err;
    CHECK_OK(mb_maxflow_solve(NULL, cut, &err), err);
    for (int i = 0; i < NODES; i++) {
        labels |= mb_maxflow_on_source_side(cut, i) << i;
    }
    return labels;
}

static int least_cost(const grid *g)
{
    int best = cost(g, 0);
    for (int l = 1; l < 1 << NODES; l++) {
        int c = cost(g, l);
        best = c < best ? c : best;
    }
    return best;
}

static void fill(grid *g)
{
    int strength = 1 + draw(30); /* weak edges: many pieces; strong ones: few */
    for (int i = 0; i < NODES; i++) {
        g->terminal[i] = draw(5) ? draw(41) - 20 : 0;
        for (int k = 0; k < MB_CUT_DIRECTIONS / 2; k++) {
            g->edge[i][k] = draw(strength);
        }
    }
}

/* Other terminals on a network that has flow already: the cut of the new network, the same as without that flow. */
static void check_again(grid *g, mb_maxflow *cut)
{
    for (int again = 0; again < 3; again++) {
        for (int i = 0; i < NODES; i++) {
            int change = draw(3) == 0 ? draw(31) - 15 : 0;
            g->terminal[i] += change;
            mb_maxflow_terminal(cut, i, change);
        }
        mb_maxflow *fresh = build(g);
        int labels = solve(cut);
        CHECK_MSG(cost(g, labels) == least_cost(g), "again: cut of %d, the least is %d", cost(g, labels),
                  least_cost(g));
        CHECK(labels == solve(fresh));
        mb_maxflow_free(fresh);
    }
}

static bool always(void *user)
{
    (void)user;
    return true;
}

TEST(directions_in_pairs)
{
    for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
        CHECK(mb_maxflow_dx[d] == -mb_maxflow_dx[d ^ 1] && mb_maxflow_dy[d] == -mb_maxflow_dy[d ^ 1]);
    }
}

TEST(least_cut)
{
    for (int round = 0; round < GRIDS; round++) {
        grid g;
        state = (uint32_t)round;
        fill(&g);
        mb_maxflow *cut = build(&g);
        REQUIRE(cut != NULL);
        int labels = solve(cut);
        CHECK_MSG(cost(&g, labels) == least_cost(&g), "grid %d: cut of %d, the least is %d", round, cost(&g, labels),
                  least_cost(&g));
        check_again(&g, cut);
        mb_error err = {0};
        CHECK(mb_maxflow_solve(&(mb_task){.should_stop = always}, cut, &err) == MB_E_CANCELLED);
        mb_maxflow_free(cut);
    }
}

/* ---- larger grids */

/* A network of width x height and what the plain method makes of it. Arcs of node i: capacity[8 * i + direction]. */
typedef struct network {
    int width, height;
    int *edge, *terminal;     /* as given: [4 * n] for even directions, [n] */
    int *capacity, *residual; /* what the plain method has left: of the arcs, of the terminals */
    int *from, *queue;        /* [n] each */
} network;

static bool open_network(network *w, int width, int height)
{
    const size_t n = (size_t)width * (size_t)height;
    *w = (network){width,
                   height,
                   calloc(n, 4 * sizeof(int)),
                   calloc(n, sizeof(int)),
                   calloc(n, 8 * sizeof(int)),
                   calloc(n, sizeof(int)),
                   calloc(n, sizeof(int)),
                   calloc(n, sizeof(int))};
    return w->edge && w->terminal && w->capacity && w->residual && w->from && w->queue;
}

static void close_network(network *w)
{
    free(w->edge);
    free(w->terminal);
    free(w->capacity);
    free(w->residual);
    free(w->from);
    free(w->queue);
}

/* The neighbour, or -1. */
static int next_to(const network *w, int i, int d)
{
    int x = i % w->width + mb_maxflow_dx[d], y = i / w->width + mb_maxflow_dy[d];
    return x >= 0 && y >= 0 && x < w->width && y < w->height ? y * w->width + x : -1;
}

/* Nodes that residual capacity reaches from the source: from[i] is the direction back to the node before, 8 at the source,
 * -1 where it does not reach. -> one that still has capacity to the sink, or -1. */
static int search(const network *w)
{
    int count = 0;
    for (int i = 0; i < w->width * w->height; i++) {
        w->from[i] = w->residual[i] > 0 ? 8 : -1;
        if (w->residual[i] > 0) {
            w->queue[count++] = i;
        }
    }
    for (int k = 0; k < count; k++) {
        int i = w->queue[k];
        if (w->residual[i] < 0) {
            return i;
        }
        for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
            int j = next_to(w, i, d);
            if (j >= 0 && w->capacity[8 * i + d] > 0 && w->from[j] < 0) {
                w->from[j] = d ^ 1;
                w->queue[count++] = j;
            }
        }
    }
    return -1;
}

/* Fills the shortest path until there is none. (J. Edmonds, R. Karp, 1972.) */
static void solve_plainly(network *w)
{
    for (int i = 0; i < w->width * w->height; i++) {
        w->residual[i] = w->terminal[i];
        for (int d = 0; d < MB_CUT_DIRECTIONS; d++) {
            int j = next_to(w, i, d);
            w->capacity[8 * i + d] = j < 0 ? 0 : d % 2 == 0 ? w->edge[4 * i + d / 2] : w->edge[4 * j + d / 2];
        }
    }
    for (int end = search(w); end >= 0; end = search(w)) {
        int flow = -w->residual[end], i = end;
        for (; w->from[i] != 8; i = next_to(w, i, w->from[i])) {
            int c = w->capacity[8 * next_to(w, i, w->from[i]) + (w->from[i] ^ 1)];
            flow = c < flow ? c : flow;
        }
        flow = w->residual[i] < flow ? w->residual[i] : flow;
        w->residual[i] -= flow;
        w->residual[end] += flow;
        for (i = end; w->from[i] != 8; i = next_to(w, i, w->from[i])) {
            w->capacity[8 * next_to(w, i, w->from[i]) + (w->from[i] ^ 1)] -= flow;
            w->capacity[8 * i + w->from[i]] += flow;
        }
    }
}

/* The solver's network; in_grid: with the nodes of a grid, else with stored neighbours. */
static mb_maxflow *make_cut(const network *w, bool in_grid)
{
    mb_maxflow *cut = NULL;
    mb_error err;
    if (in_grid) {
        CHECK_OK(mb_maxflow_create_grid(&cut, w->width, w->height, &err), err);
    } else {
        CHECK_OK(mb_maxflow_create(&cut, w->width * w->height, &err), err);
    }
    for (int i = 0; cut != NULL && i < w->width * w->height; i++) {
        int a = in_grid ? mb_maxflow_grid_node(w->width, i % w->width, i / w->width) : i;
        mb_maxflow_terminal(cut, a, w->terminal[i]);
        for (int k = 0; k < MB_CUT_DIRECTIONS / 2; k++) {
            int j = next_to(w, i, 2 * k);
            if (j >= 0) {
                int b = in_grid ? mb_maxflow_grid_node(w->width, j % w->width, j / w->width) : j;
                mb_maxflow_edge(cut, a, b, 2 * k, w->edge[4 * i + k]);
            }
        }
    }
    return cut;
}

/* Is every node where the plain method's last search says: the source's side is what it reached? */
static void check_sides(const network *w, mb_maxflow *cut, bool in_grid, const char *what)
{
    mb_error err;
    int wrong = 0;
    CHECK_OK(mb_maxflow_solve(NULL, cut, &err), err);
    for (int i = 0; i < w->width * w->height; i++) {
        int a = in_grid ? mb_maxflow_grid_node(w->width, i % w->width, i / w->width) : i;
        wrong += mb_maxflow_on_source_side(cut, a) != (w->from[i] >= 0);
    }
    CHECK_MSG(wrong == 0, "%d x %d, %s, %s: %d nodes on the wrong side", w->width, w->height, what,
              in_grid ? "grid" : "stored neighbours", wrong);
}

/* A fresh network, then the same with other terminals on top of the flow that is there. */
static void check_network(network *w, const char *what, int change)
{
    for (int in_grid = 0; in_grid < 2; in_grid++) {
        solve_plainly(w);
        mb_maxflow *cut = make_cut(w, in_grid);
        REQUIRE(cut != NULL);
        check_sides(w, cut, in_grid, what);
        for (int i = 0; i < w->width * w->height; i++) {
            int a = in_grid ? mb_maxflow_grid_node(w->width, i % w->width, i / w->width) : i;
            int more = change > 0 && draw(3) == 0 ? draw(2 * change + 1) - change : 0;
            w->terminal[i] += more;
            mb_maxflow_terminal(cut, a, more);
        }
        solve_plainly(w);
        check_sides(w, cut, in_grid, "again");
        mb_maxflow_free(cut);
    }
}

/* strength: the largest capacity of an edge; pull: of a terminal, of which one node in `sparse` has one. */
static void check_random(int width, int height, int strength, int pull, int sparse)
{
    network w;
    REQUIRE(open_network(&w, width, height));
    for (int i = 0; i < width * height; i++) {
        w.terminal[i] = draw(sparse) == 0 ? draw(2 * pull + 1) - pull : 0;
        for (int k = 0; k < 4; k++) {
            w.edge[4 * i + k] = draw(strength + 1);
        }
    }
    check_network(&w, "random", pull);
    close_network(&w);
}

TEST(larger_grids)
{
    static const int sizes[][2] = {{1, 1}, {1, 40}, {40, 1}, {2, 2}, {3, 17}, {24, 19}, {31, 30}};
    for (int k = 0; k < (int)(sizeof sizes / sizeof *sizes); k++) {
        for (int round = 0; round < 6; round++) {
            state = (uint32_t)(100 * k + round);
            check_random(sizes[k][0], sizes[k][1], 1 << (2 * round), 30, 1 + round);
        }
    }
}

/* Grey areas with strong edges and weak, far terminals: long paths, many waves. */
TEST(far_terminals)
{
    network w;
    REQUIRE(open_network(&w, 40, 25));
    for (int i = 0; i < 1000; i++) {
        int x = i % 40;
        w.terminal[i] = x < 6 ? 50 : x > 33 ? -60 : 0;
        for (int k = 0; k < 4; k++) {
            w.edge[4 * i + k] = x == 20 ? 7 : 1000;
        }
    }
    state = 1;
    check_network(&w, "far", 20);
    close_network(&w);
}

/* Nothing to cut, or nothing that holds together, and capacities near what an integer can hold. */
TEST(degenerate_networks)
{
    static const struct {
        int terminal, other, edge;
    } kinds[] = {{0, 0, 5},
                 {7, 7, 5},
                 {-7, -7, 5},
                 {7, -7, 0},
                 {0, 0, 0},
                 {1 << 20, -(1 << 20), 1 << 20},
                 {1 << 20, -(1 << 20), 1 << 28},
                 {5, -5, 5}};
    for (int k = 0; k < (int)(sizeof kinds / sizeof *kinds); k++) {
        network w;
        REQUIRE(open_network(&w, 9, 8));
        for (int i = 0; i < 72; i++) {
            w.terminal[i] = (i / 9 + i) % 2 ? kinds[k].terminal : kinds[k].other;
            for (int e = 0; e < 4; e++) {
                w.edge[4 * i + e] = kinds[k].edge;
            }
        }
        check_network(&w, "degenerate", 0);
        close_network(&w);
    }
}
