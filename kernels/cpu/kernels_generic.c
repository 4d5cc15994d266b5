/* The inner loops for generic (flags: CMakeLists.txt). */
#include "isa/panel.h"
#include "isa/plane_row.h"
#include "isa/shift_row.h"
#include "isa/rows.h"
#include "isa/attend.h"

const mb_simd mb_simd_generic = {
    .isa = MB_ISA_GENERIC,
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
};
