/* The decoders' allocator: a doubly linked list of blocks, see budget.h. */
#include "image/codec/budget.h"

#include "core/alloc.h"

#include <stdint.h>
#include <string.h>

/* In front of every block; its size is a multiple of 16, so the contents stay aligned. */
struct mb_budget_block {
    mb_budget_block *next, *previous;
    size_t bytes;
    size_t unused;
};

_Static_assert(sizeof(mb_budget_block) % 16 == 0, "contents must stay aligned");

void mb_budget_init(mb_budget *b, size_t limit)
{
    *b = (mb_budget){.limit = limit};
}

/* The block goes to the front of the list; its head lies before the bytes that are handed out. */
void *mb_budget_alloc(mb_budget *b, size_t bytes)
{
    size_t all;
    if (b->used > b->limit || bytes > b->limit - b->used) { /* the limit may have been lowered */
        b->exceeded = true;
        return NULL;
    }
    mb_budget_block *block = mb_add_size(&all, bytes, sizeof *block) ? mb_calloc(1, all) : NULL;
    if (block == NULL) {
        b->starved = true;
        return NULL;
    }
    block->bytes = bytes;
    block->next = b->first;
    if (b->first != NULL) {
        b->first->previous = block;
    }
    b->first = block;
    b->used += bytes;
    b->peak = b->used > b->peak ? b->used : b->peak;
    return block + 1;
}

/* Takes the block out of the list, from anywhere. */
void mb_budget_free(mb_budget *b, void *p)
{
    if (p == NULL) {
        return;
    }
    mb_budget_block *block = (mb_budget_block *)p - 1;
    if (block->previous != NULL) {
        block->previous->next = block->next;
    } else {
        b->first = block->next;
    }
    if (block->next != NULL) {
        block->next->previous = block->previous;
    }
    b->used -= block->bytes;
    mb_free(block);
}

/* Always a new block: decoders grow rarely, and the old contents stay valid when this fails. */
void *mb_budget_realloc(mb_budget *b, void *p, size_t bytes)
{
    if (p == NULL) {
        return mb_budget_alloc(b, bytes);
    }
    size_t old = ((mb_budget_block *)p - 1)->bytes;
    void *q = mb_budget_alloc(b, bytes);
    if (q != NULL) {
        memcpy(q, p, old < bytes ? old : bytes);
        mb_budget_free(b, p);
    }
    return q;
}

/* What a decoder that was left by longjmp could not free. */
void mb_budget_release(mb_budget *b)
{
    while (b->first != NULL) {
        mb_budget_block *next = b->first->next;
        mb_free(b->first);
        b->first = next;
    }
    b->used = 0;
}
