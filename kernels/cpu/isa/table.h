/* The tables of inner loops for one instruction set, that of the including file's compiler flags (CMakeLists.txt): with
 * products in f32, and with those of a set of bf16 loops. */
#include "bf16.h"
#include "panel.h" /* the others use its activations and tiles */

#include "attend.h"
#include "attention.h"
#include "peak.h"
#include "plane_row.h"
#include "rows.h"
#include "shift_row.h"
#include "winograd.h"

#define MB_TABLE(isa_, streaming_, bf16_)                                                                              \
    {                                                                                                                  \
        .isa = (isa_), .bf16 = (bf16_), .width = MB_W, .tile_rows = MB_TILE_ROWS, .panel = panel,                      \
        .plane_row = plane_row, .shift_row = shift_row, .attend = attend, .pack_keys = pack_keys,                      \
        .pack_values = pack_values, .sample = sample, .norm = norm, .blend = blend, .taps = taps, .larger = larger,    \
        .add = add, .scale = scale, .activate = activate_all, .gate = gate_all, .rotate = rotate, .peak = peak,        \
        .streaming = (streaming_), .winograd_in = winograd_in, .winograd_out = winograd_out,                           \
    }
