/* The pickle machine's values, stack, memo and collections. All memory of the machine is asked for here, so the limits
 * stand here too: a pickle of a few bytes can ask for memo number four billion. */
#include "pickle_machine.h"

#include "core/alloc.h"

#include <string.h>

#define MAX_VALUES 2000000u
#define MAX_STACK  1000000u
#define MAX_MEMO   1000000u
#define MAX_ITEMS  8000000u

/* The byte is the place behind what was read last: enough to find the operation with python -m pickletools. */
mb_status pickle_bad(machine *m, const char *what)
{
    return mb_fail(m->err, MB_E_FORMAT, "its pickle is malformed: %s (byte %zu)", what, (size_t)(m->at - m->start));
}

/* ---- values, stack, memo */

/* All values are on one list and freed together: a pickle may refer to a value from several places, and in circles. */
pickle_value *pickle_new(machine *m, pickle_kind kind)
{
    if (m->p->n_values >= MAX_VALUES) {
        (void)pickle_bad(m, "more values than a checkpoint has any use for");
        return NULL;
    }
    pickle_value *v = mb_calloc(1, sizeof *v);
    if (v == NULL) {
        (void)mb_fail_memory(m->err, sizeof *v, "a pickle");
        return NULL;
    }
    v->kind = kind;
    v->next = m->p->all;
    m->p->all = v;
    m->p->n_values++;
    return v;
}

/* The code of the failure that a helper returning NULL or false has recorded. */
mb_status pickle_status(const machine *m)
{
    return m->err != NULL && m->err->code != MB_OK ? m->err->code : MB_E_FORMAT;
}

/* Passing NULL on saves each caller a check: push(new(...)) fails with what new recorded. */
mb_status pickle_push(machine *m, pickle_value *v)
{
    if (v == NULL) {
        return pickle_status(m);
    }
    if (m->n_stack == m->stack_capacity) {
        size_t capacity = m->stack_capacity == 0 ? 256 : m->stack_capacity * 2;
        pickle_value **p = capacity <= 2 * MAX_STACK ? mb_realloc_array(m->stack, capacity, sizeof *p) : NULL;
        if (p == NULL) {
            return capacity > 2 * MAX_STACK ? pickle_bad(m, "its stack is too deep")
                                            : mb_fail_memory(m->err, capacity, "a pickle");
        }
        m->stack = p;
        m->stack_capacity = capacity;
    }
    m->stack[m->n_stack++] = v;
    return MB_OK;
}

/* The topmost value, taken; NULL (with a message) when there is none or it is a mark. */
pickle_value *pickle_pop(machine *m)
{
    if (m->n_stack == 0 || m->stack[m->n_stack - 1]->kind == PICKLE_MARK) {
        (void)pickle_bad(m, "its stack is empty");
        return NULL;
    }
    return m->stack[--m->n_stack];
}

/* An object that takes items is a list or dict of its own class: it becomes one. Its attributes would come after them,
 * so there is none yet. */
static void as_collection(pickle_value *v, pickle_kind kind)
{
    if (v->kind == PICKLE_OPAQUE && v->u.list.n == 0) {
        v->kind = kind;
    }
}

/* The topmost value, left in its place, when it is a collection of that kind. */
static pickle_value *top(machine *m, pickle_kind kind)
{
    if (m->n_stack > 0) {
        as_collection(m->stack[m->n_stack - 1], kind);
    }
    if (m->n_stack == 0 || m->stack[m->n_stack - 1]->kind != kind) {
        (void)pickle_bad(m, "a value is not what the operation needs");
        return NULL;
    }
    return m->stack[m->n_stack - 1];
}

/* The list holds pointers only; an item may be in several lists. All lists together are bounded by the pickle's own size,
 * for an item takes at least one byte of it, and copies are made once: a dict made of itself twice would double with
 * every few bytes. */
mb_status pickle_list_add(machine *m, pickle_value *list, pickle_value *item)
{
    if (m->p->n_items >= MAX_ITEMS || m->p->n_items >= 1024 + 4 * (size_t)(m->end - m->start)) {
        return pickle_bad(m, "more items than a checkpoint has any use for");
    }
    m->p->n_items++;
    if (list->u.list.n == list->u.list.capacity) {
        size_t capacity = list->u.list.capacity == 0 ? 4 : list->u.list.capacity * 2;
        pickle_value **p = mb_realloc_array(list->u.list.items, capacity, sizeof *p);
        if (p == NULL) {
            return mb_fail_memory(m->err, capacity * sizeof *p, "a pickle");
        }
        list->u.list.items = p;
        list->u.list.capacity = capacity;
    }
    list->u.list.items[list->u.list.n++] = item;
    return MB_OK;
}

/* Index behind the topmost mark; SIZE_MAX: no mark. The search goes down the stack, as Python's does; a pickle that
 * opens marks without closing them is bounded by the limit on operations. */
static size_t behind_mark(machine *m)
{
    for (size_t i = m->n_stack; i > 0; i--) {
        if (m->stack[i - 1]->kind == PICKLE_MARK) {
            return i;
        }
    }
    (void)pickle_bad(m, "a mark is missing");
    return SIZE_MAX;
}

/* Moves what lies behind the topmost mark into `list` and takes the mark away. */
static mb_status take_marked(machine *m, pickle_value *list, size_t first)
{
    for (size_t i = first; i < m->n_stack; i++) {
        mb_status status = pickle_list_add(m, list, m->stack[i]);
        if (status != MB_OK) {
            return status;
        }
    }
    m->n_stack = first - 1;
    return MB_OK;
}

/* PUT leaves the value on the stack. The limits on the index come before the allocation: LONG_BINPUT may name any 32-bit
 * number. Picklers count from 0 or 1, and every value that is counted took a byte at least, so a number beyond the bytes
 * read so far is none that a pickler wrote, and ten bytes cannot ask for megabytes. */
mb_status pickle_memo_put(machine *m, uint64_t index)
{
    if (m->n_stack == 0 || m->stack[m->n_stack - 1]->kind == PICKLE_MARK || index >= MAX_MEMO ||
        index >= (uint64_t)(m->at - m->start)) {
        return pickle_bad(m, "a memo is out of its bounds");
    }
    if (index >= m->memo_capacity) {
        size_t capacity = m->memo_capacity == 0 ? 256 : m->memo_capacity * 2;
        capacity = capacity <= index ? (size_t)index + 1 : capacity;
        pickle_value **p = mb_realloc_array(m->memo, capacity, sizeof *p);
        if (p == NULL) {
            return mb_fail_memory(m->err, capacity * sizeof *p, "a pickle");
        }
        /* NULL marks numbers that were never written. */
        memset(p + m->memo_capacity, 0, (capacity - m->memo_capacity) * sizeof *p);
        m->memo = p;
        m->memo_capacity = capacity;
    }
    m->memo[index] = m->stack[m->n_stack - 1];
    return MB_OK;
}

mb_status pickle_memo_get(machine *m, uint64_t index)
{
    if (index >= m->memo_capacity || m->memo[index] == NULL) {
        return pickle_bad(m, "a memo is read before it is written");
    }
    return pickle_push(m, m->memo[index]);
}

/* ---- collections */

/* TUPLE1 to TUPLE3: the topmost n values, of which none may be a mark. */
mb_status pickle_tuple_of(machine *m, size_t n)
{
    pickle_value *v = pickle_new(m, PICKLE_TUPLE);
    if (v == NULL) {
        return pickle_status(m);
    }
    if (m->n_stack < n) {
        return pickle_bad(m, "its stack is empty");
    }
    for (size_t i = m->n_stack - n; i < m->n_stack; i++) {
        if (m->stack[i]->kind == PICKLE_MARK) {
            return pickle_bad(m, "its stack is empty");
        }
        mb_status status = pickle_list_add(m, v, m->stack[i]);
        if (status != MB_OK) {
            return status;
        }
    }
    m->n_stack -= n;
    return pickle_push(m, v);
}

/* TUPLE, LIST, FROZENSET, DICT: a new collection of what lies behind the mark. A dict takes its items as key, value,
 * key, value, so their number must be even. */
mb_status pickle_collect(machine *m, pickle_kind kind)
{
    size_t first = behind_mark(m);
    pickle_value *v = first != SIZE_MAX ? pickle_new(m, kind) : NULL;
    if (v == NULL) {
        return pickle_status(m);
    }
    if (kind == PICKLE_DICT && (m->n_stack - first) % 2 != 0) {
        return pickle_bad(m, "a key without a value");
    }
    mb_status status = take_marked(m, v, first);
    return status != MB_OK ? status : pickle_push(m, v);
}

/* APPENDS, ADDITEMS, SETITEMS: adds what lies behind the mark to the collection before it. An opaque object that takes
 * items is an instance of a subclass of list or dict, and becomes one. */
mb_status pickle_extend(machine *m, pickle_kind kind)
{
    size_t first = behind_mark(m);
    if (first == SIZE_MAX) {
        return pickle_status(m);
    }
    if (first >= 2) {
        as_collection(m->stack[first - 2], kind);
    }
    if (first < 2 || m->stack[first - 2]->kind != kind) {
        return pickle_bad(m, "items for something that is no collection");
    }
    if (kind == PICKLE_DICT && (m->n_stack - first) % 2 != 0) {
        return pickle_bad(m, "a key without a value");
    }
    return take_marked(m, m->stack[first - 2], first);
}

/* APPEND: one item for the list below it. */
mb_status pickle_append(machine *m)
{
    pickle_value *item = pickle_pop(m), *list = item != NULL ? top(m, PICKLE_TUPLE) : NULL;
    return list != NULL ? pickle_list_add(m, list, item) : pickle_status(m);
}

/* SETITEM: one key and value for the dict below them. A key may come twice; the walk over the tree then meets both,
 * and two tensors of one name are refused when their index is built. */
mb_status pickle_set_item(machine *m)
{
    pickle_value *value = pickle_pop(m), *key = value != NULL ? pickle_pop(m) : NULL,
                 *dict = key != NULL ? top(m, PICKLE_DICT) : NULL;
    if (dict == NULL) {
        return pickle_status(m);
    }
    mb_status status = pickle_list_add(m, dict, key);
    return status != MB_OK ? status : pickle_list_add(m, dict, value);
}

/* POP_MARK: everything above the topmost mark, and the mark itself. */
mb_status pickle_pop_mark(machine *m)
{
    size_t first = behind_mark(m);
    if (first == SIZE_MAX) {
        return pickle_status(m);
    }
    m->n_stack = first - 1;
    return MB_OK;
}
