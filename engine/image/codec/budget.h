/* Memory of decoders: every byte they ask for comes from here, zeroed, counted against a limit, and on a list, so that
 * a decoder that is left by longjmp cannot leak and one that is lied to cannot take the machine's memory. */
#ifndef MB_IMAGE_CODEC_BUDGET_H
#define MB_IMAGE_CODEC_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

typedef struct mb_budget_block mb_budget_block;

typedef struct mb_budget {
    size_t limit, used, peak; /* bytes handed out */
    bool exceeded;            /* a request was refused for its size (not for lack of memory) */
    bool starved;             /* the system had no memory for a request: what came of it is no fault of the file */
    mb_budget_block *first;
} mb_budget;

void mb_budget_init(mb_budget *b, size_t limit);
/* Zeroed and 16-byte aligned; NULL when over the limit or out of memory. */
void *mb_budget_alloc(mb_budget *b, size_t bytes);
/* Like realloc; the new part is zeroed. `p` stays valid when NULL is returned. */
void *mb_budget_realloc(mb_budget *b, void *p, size_t bytes);
void mb_budget_free(mb_budget *b, void *p); /* NULL is fine */
/* Frees whatever is still there. */
void mb_budget_release(mb_budget *b);

#endif
