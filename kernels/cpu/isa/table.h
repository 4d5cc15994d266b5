/* The table of inner loops for one instruction set, that of the including file's compiler flags (CMakeLists.txt).
 * MB_TABLE, MB_TABLE_ISA and MB_TABLE_STREAMING (vit_attention_<set>.c) name it. */
#include "panel.h" /* the others use its activations and tiles */

#include "attend.h"
#include "attention.h"
#include "plane_row.h"
#include "rows.h"
#include "shift_row.h"

const mb_simd MB_TABLE = {
    .isa = MB_TABLE_ISA,
    .width = MB_W,
    .tile_rows = MB_TILE_ROWS,
    .panel = panel,
    .plane_row = plane_row,
    .shift_row = shift_row,
    .attend = attend,
    .pack_keys = pack_keys,
    .pack_values = pack_values,
    .sample = sample,
    .norm = norm,
    .blend = blend,
    .add = add,
    .scale = scale,
    .activate = activate_all,
    .streaming = &MB_TABLE_STREAMING,
};
