/* Recording a model: scopes carry the prefix of weight names, and every node gets its scope as its name. */
#ifndef MB_GRAPH_BUILD_H
#define MB_GRAPH_BUILD_H

#include "graph/graph.h"

typedef struct mb_scope {
    mb_graph *g;
    const char *path;  /* "decoder.decoder_block4"; "" at the top: the prefix of weight names */
    const char *label; /* put in front of node names, where two runs of one module share their weights; "" mostly */
} mb_scope;

typedef struct mb_value {
    int id; /* MB_NONE after an error, or where an optional input is absent */
} mb_value;

#define MB_ABSENT ((mb_value){MB_NONE})

mb_scope mb_scope_top(mb_graph *g);
mb_scope mb_labelled(mb_scope s, const char *label);
mb_scope mb_sub(mb_scope s, const char *name);               /* "path.name" */
mb_scope mb_sub_index(mb_scope s, const char *name, int i);  /* "path.name.3" */
mb_scope mb_sub_number(mb_scope s, const char *name, int i); /* "path.name3" */

bool mb_scope_has(mb_scope s, const char *name);            /* is there a tensor "path.name"? */
mb_value mb_weight(mb_scope s, const char *name);           /* the tensor "path.name" */
mb_value mb_weight_if(mb_scope s, const char *name);        /* absent if there is none */
const int64_t *mb_dims(mb_scope s, mb_value v);             /* [N,C,H,W]; all 1 after an error */
void mb_tap_name(mb_scope s, const char *name, mb_value v); /* a second name, for parity checks */

/* Any op: the node is called s.path; `in` ends at n_in, absent optional inputs allowed. */
mb_value mb_record(mb_scope s, mb_op op, const mb_attrs *attrs, const mb_value *in, int n_in);

#endif
