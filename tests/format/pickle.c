/* The pickle interpreter alone: exploit shapes by hand, cuts and flips of a real pickle; only allowed names resolve,
 * all is bounded, nothing leaks (run it under the address sanitizer). */
#include "core/alloc.h"
#include "core/file.h"
#include "harness/check.h"
#include "pickle.h"
#include "zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(s) (const uint8_t *)(s), sizeof(s) - 1

static void refuses(const uint8_t *p, size_t n, const char *part)
{
    pickle k;
    mb_error err = {0};
    mb_status status = pickle_read(&k, p, n, &err);
    CHECK_MSG(status == MB_E_FORMAT && strstr(err.message, part) != NULL, "%d %s, wanted %s", status, err.message,
              part);
    if (status == MB_OK) {
        pickle_dispose(&k);
    }
}

TEST(exploits)
{
    refuses(TEXT("\x80\x02"
                 "cposix\nsystem\nX\x02\0\0\0id\x85R."),
            "asks to call \"posix.system\"; refused\nnothing was run; if the file is your own, save its weights alone");
    refuses(TEXT("\x80\x04\x8c\x02os\x8c\x06system\x93."), "\"os.system\"");
    refuses(TEXT("\x80\x02(ios\nsystem\n."), "\"os.system\"");
    refuses(TEXT("\x80\x02(cos\nsystem\no."), "\"os.system\"");
    refuses(TEXT("\x80\x02"
                 "cbuiltins\ngetattr\n."),
            "\"builtins.getattr\"");
    refuses(TEXT("\x80\x02"
                 "ctorch._utils\n_rebuild_tensor_v2.__globals__\n."),
            "refused");
    refuses(TEXT("\x80\x02"
                 "ctorch\nload\n."),
            "\"torch.load\"");
    refuses(TEXT("\x80\x02"
                 "cpo\x1b[31m\nx\n."),
            "po\\x1b[31m.x");
    refuses(TEXT("\x80\x02"
                 "ctorch._utils\n_rebuild_tensor_v2\n)\x81."),
            "NEWOBJ");
    refuses(TEXT("\x80\x02"
                 "csubprocess\nPopen\n)\x81."),
            "\"subprocess.Popen\"");
    refuses(TEXT("\x80\x02\x82\x01."), "EXT1");
    refuses(TEXT("\x80\x02Psomething\n."), "PERSID");
    refuses(TEXT("\x80\x05\x97."), "NEXT_BUFFER");
    refuses(TEXT("\x80\x02N\xff."), "0xff");
    refuses(TEXT("cos\nsystem\n."), "does not begin");
    refuses(TEXT("\x80\x06N."), "protocol");
    refuses(TEXT("\x80\x02X\xff\xff\xff\xff"), "too long");
    refuses(TEXT("\x80\x04\x8d\0\0\0\0\0\0\0\x40"), "too long");
    refuses(TEXT("\x80\x02NN."), "left over");
    refuses(TEXT("\x80\x02N.N"), "left over");
    refuses(TEXT("\x80\x02R."), "stack is empty");
    refuses(TEXT("\x80\x02(t"), "ends in the middle");
    refuses(TEXT("\x80\x02j\xff\xff\xff\x7f."), "memo");
    refuses(TEXT("\x80\x02Nr\xff\xff\xff\x7f."), "memo");
    refuses(TEXT("\x80\x02Nr\xff\xff\x00\x00."), "memo"); /* more numbers than bytes: nothing is allocated for it */
    refuses(TEXT("\x80\x02NK\x01\x85R."), "no allowed name");
    refuses(TEXT("\x80\x02NNb."), "has none");
    refuses(TEXT("\x80\x02}K\x01"
                 "a."),
            "not what the operation needs");
    refuses(TEXT("\x80\x02X\x01\0\0\0aQ."), "no storage");
}

/* A dict made of itself twice has twice the items: 30 times over, a pickle of 500 bytes would ask for gigabytes. */
TEST(doubling)
{
    static const char start[] = "\x80\x02}(K\x01K\x02uq\0", twice[] = "0ccollections\nOrderedDict\nh\0h\0\x86Rq\0";
    uint8_t p[4096];
    size_t n = sizeof start - 1;
    memcpy(p, start, n);
    for (int i = 0; i < 30; i++) {
        memcpy(p + n, twice, sizeof twice - 1);
        n += sizeof twice - 1;
    }
    p[n++] = '.';
    refuses(p, n, "more items");
    pickle k;
    memcpy(p + sizeof start - 1, twice, sizeof twice - 1); /* a copy or two are fine */
    p[sizeof start + sizeof twice - 2] = '.';
    CHECK(pickle_read(&k, p, sizeof start + sizeof twice - 1, NULL) == MB_OK && k.root->u.list.n == 4);
    pickle_dispose(&k);
}

/* Objects of harmless classes: opaque, whatever they are made of; a dict or list of its own class stays one. */
TEST(objects)
{
    static const struct {
        const char *text;
        size_t n;
        pickle_kind kind;
        size_t items;
    } sound[] = {
#define OBJECT(text, kind, items) {text, sizeof(text) - 1, kind, items}
        OBJECT("\x80\x02"
               "cargparse\nNamespace\n)\x81}X\1\0\0\0aK\1sb.",
               PICKLE_OPAQUE, 1),
        OBJECT("\x80\x02"
               "cpathlib\nPosixPath\nX\1\0\0\0/\x85R.",
               PICKLE_OPAQUE, 0),
        OBJECT("\x80\x02"
               "cnumpy\ndtype\nX\2\0\0\0f8K\0K\1\x87R(K\3X\1\0\0\0<NNNtb.",
               PICKLE_OPAQUE, 1),
        OBJECT("\x80\x02"
               "c__main__\nMode\nK\1\x85R.",
               PICKLE_OPAQUE, 0),
        OBJECT("\x80\x04\x8c\x07my.conf\x8c\x08"
               "Run.Mode\x93K\1\x85R.",
               PICKLE_OPAQUE, 0),
        OBJECT("\x80\x02"
               "cmy.conf\nBox\n)\x81X\1\0\0\0aK\1s.",
               PICKLE_DICT, 2),
        OBJECT("\x80\x02"
               "cmy.conf\nRow\n)\x81(K\1K\2e.",
               PICKLE_TUPLE, 2),
        OBJECT("\x80\x02"
               "cmy.conf\nRow\n)}\x92.",
               PICKLE_OPAQUE, 0),
        OBJECT("\x80\x02"
               "c__builtin__\nset\n]K\1a\x85R.",
               PICKLE_TUPLE, 1),
        OBJECT("\x80\x02"
               "ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RK\1K\2s.",
               PICKLE_DICT, 2),
        OBJECT("\x80\x02"
               "ccollections\nOrderedDict\n)\x81.",
               PICKLE_DICT, 0),
        /* how some versions of Python save the member of an enum */
        OBJECT("\x80\x02"
               "c__builtin__\ngetattr\nc__main__\nMode\nX\4\0\0\0FINE\x86R.",
               PICKLE_OPAQUE, 0),
#undef OBJECT
    };
    for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++) {
        pickle k;
        mb_error err = {0};
        CHECK_OK(pickle_read(&k, (const uint8_t *)sound[i].text, sound[i].n, &err), err);
        CHECK_MSG(err.code != MB_OK || (k.root->kind == sound[i].kind && k.root->u.list.n == sound[i].items), "%zu: %d",
                  i, k.root != NULL ? (int)k.root->kind : -1);
        if (err.code == MB_OK) {
            pickle_dispose(&k);
        }
    }
}

/* Names that stay refused, whether they are called, made an instance of, or only named. */
TEST(dangerous_names)
{
    static const char *const dangerous[] = {"posix\nsystem",
                                            "nt\nsystem",
                                            "os\nsystem",
                                            "subprocess\nPopen",
                                            "__builtin__\neval",
                                            "builtins\nexec",
                                            "__builtin__\nopen",
                                            "io\nopen",
                                            "_io\nFileIO",
                                            "sys\nexit",
                                            "runpy\nrun_path",
                                            "ctypes\nCDLL",
                                            "shutil\nrmtree",
                                            "importlib\nimport_module",
                                            "pickle\nUnpickler",
                                            "torch\nload",
                                            "torch.hub\nload",
                                            "numpy\nload",
                                            "numpy.f2py\nCompiler",
                                            "functools\npartial",
                                            "my.code\nrun",
                                            "my\nmodule.run",
                                            "code\nInteractiveConsole",
                                            "socket\nsocket",
                                            "torch.jit\nLoader",
                                            "_ctypes\nCFuncPtr",
                                            "sys \nX",
                                            "my\nA b",
                                            "\nX",
                                            "multiprocessing\nProcess",
                                            "torch.nn.modules.conv\nConv2d",
                                            "logging\nFileHandler",
                                            "pathlib\nos.system",
                                            "datetime\nsys.modules",
                                            "pathlib\nos",
                                            "datetime\nsys"};
    for (size_t i = 0; i < sizeof dangerous / sizeof dangerous[0]; i++) {
        char text[200];
        for (int how = 0; how < 3; how++) { /* called, made, and only named */
            static const char *const ends[] = {")R.", ")\x81.", "."};
            int n = snprintf(text, sizeof text,
                             "\x80\x02"
                             "c%s\n%s",
                             dangerous[i], ends[how]);
            refuses((const uint8_t *)text, (size_t)n, "refused");
        }
    }
    refuses(TEXT("\x80\x02"
                 "c__builtin__\ngetattr\nc__main__\nMode\nX\5\0\0\0__doc\x86R."),
            "getattr");
    refuses(TEXT("\x80\x02"
                 "c__builtin__\ngetattr\ncposix\nsystem\nX\1\0\0\0x\x86R."),
            "\"posix.system\"");
    refuses(TEXT("\x80\x02"
                 "c__builtin__\ngetattr\nK\1X\1\0\0\0x\x86R."),
            "getattr");
    refuses(TEXT("\x80\x02K\1)\x81."), "no allowed name");
    refuses(TEXT("\x80\x02"
                 "c__main__\nMode\nK\1\x81."),
            "no allowed name");
    refuses(TEXT("\x80\x02"
                 "c__main__\nMode\n)\x81}b}X\1\0\0\0aK\1su."),
            "mark");
}

/* Millions of lists: bounded in values, not in luck. */
TEST(bombs)
{
    enum { N = 5000000 };
    uint8_t *p = malloc(N + 3);
    memset(p, ']', N + 3);
    p[0] = 0x80;
    p[1] = 2;
    p[N + 2] = '.';
    refuses(p, N + 3, "stack is too deep");
    for (size_t i = 2; i + 1 < N; i += 2) {
        p[i] = ']';
        p[i + 1] = '0';
    }
    refuses(p, N + 3, "more values");
    free(p);
}

TEST(sound)
{
    pickle k;
    mb_error err;
    CHECK_OK(pickle_read(&k, TEXT("\x80\x02]q\0h\0a."), &err), err); /* a list in itself: legal, and no endless loop */
    CHECK(k.root->kind == PICKLE_TUPLE && k.root->u.list.n == 1 && k.root->u.list.items[0] == k.root);
    pickle_dispose(&k);
    CHECK_OK(pickle_read(&k, TEXT("\x80\x02(K\x01J\xfe\xff\xff\xff\x8a\x02\x00\xff\x88G\x3f\xf0\0\0\0\0\0\0Nt."), &err),
             err);
    pickle_value *const *v = k.root->u.list.items;
    CHECK(k.root->u.list.n == 6 && v[0]->u.integer == 1 && v[1]->u.integer == -2 && v[2]->u.integer == -256);
    CHECK(v[3]->kind == PICKLE_BOOL && v[4]->u.number == 1.0 && v[5]->kind == PICKLE_NONE);
    pickle_dispose(&k);
}

/* Every cut is refused; a flipped bit is refused or read, never worse. */
TEST(cuts_and_flips)
{
    void *file;
    size_t n;
    zip_archive z;
    mb_error err;
    uint8_t *p;
    CHECK_OK(mb_read_file(&file, &n, MB_TEST_DATA "/checkpoints/plain.pth", 1 << 20, &err), err);
    CHECK_OK(zip_open(&z, file, n, &err), err);
    const zip_member *m = zip_find(&z, "plain/data.pkl");
    CHECK(m != NULL);
    CHECK_EQ(zip_extract(m, 10, &p, NULL), MB_E_FORMAT);
    CHECK_OK(zip_extract(m, 1 << 20, &p, &err), err);
    int cut = 0, read = 0;
    for (size_t i = 0; i < m->bytes; i++) {
        uint8_t *part = malloc(i + 1);
        pickle k;
        memcpy(part, p, i);
        cut += pickle_read(&k, part, i, NULL) == MB_OK;
        free(part);
        for (int bit = 0; bit < 8; bit++) {
            p[i] ^= (uint8_t)(1u << bit);
            if (pickle_read(&k, p, m->bytes, NULL) == MB_OK) {
                read++;
                pickle_dispose(&k);
            }
            p[i] ^= (uint8_t)(1u << bit);
        }
    }
    CHECK_MSG(cut == 0, "%d cut pickles are read", cut);
    CHECK_MSG(read > 0, "names and numbers may change and are still a pickle");
    mb_free(p);
    zip_dispose(&z);
    mb_free(file);
}
