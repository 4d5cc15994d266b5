/* Numbers of an architecture from a model file's metadata (docs/format.md, arch.*). */
#ifndef MB_MODELS_META_H
#define MB_MODELS_META_H

#include "weights/reader.h"

/* "2,2,18,2" under `key` -> out; how many numbers there are, or -1 (absent, malformed, more than `most`, outside
 * least..limit). An empty text is a list of none. */
int mb_meta_list(int *out, int most, const mb_weights *w, const char *key, long least, long limit);
bool mb_meta_number(int *out, const mb_weights *w, const char *key, long least, long limit);
bool mb_meta_flag(bool *out, const mb_weights *w, const char *key); /* "0" or "1" */
/* n numbers such as "0.485,0.456,0.406" under `key`, each the float nearest to its decimal text; one number alone
 * counts for all n. Numbers as mb_text_number reads them, whatever the locale. */
bool mb_meta_floats(float *out, int n, const mb_weights *w, const char *key);

#endif
