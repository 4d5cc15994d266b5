/* Constants of a graph: weights of the file, values a pass has computed, and derived ones.
 *
 * A derived constant knows what it is made from and how (a pure function). Passes only write derivations, so
 * optimising a graph costs no arithmetic and no memory; the values are made when somebody asks for them (a kernel that
 * packs its weights), and released after. Derivations may build on derivations. */
#ifndef MB_GRAPH_CONSTANTS_H
#define MB_GRAPH_CONSTANTS_H

#include "graph/graph.h"

#define MB_DERIVED_FROM 6

/* What a derivation's function sees. */
typedef struct mb_derived {
    const float *in[MB_DERIVED_FROM]; /* contents of the constants it is made from; NULL: absent */
    int64_t in_dims[MB_DERIVED_FROM][4];
    int64_t dims[4]; /* of the result */
    int64_t at[2];
    double number;
} mb_derived;

/* Fills the rows [begin, end) of the outermost dimension of `out` (which is the whole result). Several threads do so.
 */
typedef void (*mb_derive_fn)(float *out, const mb_derived *d, int64_t begin, int64_t end);

struct mb_derivation {
    const char *how; /* a name of the function: with the rest, the key of the contents */
    mb_derive_fn fill;
    int from[MB_DERIVED_FROM]; /* constants; MB_NONE: absent */
    int n_from;
    int64_t at[2]; /* parameters of the function */
    double number;
    bool whole; /* the function needs all rows at once */
};

/* The constant of this derivation (copied); one that is there already if it has the same derivation and shape. */
int mb_graph_derive(mb_graph *g, const char *name, const int64_t dims[4], const mb_derivation *derivation);
/* A constant with contents of its own; *data is to be filled (dims' product of floats). key: tells contents apart; if
 * there is one of that key and shape already, it is returned, to be filled with the same values again. */
int mb_graph_constant(mb_graph *g, const char *name, const int64_t dims[4], uint64_t key, float **data);
uint64_t mb_graph_key(const mb_graph *g, const char *how, const int *values, int n_values);

/* The contents of a constant in f32, made or converted now if need be (by the threads of `pool`, which may be NULL);
 * valid until mb_graph_release_derived. NULL after an error. */
const float *mb_graph_floats(mb_graph *g, int value, mb_pool *pool);
/* Releases whatever can be made again, and gives pages of the file that were read back to the system. The memory serves
 * the next constants (fresh memory costs more than filling it) until the free list is cleared. */
void mb_graph_release_derived(mb_graph *g);
void mb_graph_clear_free_list(mb_graph *g);

#endif
