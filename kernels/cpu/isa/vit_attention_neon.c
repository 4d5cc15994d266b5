/* Streaming attention for NEON. */
#define MB_NEON 1
#include "attention_loops.h"

const mb_attention_loops mb_attention_neon = MB_ATTENTION_LOOPS;
