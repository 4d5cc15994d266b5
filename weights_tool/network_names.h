/* The tensor names of the networks that are known: what tells a model's tensors from all others in a file, and
 * wrappers' additions to its names from the names themselves. */
#ifndef MB_WEIGHTS_TOOL_NETWORK_NAMES_H
#define MB_WEIGHTS_TOOL_NETWORK_NAMES_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

#define NETWORK_MAX_COMPONENTS 40

typedef struct network_names network_names;

MB_MUST_CHECK mb_status network_names_create(network_names **out, mb_error *err);
void network_names_free(network_names *n);

/* Where a known name stands in a tensor's name. */
typedef struct network_match {
    size_t prefix; /* bytes before it, closing dot included */
    int n_dropped; /* components in its middle that belong to no known name: wrappers, if they hold all of their module
                    */
    struct {
        size_t at, n; /* bytes of the component in the tensor's name */
    } dropped[8];
    char name[160]; /* the known name */
} network_match;

/* False: the name holds none. The first place where one fits is taken; its last component is never dropped. */
bool network_names_find(const network_names *n, const char *name, network_match *m);
/* Is this the first component of a known name ("bb", "backbone", "decoder")? */
bool network_names_begin(const network_names *n, const char *name);

#endif
