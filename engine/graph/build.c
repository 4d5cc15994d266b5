/* Recording: scopes and the one generic call behind the blocks of models/nn.c. */
#include "graph/build.h"

/* The scope of the whole model: no prefix. */
mb_scope mb_scope_top(mb_graph *g)
{
    return (mb_scope){g, "", ""};
}

/* The same weights under names that tell two passes apart. */
mb_scope mb_labelled(mb_scope s, const char *label)
{
    s.label = label;
    return s;
}

static mb_scope scope_of(mb_scope s, const char *path)
{
    s.path = path != NULL ? path : "";
    return s;
}

/* "a" in the scope "b" is "b.a": the names of the published state dicts. */
mb_scope mb_sub(mb_scope s, const char *name)
{
    return scope_of(s, s.path[0] == '\0' ? mb_graph_text(s.g, "%s", name) : mb_graph_text(s.g, "%s.%s", s.path, name));
}

/* "name.3": an element of a list of modules. */
mb_scope mb_sub_index(mb_scope s, const char *name, int i)
{
    mb_scope sub = mb_sub(s, name);
    return scope_of(s, mb_graph_text(s.g, "%s.%d", sub.path, i));
}

/* "name3": modules that are numbered by their names. */
mb_scope mb_sub_number(mb_scope s, const char *name, int i)
{
    mb_scope sub = mb_sub(s, name);
    return scope_of(s, mb_graph_text(s.g, "%s%d", sub.path, i));
}

bool mb_scope_has(mb_scope s, const char *name)
{
    const char *full = mb_sub(s, name).path;
    return mb_graph_has_weight(s.g, full);
}

/* A weight that has to be there: else the graph fails with its name. */
mb_value mb_weight(mb_scope s, const char *name)
{
    return (mb_value){mb_graph_weight(s.g, mb_sub(s, name).path)};
}

/* MB_ABSENT where the file has none, e.g. a bias. */
mb_value mb_weight_if(mb_scope s, const char *name)
{
    return mb_scope_has(s, name) ? mb_weight(s, name) : MB_ABSENT;
}

/* Shape of a value; ones after an error, so that recording goes on without crashing. */
const int64_t *mb_dims(mb_scope s, mb_value v)
{
    static const int64_t none[4] = {1, 1, 1, 1};
    return v.id >= 0 ? s.g->values[v.id].dims : none;
}

/* A name of the specification for a value, by which goldens and callers ask for it. */
void mb_tap_name(mb_scope s, const char *name, mb_value v)
{
    mb_graph_tap(s.g, mb_graph_text(s.g, "%s", name), v.id);
}

/* Adds the node under the scope's path, with its label in front: "half:" tells the two passes of a backbone apart. */
mb_value mb_record(mb_scope s, mb_op op, const mb_attrs *attrs, const mb_value *in, int n_in)
{
    int ids[MB_MAX_INPUTS];
    for (int i = 0; i < n_in; i++) {
        ids[i] = in[i].id;
    }
    const char *name = s.label[0] == '\0' ? s.path : mb_graph_text(s.g, "%s%s", s.label, s.path);
    return (mb_value){mb_graph_node(s.g, op, name, attrs, ids, n_in, -1)};
}
