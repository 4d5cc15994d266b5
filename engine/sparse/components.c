/* Union-find with path halving; roots are the smallest rows, so one ascending pass numbers them. */
#include "sparse/components.h"

#include "core/alloc.h"

/* The root of i's tree; the path to it is halved on the way. */
static int32_t find(int32_t *parent, int32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

/* Couplings of a matrix, not pixels of a picture: image/connected_components.h fills areas, here two unknowns that
 * share a window belong together, also across a gap. */
mb_status mb_components(const mb_task *task, int32_t *component, int32_t *count, const mb_symmetric *a, mb_error *err)
{
    mb_status status = MB_OK;
    int32_t *parent = mb_alloc_array((size_t)a->n, sizeof *parent);
    if (parent == NULL) {
        return mb_fail_memory(err, (size_t)a->n * sizeof *parent, "the components of the unknown band");
    }
    for (int32_t i = 0; i < a->n; i++) {
        parent[i] = i;
    }
    for (int32_t j = 0; j < a->n; j++) {
        if (j % MB_POLL_STRIDE == 0) {
            MB_TRY(mb_task_check(task, err));
        }
        for (size_t p = a->begin[j] + 1; p < a->begin[j + 1]; p++) {
            int32_t x = find(parent, j), y = find(parent, a->row[p]);
            if (x < y) {
                parent[y] = x;
            } else {
                parent[x] = y;
            }
        }
    }
    *count = 0;
    for (int32_t i = 0; i < a->n; i++) {
        int32_t root = find(parent, i);
        component[i] = root == i ? (*count)++ : component[root];
    }
done:
    mb_free(parent);
    return status;
}
