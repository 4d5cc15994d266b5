/* Products in bf16 for NEON without BFMMLA: operands are widened again, which is right but no faster than f32. */
#define MB_NEON      1
#define MB_BF16_UNIT 2
#include "bf16_widen.h"

#include "bf16_panel.h"
#include "bf16_table.h"

const mb_bf16_loops mb_bf16_neon = MB_BF16_TABLE("bf16_neon", MB_BF16_TILE_ROWS, NULL, NULL);
