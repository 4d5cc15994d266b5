/* The inner loops for avx2 (flags: CMakeLists.txt). */
#include "panel.h"
#include "plane_row.h"
#include "shift_row.h"
#include "rows.h"
#include "attend.h"

const mb_simd mb_simd_avx2 = {
    .isa = MB_ISA_AVX2,
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
