/* Products in bf16 by TDPBF16PS. The process has asked for tile data (core/cpu.c) before this is called. */
#define MB_BF16_UNIT    32
#define MB_BF16_FLUSHES 1
#include "bf16_finish.h"

typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_config;

static void begin(void)
{
    tile_config c = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        c.row_bytes[i] = 64;
        c.rows[i] = 16;
    }
    _tile_loadconfig(&c);
}

/* Live tiles make every switch of threads dearer. */
static void end(void)
{
    _tile_release();
}

#define TILE_STATE
#define TILE_ZERO(t) _tile_zero(t)
/* As _tile_loadd and _tile_stored, which GCC 12 gives the step as a `long`: 32 bits on Windows, not what they take. */
#define TILE_ASM(text, address, step)                                                                                  \
    __asm__ volatile(text ::"r"((const void *)(address)), "r"((size_t)(step)) : "memory")
#define TILE_LOAD(t, from, step) TILE_ASM("tileloadd\t(%0,%1,1), %%tmm" #t, from, step)
#define TILE_STORE(t, to, step)  TILE_ASM("tilestored\t%%tmm" #t ", (%0,%1,1)", to, step)
#define TILE_MULTIPLY(c, a, b)   _tile_dpbf16ps(c, a, b)
#include "bf16_tiles.h"
#include "bf16_table.h"

const mb_bf16_loops mb_bf16_amx = MB_BF16_TABLE("amx", 2 * MB_TILE, begin, end);
