/* BiRefNet under the names of the nobg library: a Swin as transformers has it, lists in place of numbered modules. */
#ifndef MB_WEIGHTS_TOOL_NOBG_NAMES_H
#define MB_WEIGHTS_TOOL_NOBG_NAMES_H

#include <stdbool.h>

#define NOBG_FORMS 6 /* the most names that one of ours has there: query, key and value, old and new */
#define NOBG_NAME  200

/* Does the name belong to such a file? It begins with what ours never begin with. */
bool nobg_has(const char *name);
/* Our name of one of its tensors; queries, keys and values become ...attn.{q,k,v}. A new string (mb_free) in every
 * case, NULL: no memory. */
char *nobg_to_ours(const char *name);
/* What a tensor of ours may be called there; how many names. */
int nobg_from_ours(char forms[NOBG_FORMS][NOBG_NAME], const char *name);

#endif
