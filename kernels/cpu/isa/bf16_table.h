/* The table of bf16 loops of the including file, behind its panel() and MB_BF16_UNIT. */
#include "bf16_attend.h"

#define MB_BF16_TABLE(name_, rows_, begin_, end_)                                                                      \
    {                                                                                                                  \
        .name = (name_), .unit = MB_BF16_UNIT, .tile_rows = (rows_), .narrow = narrow, .begin = (begin_),              \
        .end = (end_), .panel = panel, .attend_pack = attend_pack, .attend = attend, .peak = peak,                     \
    }
