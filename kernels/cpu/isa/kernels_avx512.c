/* The inner loops for avx512 (flags: CMakeLists.txt). */
#include "panel.h"

const mb_simd mb_simd_avx512 = {
    .isa = MB_ISA_AVX512,
    .width = MB_W,
    .tile_rows = MB_TILE_ROWS,
    .panel = panel,
    .activate = activate_all,
};
