/* Growing lists of expected tensors. Adding cannot fail visibly: an architecture lists some hundred tensors in a row,
 * and a check behind each call would hide the list. Instead `failed` stays set, and whoever asked for the list looks
 * at it once. */
#include "spec.h"

#include "core/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void spec_list_dispose(spec_list *l)
{
    mb_free(l->v);
    *l = (spec_list){0};
}

/* The name is a printf format. Derived integers (indices, counters) are marked as ignored at once, as every
 * architecture treats them so. */
void spec_add(spec_list *l, spec_kind kind, const int64_t dims[4], const char *format, ...)
{
    if (l->n == l->capacity) {
        size_t capacity = l->capacity == 0 ? 256 : l->capacity * 2;
        tensor_spec *p = l->failed ? NULL : mb_realloc_array(l->v, capacity, sizeof *p);
        if (p == NULL) {
            l->failed = true;
            return;
        }
        l->v = p;
        l->capacity = capacity;
    }
    tensor_spec *t = &l->v[l->n++];
    *t = (tensor_spec){.kind = kind, .ignored = kind == SPEC_INDEX || kind == SPEC_COUNTER};
    while (t->rank < 4 && dims[t->rank] != 0) {
        t->dims[t->rank] = dims[t->rank];
        t->rank++;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(t->name, sizeof t->name, format, args); /* the longest official name has 86 characters */
    va_end(args);
}

/* Weight and bias of a convolution or linear layer. The bias of an offset convolution is a kind of its own: generated
 * weights give it another amplitude. */
void spec_add_pair(spec_list *l, spec_kind kind, const int64_t dims[4], const char *prefix)
{
    spec_add(l, kind, dims, "%s.weight", prefix);
    spec_add(l, kind == SPEC_OFFSET ? SPEC_OFFSET_BIAS : SPEC_BIAS, (int64_t[4]){dims[0]}, "%s.bias", prefix);
}

void spec_add_layer_norm(spec_list *l, int64_t channels, const char *prefix)
{
    spec_add(l, SPEC_NORM_WEIGHT, (int64_t[4]){channels}, "%s.weight", prefix);
    spec_add(l, SPEC_NORM_BIAS, (int64_t[4]){channels}, "%s.bias", prefix);
}

/* torch registers weight and bias, then the two running statistics, then the counter: the order of the state dict. */
void spec_add_batch_norm(spec_list *l, int64_t channels, const char *prefix)
{
    spec_add_layer_norm(l, channels, prefix);
    spec_add(l, SPEC_BN_MEAN, (int64_t[4]){channels}, "%s.running_mean", prefix);
    spec_add(l, SPEC_BN_VAR, (int64_t[4]){channels}, "%s.running_var", prefix);
    spec_add(l, SPEC_COUNTER, (int64_t[4]){0}, "%s.num_batches_tracked", prefix);
}
