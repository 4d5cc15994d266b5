/* The inner loops for avx512 (flags: CMakeLists.txt). */
#include "panel.h"
#include "plane_row.h"
#include "shift_row.h"
#include "rows.h"
#include "attend.h"

const mb_simd mb_simd_avx512 = {
    .isa = MB_ISA_AVX512,
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
