/* The pickle interpreter. It has no call: REDUCE, NEWOBJ and BUILD are defined for the names of pickle_names.c alone,
 * and an opcode or name that is not there ends the reading with a message that names it. Everything is bounded. */
#include "pickle_machine.h"

#include "core/alloc.h"
#include "weights/safetensors.h"

#include <string.h>

#define MAX_OPCODES 10000000u
#define MAX_STRING  ((uint64_t)1 << 20)

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

/* Text is not copied: it points into the file. length_bytes: size of the length before it. */
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
    return pickle_push_name(m, module->u.s.text, module->u.s.bytes, name->u.s.text, name->u.s.bytes);
}

/* ---- the opcodes */

/* Opcodes that call or fetch things, and unknown ones, end the reading. */
static mb_status refuse_opcode(machine *m, uint8_t opcode)
{
    static const struct {
        uint8_t opcode;
        const char *name;
    } known[] = {{'i', "INST"},  {'o', "OBJ"},    {0x82, "EXT1"},        {0x83, "EXT2"},
                 {0x84, "EXT4"}, {'P', "PERSID"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].opcode == opcode) {
            return mb_fail(m->err, MB_E_FORMAT,
                           "its pickle uses %s, which no checkpoint needs; refused\n" PICKLE_SAVE_AGAIN, known[i].name);
        }
    }
    return mb_fail(m->err, MB_E_FORMAT,
                   "its pickle has an operation (0x%02x) that no checkpoint needs; refused\n" PICKLE_SAVE_AGAIN,
                   (unsigned)opcode);
}

/* INST names what it would call: say that rather than the opcode. */
static mb_status refuse_inst(machine *m)
{
    const char *line[2] = {NULL, NULL};
    size_t n[2] = {0, 0};
    mb_status status = read_lines(m, line, n);
    return status != MB_OK ? status : pickle_refuse_name(m, line[0], n[0], line[1], n[1]);
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
    case 0x96: /* BYTEARRAY8 */
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
        return status != MB_OK ? status : pickle_push_name(m, line[0], n[0], line[1], n[1]);
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
        return pickle_persistent_id(m);
    case 'R':
        return pickle_reduce(m);
    case 0x81:
    case 0x92:
        return pickle_new_object(m, opcode == 0x92);
    case 'b':
        return pickle_set_state(m);
    default:
        return refuse_opcode(m, opcode);
    }
}

/* The whole file must not be one bare name: there is nothing to read in it, and the name may be a dangerous one. */
static mb_status check_root(machine *m)
{
    const pickle_value *root = m->p->root;
    return root->kind == PICKLE_GLOBAL && root->u.global.name == NAME_GETATTR
               ? pickle_refuse_name(m, "builtins", 8, "getattr", 7)
               : MB_OK;
}

/* Interprets the data opcodes until STOP, where exactly one value must be left. Nothing is called. p: disposed of on
 * failure. */
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
                                                       : check_root(&m);
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
        if (v->kind == PICKLE_TUPLE || v->kind == PICKLE_DICT || v->kind == PICKLE_OPAQUE) {
            mb_free(v->u.list.items);
        } else if (v->kind == PICKLE_TENSOR) {
            mb_free(v->u.tensor);
        }
        mb_free(v);
    }
    *p = (pickle){0};
}
