/* F5: any bytes as a pickle. Values lie within it; no name of a list of our own, of what attackers call, gets through;
 * a second reading of the operations counts as many. */
#include "pickle.h"
#include "fuzz.h"
#include "pickle_ops.h"

#include <string.h>

static bool is(const uint8_t *text, size_t n, const char *want)
{
    return strlen(want) == n && memcmp(text, want, n) == 0;
}

/* Modules that no checkpoint needs, whatever the name behind them, and functions of builtins that run something. */
static bool is_evil(const uint8_t *module, size_t nm, const uint8_t *name, size_t nn)
{
    static const char *const modules[] = {
        "os",        "posix",           "nt",          "subprocess", "sys",       "shutil",   "runpy",     "pty",
        "importlib", "ctypes",          "marshal",     "code",       "timeit",    "pdb",      "bdb",       "webbrowser",
        "asyncio",   "multiprocessing", "cloudpickle", "dill",       "posixpath", "commands", "functools", "itertools",
        "tempfile",  "_posixsubprocess"};
    static const char *const functions[] = {"eval",     "exec",       "compile", "__import__", "open",    "apply",
                                            "execfile", "input",      "setattr", "delattr",    "globals", "locals",
                                            "vars",     "breakpoint", "map",     "filter",     "print"};
    bool evil = false;
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        evil = evil || is(module, nm, modules[i]);
    }
    const bool built_in = is(module, nm, "builtins") || is(module, nm, "__builtin__");
    for (size_t i = 0; built_in && i < sizeof functions / sizeof functions[0]; i++) {
        evil = evil || is(name, nn, functions[i]);
    }
    return evil;
}

/* Every GLOBAL of a pickle that was accepted. */
static size_t check_operations(const uint8_t *p, size_t n)
{
    size_t count = 0, m;
    for (size_t at = 0; at < n; at += m, count++) {
        m = pickle_op_bytes(p + at, n - at);
        FUZZ_MUST(m > 0);
        if (p[at] == 'c') {
            const uint8_t *module = p + at + 1, *end = memchr(module, '\n', n - at - 1);
            FUZZ_MUST(end != NULL);
            FUZZ_MUST(!is_evil(module, (size_t)(end - module), end + 1, m - 3 - (size_t)(end - module)));
        }
        FUZZ_MUST(strchr("ioP", p[at]) == NULL || p[at] == 0);
    }
    FUZZ_MUST(p[n - 1] == '.');
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    pickle p;
    mb_error err = {0};
    fuzz_fault_begin(bytes, n);
    mb_status status = pickle_read(&p, bytes, n, &err);
    const bool failed = fuzz_fault_end();
    FUZZ_MUST(status == MB_OK ? p.root != NULL : p.all == NULL && err.message[0] != '\0' && err.code == status);
    FUZZ_MUST(!failed || status == MB_E_MEMORY);
    if (status != MB_OK) {
        return 0;
    }
    size_t values = 0;
    for (const pickle_value *v = p.all; v != NULL; v = v->next, values++) {
        const uint8_t *text = (const uint8_t *)v->u.s.text;
        FUZZ_MUST(v->kind != PICKLE_BYTES || (text >= bytes && v->u.s.bytes <= (size_t)(bytes + n - text)));
        FUZZ_MUST(v->kind != PICKLE_TENSOR || (v->u.tensor->rank >= 0 && v->u.tensor->rank <= 8));
    }
    FUZZ_MUST(values == p.n_values && p.n_opcodes == check_operations(bytes, n));
    pickle_dispose(&p);
    return 0;
}
