/* Activations and additions join the convolution, linear layer or resize that produces their input:
 *
 *   act(conv(x) + b) and conv(x) + b + y, up(x) + y are one node each, written once.
 *
 * The order inside a node is act(product + bias + addend), so an addition joins only before an activation has. */
#include "graph/passes/passes.h"

/* Where a node keeps the activation of its result; NULL: its op has none (ops.def). */
static mb_activation *activation_of(mb_node *n)
{
    int offset = mb_op_get_rule(n->op)->act_offset;
    return offset >= 0 ? (void *)(n->attrs.bytes + offset) : NULL;
}

/* The node whose epilogue may take over what reads `value`: its only reader. */
static mb_node *producer(mb_graph *g, int value)
{
    int at = value >= 0 ? g->values[value].producer : MB_NONE;
    if (at < 0) {
        return NULL;
    }
    const mb_op_rule *rule = mb_op_get_rule(g->nodes[at].op);
    return rule->act_offset >= 0 || rule->addend > 0 ? mb_graph_sole_producer(g, value, rule->op) : NULL;
}

/* act(n(x)): n writes the activated value, the unary node goes. */
static void fuse_activation(mb_graph *g, int unary)
{
    mb_node *n = producer(g, g->nodes[unary].in[0]);
    mb_activation *act = n != NULL ? activation_of(n) : NULL;
    if (act != NULL && *act == MB_ACT_NONE) {
        *act = g->nodes[unary].attrs.unary.act;
        mb_graph_adopt(g, n, g->nodes[unary].out);
        mb_graph_remove(g, unary);
    }
}

/* The addend has the output's whole shape. */
static bool fits(const mb_graph *g, const mb_node *n, int addend)
{
    const int64_t *a = g->values[addend].dims, *b = g->values[n->out].dims;
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* n(x) + other, n the producer of input `side`: other becomes n's addend. False: not possible. */
static bool fuse_into(mb_graph *g, int add, int side)
{
    int value = g->nodes[add].in[side], other = g->nodes[add].in[1 - side];
    mb_node *n = producer(g, value);
    int slot = n != NULL ? mb_op_get_rule(n->op)->addend : 0;
    mb_activation *act = n != NULL ? activation_of(n) : NULL;
    if (slot == 0 || (act != NULL && *act != MB_ACT_NONE) || (n->n_in > slot && n->in[slot] >= 0) ||
        !fits(g, n, other) || mb_graph_is_constant(g, other)) {
        return false;
    }
    for (int i = n->n_in; i < slot; i++) {
        n->in[i] = MB_NONE;
    }
    n->in[slot] = other;
    n->n_in = slot + 1 > n->n_in ? slot + 1 : n->n_in;
    n->position = g->nodes[add].position; /* its addend may come later than its input */
    mb_graph_adopt(g, n, g->nodes[add].out);
    mb_graph_remove(g, add);
    return true;
}

/* In the order of the graph, so that an addition has joined before the activation behind it does. Of the two inputs
 * of an addition the second is tried first. */
mb_status mb_pass_fuse_epilogue(mb_graph *g, mb_error *err)
{
    for (int i = 0; i < g->n_nodes; i++) {
        mb_node *n = &g->nodes[i];
        if (n->removed) {
            continue;
        }
        if (n->op == MB_OP_unary) {
            fuse_activation(g, i);
        } else if (n->op == MB_OP_add && n->in[0] != n->in[1]) {
            for (int side = 1; side >= 0; side--) {
                if (fuse_into(g, i, side)) { /* no cycle: the addition was the only reader of that producer */
                    break;
                }
            }
        }
    }
    return mb_graph_status(g, err);
}
