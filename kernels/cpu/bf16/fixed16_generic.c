/* Products in 16-bit integers in plain C: what tests hold the other two to. */
#include "../isa/fixed16.h"

const mb_bf16_loops mb_fixed16_generic = MB_FIXED16_TABLE("fixed16_generic");
