/* The inner loops for generic (flags: CMakeLists.txt). */
#include "isa/panel.h"
#include "isa/plane_row.h"
#include "isa/shift_row.h"

const mb_simd mb_simd_generic = {
    .isa = MB_ISA_GENERIC,
    .width = MB_W,
    .tile_rows = MB_TILE_ROWS,
    .panel = panel,
    .plane_row = plane_row,
    .shift_row = shift_row,
    .activate = activate_all,
};
