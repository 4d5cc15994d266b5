/* Derived constants: made when asked for and not before, the same bits for any number of threads, shared by those who
 * derive alike, and made again after they were forgotten. */
#include "graph/constants.h"
#include "harness/check.h"

#include <stdatomic.h>
#include <string.h>

static atomic_int n_fills;

/* in[0] * number, row by row. */
static void fill_scaled(float *out, const mb_derived *d, int64_t begin, int64_t end)
{
    int64_t row = d->dims[1] * d->dims[2] * d->dims[3];
    atomic_fetch_add(&n_fills, 1);
    for (int64_t i = begin * row; i < end * row; i++) {
        out[i] = d->in[0][i] * (float)d->number + (d->in[1] != NULL ? d->in[1][i / row] : 0.0f);
    }
}

static int scaled(mb_graph *g, int from, int addend, double number)
{
    const mb_derivation how = {
        .how = "scaled", .fill = fill_scaled, .from = {from, addend}, .n_from = 2, .number = number};
    return mb_graph_derive(g, "scaled", (int64_t[]){700, 3, 5, 7}, &how);
}

static void check_with(int threads)
{
    mb_error err = {0};
    mb_graph *g;
    mb_pool *pool;
    float *data, *addend;
    CHECK_OK(mb_graph_create(&g, NULL, &err), err);
    CHECK_OK(mb_pool_create(&pool, threads, &err), err);
    int x = mb_graph_constant(g, "x", (int64_t[]){700, 3, 5, 7}, 1, &data);
    int b = mb_graph_constant(g, "b", (int64_t[]){700, 1, 1, 1}, 2, &addend);
    for (int i = 0; i < 700 * 105; i++) {
        data[i] = (float)(i % 1013) * 0.37f - 99;
        addend[i / 105] = (float)(i / 105);
    }
    atomic_store(&n_fills, 0);
    int twice = scaled(g, x, MB_NONE, 2.0), six = scaled(g, twice, b, 3.0);
    CHECK_EQ(scaled(g, x, MB_NONE, 2.0), twice);
    CHECK(scaled(g, x, b, 2.0) != twice && scaled(g, x, MB_NONE, 2.5) != twice);
    CHECK_MSG(atomic_load(&n_fills) == 0, "filled before anybody asked");
    for (int round = 0; round < 2; round++) {
        const float *v = mb_graph_floats(g, six, pool);
        bool same = v != NULL;
        for (int i = 0; same && i < 700 * 105; i++) {
            same = v[i] == data[i] * 2.0f * 3.0f + addend[i / 105];
        }
        CHECK_MSG(same, "%d threads, round %d: other values", threads, round);
        int fills = atomic_load(&n_fills);
        CHECK(mb_graph_floats(g, six, pool) == v && atomic_load(&n_fills) == fills);
        mb_graph_release_derived(g);
        CHECK(g->values[six].data == NULL && g->values[twice].data == NULL && g->values[x].data == data);
    }
    CHECK_OK(mb_graph_status(g, &err), err);
    CHECK(scaled(g, x, MB_NONE, 9.0) >= 0 && mb_graph_floats(g, MB_NONE, pool) == NULL);
    mb_graph_free(g);
    mb_pool_free(pool);
}

static const struct {
    const char *name;
    int n;
} threads[] = {{"1 thread", 1}, {"2 threads", 2}, {"3 threads", 3}};

TEST_ROWS(derived, threads)
{
    check_with(row->n);
}
