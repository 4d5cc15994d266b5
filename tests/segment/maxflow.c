/* The minimum cut against every labelling of small grids, with random capacities. */
#include "harness/check.h"
#include "segment/maxflow.h"

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
