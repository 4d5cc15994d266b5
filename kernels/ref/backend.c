/* The back end of plain kernels: one per op. */
#include "ref.h"

/* Every op has one: a row without it does not link. */
void mb_backend_ref(mb_backend *out)
{
    *out = (mb_backend){.name = "ref"};
#define MB_OP(name, ...) out->kernels[MB_OP_##name][0] = &mb_ref_##name;
#include "ops.def"
#undef MB_OP
}
