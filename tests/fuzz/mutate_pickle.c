/* Mutations of pickles by operations: removed, doubled, moved, replaced by snippets of what torch.save and attackers
 * write. */
#include "pickle_ops.h"

#include <string.h>

#define MAX_OPS  1024
#define MAX_TEXT 8192

#define SNIPPET(text)                                                                                                  \
    {                                                                                                                  \
        text, sizeof text - 1                                                                                          \
    }

static const struct {
    const char *v;
    size_t n;
} snippets[] = {
    SNIPPET("ccollections\nOrderedDict\n)R"),
    SNIPPET("ctorch._utils\n_rebuild_tensor_v2\n"),
    SNIPPET("ctorch._utils\n_rebuild_tensor_v3\n"),
    SNIPPET("ctorch._utils\n_rebuild_parameter\n"),
    SNIPPET("ctorch._tensor\n_rebuild_from_type_v2\n"),
    SNIPPET("ctorch._utils\n_rebuild_qtensor\n"),
    SNIPPET("(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\4tQ"),
    SNIPPET("(X\7\0\0\0storagectorch\nHalfStorage\nX\1\0\0\0001X\3\0\0\0cpuM\0\1tQ"),
    SNIPPET("(X\7\0\0\0storagectorch\nUntypedStorage\nX\1\0\0\0000X\3\0\0\0cpuJ\xff\xff\xff\x7ftQ"),
    SNIPPET("(ctorch\nFloatStorage\nX\1\0\0\0000K\0K\2K\2\x86K\2K\1\x86\x89t"),
    SNIPPET("ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\4tQK"
            "\0K\2K\2\x86K\2K\1\x86\x89}tR"),
    SNIPPET("X\6\0\0\0weight"),
    SNIPPET("X\1\0\0\0000"),
    SNIPPET("\x8c\1a"),
    SNIPPET("\x8c\5torch\x94\x8c\5Size_\x94\x93"),
    SNIPPET("\x8c\13collections\x8c\13OrderedDict\x93"),
    SNIPPET("\x8c\10builtins\x8c\4eval\x93"),
    SNIPPET("cos\nsystem\n"),
    SNIPPET("cposix\nsystem\n"),
    SNIPPET("cbuiltins\neval\n"),
    SNIPPET("c__builtin__\ngetattr\n"),
    SNIPPET("cbuiltins\ngetattr\ncmain\nConfig\nX\1\0\0\0A\x86R"),
    SNIPPET("cmain\nConfig\n)\x81}b"),
    SNIPPET("cmain\nConfig\n)}\x92"),
    SNIPPET("ctorch\nSize\n(K\2K\3t\x85R"),
    SNIPPET("ctorch\nfloat16\n"),
    SNIPPET("}(X\1\0\0\0aK\1u"),
    SNIPPET("]K\1a"),
    SNIPPET("](K\1K\2e"),
    SNIPPET("\x8f(K\1\x90"),
    SNIPPET("}X\1\0\0\0kNs"),
    SNIPPET("(K\1K\2d"),
    SNIPPET("(K\1t"),
    SNIPPET("(l"),
    SNIPPET("J\xff\xff\xff\xff"),
    SNIPPET("\x8a\10\xff\xff\xff\xff\xff\xff\xff\x7f"),
    SNIPPET("\x8a\11\0\0\0\0\0\0\0\0\1"),
    SNIPPET("\x8b\4\0\0\0\1\2\3\x84"),
    SNIPPET("G?\xf0\0\0\0\0\0\0"),
    SNIPPET("q\0"),
    SNIPPET("h\0"),
    SNIPPET("r\377\377\0\0"),
    SNIPPET("j\377\377\0\0"),
    SNIPPET("\x94"),
    SNIPPET("2"),
    SNIPPET("0"),
    SNIPPET("1"),
    SNIPPET("("),
    SNIPPET("R"),
    SNIPPET("\x81"),
    SNIPPET("b"),
    SNIPPET("\x85"),
    SNIPPET("\x86"),
    SNIPPET("h\0h\0\x86R"),
    SNIPPET("\x95\4\0\0\0\0\0\0\0"),
    SNIPPET("\x80\4"),
    SNIPPET("N"),
    SNIPPET("\x88"),
    SNIPPET("}X\3\0\0\0neg\x88s"),
    SNIPPET("}X\4\0\0\0conj\x88s"),
};

static size_t insert(uint8_t *p, size_t n, size_t capacity, size_t at, const void *bytes, size_t m)
{
    if (n + m > capacity) {
        return n;
    }
    memmove(p + at + m, p + at, n - at);
    memcpy(p + at, bytes, m);
    return n + m;
}

size_t fuzz_mutate_pickle(uint8_t *p, size_t n, size_t capacity, fuzz_random *r)
{
    static uint8_t copy[MAX_TEXT];
    size_t ops[MAX_OPS + 1], count = 0;
    for (size_t at = 0, m; count < MAX_OPS && (m = pickle_op_bytes(p + at, n - at)) > 0; at += m) {
        ops[count++] = at;
        ops[count] = at + m;
    }
    if (count < 2 || fuzz_one_in(r, 8)) {
        return LLVMFuzzerMutate(p, n, capacity);
    }
    const size_t a = fuzz_below(r, count), b = a + 1 + fuzz_below(r, count - a < 8 ? count - a : 8);
    const size_t to = b < count ? b : count, m = ops[to] - ops[a];
    const size_t other = ops[fuzz_below(r, count)];
    switch (fuzz_below(r, 6)) {
    case 0:
        memmove(p + ops[a], p + ops[to], n - ops[to]);
        return n - m;
    case 1: /* the same operations elsewhere */
        if (m > MAX_TEXT) {
            return n;
        }
        memcpy(copy, p + ops[a], m);
        return insert(p, n, capacity, other, copy, m);
    case 2:
        if (m > MAX_TEXT || other > ops[a]) {
            return n;
        }
        memcpy(copy, p + ops[a], m);
        memmove(p + ops[a], p + ops[to], n - ops[to]);
        return insert(p, n - m, capacity, other, copy, m);
    case 3: { /* an argument */
        const size_t at = ops[a] + fuzz_below(r, ops[a + 1] - ops[a]);
        p[at] = (uint8_t)fuzz_edge(r, p[at]);
        return n;
    }
    default: {
        const size_t k = fuzz_below(r, sizeof snippets / sizeof snippets[0]);
        return insert(p, n, capacity, other, snippets[k].v, snippets[k].n);
    }
    }
}

#if FUZZ_PICKLE_ALONE
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t capacity, unsigned int seed)
{
    fuzz_random r = {seed};
    for (size_t k = 1 + fuzz_below(&r, 4); k > 0; k--) {
        n = fuzz_mutate_pickle(bytes, n, capacity, &r);
    }
    return n;
}
#endif
