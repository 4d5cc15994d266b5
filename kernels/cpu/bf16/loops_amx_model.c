/* The bf16 products of AMX, modelled in C: the driver of the tiles is that of isa/bf16_amx.c. */
#define MB_BF16_UNIT    32
#define MB_BF16_FLUSHES 1
#include "../isa/bf16_finish.h"
#include "../isa/bf16_model.h"

/* Tile registers of one thread: 16 rows of 64 bytes. */
typedef struct tile_registers {
    unsigned char bytes[8][16][64];
} tile_registers;

static void model_move(unsigned char *to, size_t to_step, const unsigned char *from, size_t from_step)
{
    for (int r = 0; r < 16; r++) {
        memcpy(to + (size_t)r * to_step, from + (size_t)r * from_step, 64);
    }
}

/* c += a . b: chains of the even and of the odd elements, from zero, then both, then c. */
static void model_multiply(tile_registers *t, int c, int a, int b)
{
    for (int m = 0; m < 16; m++) {
        uint16_t row[32];
        memcpy(row, t->bytes[a][m], sizeof row);
        for (int n = 0; n < 16; n++) {
            float even = 0, odd = 0, sum;
            for (int k = 0; k < 16; k++) {
                uint16_t pair[2];
                memcpy(pair, t->bytes[b][k] + 4 * n, sizeof pair);
                even = bf16_fma(row[2 * k], pair[0], even);
                odd = bf16_fma(row[2 * k + 1], pair[1], odd);
            }
            memcpy(&sum, t->bytes[c][m] + 4 * n, sizeof sum);
            sum = bf16_flush(bf16_flush(sum) + bf16_flush(even + odd));
            memcpy(t->bytes[c][m] + 4 * n, &sum, sizeof sum);
        }
    }
}

#define TILE_STATE   tile_registers tiles
#define TILE_ZERO(t) memset(tiles.bytes[t], 0, sizeof tiles.bytes[t])
#define TILE_LOAD(t, from, step)                                                                                       \
    model_move(&tiles.bytes[t][0][0], 64, (const unsigned char *)(const void *)(from), step)
#define TILE_STORE(t, to, step) model_move((unsigned char *)(void *)(to), step, &tiles.bytes[t][0][0], 64)
#define TILE_MULTIPLY(c, a, b)  model_multiply(&tiles, c, a, b)
#include "../isa/bf16_tiles.h"
#include "../isa/bf16_table.h"

const mb_bf16_loops mb_bf16_amx_model = MB_BF16_TABLE("amx_model", 2 * MB_TILE, NULL, NULL);
