/* Names of tensors as inference uses them. */
#ifndef MB_WEIGHTS_TOOL_NAMES_H
#define MB_WEIGHTS_TOOL_NAMES_H

/* Without the prefixes that training wrappers leave ("module.", "_orig_mod.", in any order); points into `name`. */
const char *names_strip(const char *name);

/* VITMatte: from the original repository's names to the hub's. A new string (mb_free), NULL: no memory. */
char *names_vitmatte_to_hub(const char *name);
char *names_vitmatte_to_original(const char *name); /* the other way round */

#endif
