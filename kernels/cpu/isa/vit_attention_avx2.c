/* The inner loops of streaming attention for avx2 (flags: CMakeLists.txt). */
#include "attention_loops.h"

const mb_attention_loops mb_attention_avx2 = MB_ATTENTION_LOOPS;
