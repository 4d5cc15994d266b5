/* Attention as several passes read it. */
#include "graph/passes/passes.h"

/* NULL where the maps between are read by others too. rotary: q and k are turned on the way. */
mb_node *mb_attention_qkv(mb_graph *g, const mb_node *attention, bool *rotary)
{
    const mb_node *turn = mb_graph_sole_producer(g, attention->in[0], MB_OP_rotary_embedding);
    *rotary = turn != NULL;
    return mb_graph_sole_producer(g, turn != NULL ? turn->in[0] : attention->in[0], MB_OP_linear);
}
