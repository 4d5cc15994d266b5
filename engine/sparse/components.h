/* Connected components of a symmetric sparse matrix. */
#ifndef MB_SPARSE_COMPONENTS_H
#define MB_SPARSE_COMPONENTS_H

#include "sparse/symmetric.h"

/* component[i] in [0, *count) for every row, numbered by their smallest row. */
MB_MUST_CHECK mb_status mb_components(const mb_task *task, int32_t *component, int32_t *count, const mb_symmetric *a,
                                      mb_error *err);

#endif
