/* What pickle.c and pickle_stack.c share. */
#ifndef MB_WEIGHTS_TOOL_PICKLE_MACHINE_H
#define MB_WEIGHTS_TOOL_PICKLE_MACHINE_H

#include "pickle.h"

typedef struct machine {
    pickle *p;
    const uint8_t *start, *at, *end;
    pickle_value **stack;
    size_t n_stack, stack_capacity;
    pickle_value **memo;
    size_t memo_capacity, n_memoized;
    mb_error *err; /* never NULL */
} machine;

mb_status pickle_bad(machine *m, const char *what);     /* records "malformed: WHAT (byte N)" */
mb_status pickle_status(const machine *m);              /* of the failure that is recorded */
pickle_value *pickle_new(machine *m, pickle_kind kind); /* NULL: recorded */

mb_status pickle_push(machine *m, pickle_value *v); /* NULL: passes the recorded failure on */
pickle_value *pickle_pop(machine *m);               /* NULL: recorded; marks are not taken */
mb_status pickle_pop_mark(machine *m);              /* drops everything behind the topmost mark, and the mark */
mb_status pickle_memo_put(machine *m, uint64_t index);
mb_status pickle_memo_get(machine *m, uint64_t index);

mb_status pickle_list_add(machine *m, pickle_value *list, pickle_value *item);
mb_status pickle_tuple_of(machine *m, size_t n);        /* of the topmost n values */
mb_status pickle_collect(machine *m, pickle_kind kind); /* a new collection of what lies behind the mark */
mb_status pickle_extend(machine *m, pickle_kind kind);  /* adds what lies behind the mark to the collection before it */
mb_status pickle_append(machine *m);
mb_status pickle_set_item(machine *m);

/* pickle_names.c: pushes what a name stands for, or refuses it by name. */
mb_status pickle_push_name(machine *m, const char *module, size_t nm, const char *name, size_t nn);
mb_status pickle_refuse_name(machine *m, const char *module, size_t nm, const char *name, size_t nn);

/* pickle_build.c: REDUCE, NEWOBJ, NEWOBJ_EX, BUILD and BINPERSID. */
mb_status pickle_reduce(machine *m);
mb_status pickle_new_object(machine *m, bool with_keywords);
mb_status pickle_set_state(machine *m);
mb_status pickle_persistent_id(machine *m);

#define PICKLE_SAVE_AGAIN                                                                                              \
    "nothing was run; if the file is your own, save its weights alone: torch.save(model.state_dict(), 'weights.pth')"

#endif
