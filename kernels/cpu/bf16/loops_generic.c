/* Products in bf16 with the vectors that every processor has: operands are widened again, which is right but no faster
 * than f32. */
#define MB_BF16_UNIT 2
#include "../isa/bf16_widen.h"

#include "../isa/bf16_panel.h"
#include "../isa/bf16_table.h"

const mb_bf16_loops mb_bf16_generic = MB_BF16_TABLE("bf16_generic", MB_BF16_TILE_ROWS, NULL, NULL);
