/* The pickle interpreter. It has no call: REDUCE and BUILD are defined for the few names of the table below, and an
 * opcode or name that is not in this file ends the reading with a message that names it. Everything is bounded. */
#include "pickle_machine.h"

#include "core/alloc.h"
#include "core/text.h"
#include "weights/safetensors.h"

#include <string.h>

#define MAX_OPCODES 10000000u
#define MAX_STRING  ((uint64_t)1 << 20)

static const struct {
    const char *module, *name;
    pickle_name is;
    int storage_type;
} allowed[] = {
    {"collections", "OrderedDict", NAME_ORDERED_DICT, 0},
    {"torch._utils", "_rebuild_tensor_v2", NAME_REBUILD_TENSOR, 0},
    {"torch._utils", "_rebuild_parameter", NAME_REBUILD_PARAMETER, 0},
    {"torch", "Size", NAME_SIZE, 0},
    {"torch", "float32", NAME_DTYPE, 0},
    {"torch", "float16", NAME_DTYPE, 0},
    {"torch", "bfloat16", NAME_DTYPE, 0},
    {"torch", "float64", NAME_DTYPE, 0},
    {"torch", "int64", NAME_DTYPE, 0},
    {"torch", "FloatStorage", NAME_STORAGE, MB_ST_F32},
    {"torch", "HalfStorage", NAME_STORAGE, MB_ST_F16},
    {"torch", "BFloat16Storage", NAME_STORAGE, MB_ST_BF16},
    {"torch", "DoubleStorage", NAME_STORAGE, MB_ST_F64},
    {"torch", "LongStorage", NAME_STORAGE, MB_ST_I64},
    {"torch", "IntStorage", NAME_STORAGE, MB_ST_I32},
    {"torch", "ShortStorage", NAME_STORAGE, MB_ST_I16},
    {"torch", "CharStorage", NAME_STORAGE, MB_ST_I8},
    {"torch", "ByteStorage", NAME_STORAGE, MB_ST_U8},
    {"torch", "BoolStorage", NAME_STORAGE, MB_ST_BOOL},
};

/* ---- arguments of opcodes */

/* Little-endian number of n bytes. */
static bool number(machine *m, int n, uint64_t *value)
{
    *value = 0;
    if (m->end - m->at < n) {
        (void)pickle_bad(m, "it ends in the middle");
        return false;
    }
    for (int i = 0; i < n; i++) {
        *value |= (uint64_t)m->at[i] << (8 * i);
    }
    m->at += n;
    return true;
}

static mb_status push_text(machine *m, int length_bytes)
{
    uint64_t n;
    if (!number(m, length_bytes, &n)) {
        return pickle_status(m);
    }
    if (n > MAX_STRING || n > (uint64_t)(m->end - m->at)) {
        return pickle_bad(m, "a string is too long");
    }
    pickle_value *v = pickle_new(m, PICKLE_BYTES);
    if (v != NULL) {
        v->u.s.text = (const char *)m->at;
        v->u.s.bytes = (size_t)n;
        m->at += n;
    }
    return pickle_push(m, v);
}

static mb_status push_integer(machine *m, pickle_kind kind, int64_t value)
{
    pickle_value *v = pickle_new(m, kind);
    if (v != NULL) {
        v->u.integer = value;
    }
    return pickle_push(m, v);
}

/* LONG1, LONG4: two's complement of n bytes. Beyond 64 bits it can only be something that we never look at. */
static mb_status push_long(machine *m, int length_bytes)
{
    uint64_t n, v = 0;
    if (!number(m, length_bytes, &n)) {
        return pickle_status(m);
    }
    if (n > 8) {
        if (n > MAX_STRING || n > (uint64_t)(m->end - m->at)) {
            return pickle_bad(m, "a number is too long");
        }
        m->at += n;
        return pickle_push(m, pickle_new(m, PICKLE_NONE));
    }
    if (!number(m, (int)n, &v)) {
        return pickle_status(m);
    }
    if (n > 0 && n < 8 && (v >> (8 * n - 1) & 1) != 0) {
        v |= ~(uint64_t)0 << (8 * n);
    }
    return push_integer(m, PICKLE_INT, (int64_t)v);
}

static mb_status push_float(machine *m)
{
    pickle_value *v = m->end - m->at >= 8 ? pickle_new(m, PICKLE_FLOAT) : NULL;
    uint64_t bits = 0;
    if (v == NULL) {
        return m->end - m->at >= 8 ? pickle_status(m) : pickle_bad(m, "it ends in the middle");
    }
    for (int i = 0; i < 8; i++) {
        bits = bits << 8 | m->at[i]; /* the one big-endian number of the format */
    }
    m->at += 8;
    memcpy(&v->u.number, &bits, sizeof bits);
    return pickle_push(m, v);
}

/* ---- names */

static bool equals(const char *text, size_t n, const char *want)
{
    return strlen(want) == n && memcmp(text, want, n) == 0;
}

static mb_status refuse_name(machine *m, const char *module, size_t nm, const char *name, size_t nn)
{
    char a[100], b[100];
    return mb_fail(m->err, MB_E_FORMAT, "asks to call \"%s.%s\"; refused\nnothing was run; get the .safetensors file",
                   mb_printable(a, sizeof a, module, nm), mb_printable(b, sizeof b, name, nn));
}

static mb_status push_global(machine *m, const char *module, size_t nm, const char *name, size_t nn)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        if (equals(module, nm, allowed[i].module) && equals(name, nn, allowed[i].name)) {
            pickle_value *v = pickle_new(m, PICKLE_GLOBAL);
            if (v != NULL) {
                v->u.global.name = allowed[i].is;
                v->u.global.storage_type = allowed[i].storage_type;
            }
            return pickle_push(m, v);
        }
    }
    return refuse_name(m, module, nm, name, nn);
}

/* GLOBAL and INST: two lines of text. */
static mb_status read_lines(machine *m, const char *line[2], size_t n[2])
{
    for (int i = 0; i < 2; i++) {
        const uint8_t *end = memchr(m->at, '\n', (size_t)(m->end - m->at));
        if (end == NULL || (uint64_t)(end - m->at) > MAX_STRING) {
            return pickle_bad(m, "it ends in the middle");
        }
        line[i] = (const char *)m->at;
        n[i] = (size_t)(end - m->at);
        m->at = end + 1;
    }
    return MB_OK;
}

static mb_status stack_global(machine *m)
{
    pickle_value *name = pickle_pop(m), *module = name != NULL ? pickle_pop(m) : NULL;
    if (module == NULL || name->kind != PICKLE_BYTES || module->kind != PICKLE_BYTES) {
        return pickle_bad(m, "a name is not a string");
    }
    return push_global(m, module->u.s.text, module->u.s.bytes, name->u.s.text, name->u.s.bytes);
}

/* ---- what may be built */

/* ('storage', StorageType, key, location, count) */
static mb_status persistent_id(machine *m)
{
    pickle_value *id = pickle_pop(m);
    if (id == NULL) {
        return pickle_status(m);
    }
    pickle_value *const *a = id->u.list.items;
    if (id->kind != PICKLE_TUPLE || id->u.list.n != 5 || a[0]->kind != PICKLE_BYTES ||
        !equals(a[0]->u.s.text, a[0]->u.s.bytes, "storage") || a[1]->kind != PICKLE_GLOBAL ||
        a[1]->u.global.name != NAME_STORAGE || a[2]->kind != PICKLE_BYTES || a[4]->kind != PICKLE_INT ||
        a[4]->u.integer < 0) {
        return pickle_bad(m, "a persistent id that is no storage");
    }
    pickle_value *v = pickle_new(m, PICKLE_STORAGE);
    if (v != NULL) {
        v->u.storage.storage_type = a[1]->u.global.storage_type;
        v->u.storage.key = a[2]->u.s.text;
        v->u.storage.key_bytes = a[2]->u.s.bytes;
        v->u.storage.count = (uint64_t)a[4]->u.integer;
    }
    return pickle_push(m, v);
}

static bool copy_integers(int64_t dst[8], int *n, const pickle_value *tuple)
{
    if (tuple->kind != PICKLE_TUPLE || tuple->u.list.n > 8) {
        return false;
    }
    *n = (int)tuple->u.list.n;
    for (int i = 0; i < *n; i++) {
        const pickle_value *v = tuple->u.list.items[i];
        if (v->kind != PICKLE_INT || v->u.integer < 0) {
            return false;
        }
        dst[i] = v->u.integer;
    }
    return true;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]) */
static mb_status rebuild_tensor(machine *m, const pickle_value *args)
{
    pickle_value *const *a = args->u.list.items;
    int n_strides;
    if (args->u.list.n < 4 || args->u.list.n > 7 || a[0]->kind != PICKLE_STORAGE || a[1]->kind != PICKLE_INT ||
        a[1]->u.integer < 0) {
        return pickle_bad(m, "a tensor is built of something else than a storage");
    }
    pickle_value *v = pickle_new(m, PICKLE_TENSOR);
    pickle_tensor *t = v != NULL ? mb_calloc(1, sizeof *t) : NULL;
    if (t == NULL) {
        return v != NULL ? mb_fail_memory(m->err, sizeof *t, "a tensor") : pickle_status(m);
    }
    v->u.tensor = t;
    t->storage_type = a[0]->u.storage.storage_type;
    t->key = a[0]->u.storage.key;
    t->key_bytes = a[0]->u.storage.key_bytes;
    t->storage_count = a[0]->u.storage.count;
    t->offset = a[1]->u.integer;
    if (!copy_integers(t->dims, &t->rank, a[2]) || !copy_integers(t->strides, &n_strides, a[3]) ||
        n_strides != t->rank) {
        return pickle_bad(m, "a tensor's size or stride is not 0 to 8 non-negative numbers");
    }
    return pickle_push(m, v);
}

static mb_status ordered_dict(machine *m, const pickle_value *args)
{
    pickle_value *dict = pickle_new(m, PICKLE_DICT);
    mb_status status = dict != NULL ? MB_OK : pickle_status(m);
    if (status == MB_OK && args->u.list.n > 0) { /* one list of pairs */
        const pickle_value *pairs = args->u.list.items[0];
        if (args->u.list.n != 1 || pairs->kind != PICKLE_TUPLE) {
            return pickle_bad(m, "an OrderedDict is made of something else than pairs");
        }
        for (size_t i = 0; i < pairs->u.list.n && status == MB_OK; i++) {
            const pickle_value *pair = pairs->u.list.items[i];
            if (pair->kind != PICKLE_TUPLE || pair->u.list.n != 2) {
                return pickle_bad(m, "an OrderedDict is made of something else than pairs");
            }
            status = pickle_list_add(m, dict, pair->u.list.items[0]);
            status = status != MB_OK ? status : pickle_list_add(m, dict, pair->u.list.items[1]);
        }
    }
    return status != MB_OK ? status : pickle_push(m, dict);
}

static mb_status reduce(machine *m)
{
    pickle_value *args = pickle_pop(m), *callee = args != NULL ? pickle_pop(m) : NULL;
    if (callee == NULL || args->kind != PICKLE_TUPLE || callee->kind != PICKLE_GLOBAL) {
        return pickle_bad(m, "a call of something that is no allowed name");
    }
    switch (callee->u.global.name) {
    case NAME_ORDERED_DICT:
        return ordered_dict(m, args);
    case NAME_REBUILD_TENSOR:
        return rebuild_tensor(m, args);
    case NAME_REBUILD_PARAMETER:
    case NAME_SIZE:
        if (args->u.list.n < 1 ||
            args->u.list.items[0]->kind != (callee->u.global.name == NAME_SIZE ? PICKLE_TUPLE : PICKLE_TENSOR)) {
            return pickle_bad(m, "a parameter or size is built of something else");
        }
        return pickle_push(m, args->u.list.items[0]);
    default:
        return pickle_bad(m, "a call of a name that is no function");
    }
}

/* BUILD: the attributes of a state dict (its _metadata) and of parameters mean nothing here; nothing else has any. */
static mb_status build(machine *m)
{
    pickle_value *state = pickle_pop(m);
    if (state == NULL || m->n_stack == 0) {
        return pickle_bad(m, "its stack is empty");
    }
    pickle_kind kind = m->stack[m->n_stack - 1]->kind;
    return kind == PICKLE_DICT || kind == PICKLE_TENSOR ? MB_OK
                                                        : pickle_bad(m, "attributes for something that has none");
}

/* ---- the opcodes */

static mb_status refuse_opcode(machine *m, uint8_t opcode)
{
    static const struct {
        uint8_t opcode;
        const char *name;
    } known[] = {
        {'i', "INST"},       {'o', "OBJ"},   {0x81, "NEWOBJ"}, {0x92, "NEWOBJ_EX"},   {0x82, "EXT1"},
        {0x83, "EXT2"},      {0x84, "EXT4"}, {'P', "PERSID"},  {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
        {0x96, "BYTEARRAY8"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].opcode == opcode) {
            return mb_fail(m->err, MB_E_FORMAT,
                           "its pickle uses %s, which no checkpoint needs; refused\n"
                           "nothing was run; get the .safetensors file",
                           known[i].name);
        }
    }
    return mb_fail(m->err, MB_E_FORMAT,
                   "its pickle has an operation (0x%02x) that no checkpoint needs; refused\n"
                   "nothing was run; get the .safetensors file",
                   (unsigned)opcode);
}

/* INST names what it would call: say that rather than the opcode. */
static mb_status refuse_inst(machine *m)
{
    const char *line[2] = {NULL, NULL};
    size_t n[2] = {0, 0};
    mb_status status = read_lines(m, line, n);
    return status != MB_OK ? status : refuse_name(m, line[0], n[0], line[1], n[1]);
}

static mb_status simple(machine *m, uint8_t opcode);

/* Opcodes with an argument in the stream. */
static mb_status step(machine *m, uint8_t opcode)
{
    uint64_t v;
    const char *line[2] = {NULL, NULL};
    size_t n[2] = {0, 0};
    mb_status status;
    switch (opcode) {
    case 0x80: /* PROTO */
        if (!number(m, 1, &v)) {
            return pickle_status(m);
        }
        return v >= 2 && v <= 5 ? MB_OK : pickle_bad(m, "a protocol other than 2 to 5");
    case 0x95: /* FRAME */
        return number(m, 8, &v) ? MB_OK : pickle_status(m);
    case 'J':
        return number(m, 4, &v) ? push_integer(m, PICKLE_INT, (int32_t)(uint32_t)v) : pickle_status(m);
    case 'K':
        return number(m, 1, &v) ? push_integer(m, PICKLE_INT, (int64_t)v) : pickle_status(m);
    case 'M':
        return number(m, 2, &v) ? push_integer(m, PICKLE_INT, (int64_t)v) : pickle_status(m);
    case 0x8a:
        return push_long(m, 1);
    case 0x8b:
        return push_long(m, 4);
    case 'G':
        return push_float(m);
    case 'X': /* strings of text or bytes, with lengths of 1, 4 or 8 bytes */
    case 'T':
    case 'B':
        return push_text(m, 4);
    case 0x8c:
    case 'U':
    case 'C':
        return push_text(m, 1);
    case 0x8d:
    case 0x8e:
        return push_text(m, 8);
    case 'h':
        return number(m, 1, &v) ? pickle_memo_get(m, v) : pickle_status(m);
    case 'j':
        return number(m, 4, &v) ? pickle_memo_get(m, v) : pickle_status(m);
    case 'q':
        return number(m, 1, &v) ? pickle_memo_put(m, v) : pickle_status(m);
    case 'r':
        return number(m, 4, &v) ? pickle_memo_put(m, v) : pickle_status(m);
    case 'c':
        status = read_lines(m, line, n);
        return status != MB_OK ? status : push_global(m, line[0], n[0], line[1], n[1]);
    case 'i':
        return refuse_inst(m);
    default:
        return simple(m, opcode);
    }
}

/* Opcodes without an argument. */
static mb_status simple(machine *m, uint8_t opcode)
{
    switch (opcode) {
    case 'N':
        return pickle_push(m, pickle_new(m, PICKLE_NONE));
    case 0x88:
    case 0x89:
        return push_integer(m, PICKLE_BOOL, opcode == 0x88);
    case '(':
        return pickle_push(m, pickle_new(m, PICKLE_MARK));
    case '0':
        return pickle_pop(m) != NULL ? MB_OK : pickle_status(m);
    case '1':
        return pickle_pop_mark(m);
    case '2':
        return m->n_stack > 0 ? pickle_push(m, m->stack[m->n_stack - 1]) : pickle_bad(m, "its stack is empty");
    case ')':
    case ']':
    case 0x8f:
        return pickle_push(m, pickle_new(m, PICKLE_TUPLE));
    case '}':
        return pickle_push(m, pickle_new(m, PICKLE_DICT));
    case 0x85:
    case 0x86:
    case 0x87:
        return pickle_tuple_of(m, (size_t)opcode - 0x84);
    case 't':
    case 'l':
    case 0x91:
        return pickle_collect(m, PICKLE_TUPLE);
    case 'd':
        return pickle_collect(m, PICKLE_DICT);
    case 'a':
        return pickle_append(m);
    case 's':
        return pickle_set_item(m);
    case 'e':
    case 0x90:
        return pickle_extend(m, PICKLE_TUPLE);
    case 'u':
        return pickle_extend(m, PICKLE_DICT);
    case 0x94: /* MEMOIZE: the next free number */
        return pickle_memo_put(m, m->n_memoized++);
    case 0x93:
        return stack_global(m);
    case 'Q':
        return persistent_id(m);
    case 'R':
        return reduce(m);
    case 'b':
        return build(m);
    default:
        return refuse_opcode(m, opcode);
    }
}

mb_status pickle_read(pickle *p, const uint8_t *data, size_t bytes, mb_error *err)
{
    mb_error own = {0};
    machine m = {.p = p, .start = data, .at = data, .end = data + bytes, .err = err != NULL ? err : &own};
    mb_status status = MB_OK;
    *p = (pickle){0};
    if (bytes < 2 || data[0] != 0x80) {
        status = pickle_bad(&m, "it does not begin like one of protocol 2 to 5");
    }
    while (status == MB_OK) {
        if (m.at >= m.end || p->n_opcodes >= MAX_OPCODES) {
            status = pickle_bad(&m, m.at >= m.end ? "it ends in the middle"
                                                  : "more operations than a checkpoint has any use for");
            break;
        }
        uint8_t opcode = *m.at++;
        p->n_opcodes++;
        if (opcode == '.') {
            p->root = pickle_pop(&m);
            status = p->root == NULL                   ? pickle_status(&m)
                     : m.n_stack != 0 || m.at != m.end ? pickle_bad(&m, "something is left over")
                                                       : MB_OK;
            break;
        }
        status = step(&m, opcode);
    }
    mb_free(m.stack);
    mb_free(m.memo);
    if (status != MB_OK) {
        pickle_dispose(p);
    }
    return status;
}

void pickle_dispose(pickle *p)
{
    for (pickle_value *v = p->all, *next; v != NULL; v = next) {
        next = v->next;
        if (v->kind == PICKLE_TUPLE || v->kind == PICKLE_DICT) {
            mb_free(v->u.list.items);
        } else if (v->kind == PICKLE_TENSOR) {
            mb_free(v->u.tensor);
        }
        mb_free(v);
    }
    *p = (pickle){0};
}
