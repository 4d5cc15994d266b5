/* The inner loops for avx2 (flags: CMakeLists.txt). */
#include "panel.h"
#include "plane_row.h"
#include "shift_row.h"

const mb_simd mb_simd_avx2 = {
    .isa = MB_ISA_AVX2,
    .width = MB_W,
    .tile_rows = MB_TILE_ROWS,
    .panel = panel,
    .plane_row = plane_row,
    .shift_row = shift_row,
    .activate = activate_all,
};
