/* The inner loops for generic (flags: CMakeLists.txt). */
#include "isa/panel.h"

const mb_simd mb_simd_generic = {
    .isa = MB_ISA_GENERIC,
    .width = MB_W,
    .tile_rows = MB_TILE_ROWS,
    .panel = panel,
    .activate = activate_all,
};
