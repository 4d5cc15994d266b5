/* The inner loops of streaming attention for every processor. */
#include "isa/attention_loops.h"

const mb_attention_loops mb_attention_generic = MB_ATTENTION_LOOPS;
