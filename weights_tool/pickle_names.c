/* Which names a pickle may use, and what they stand for. Nothing of them is ever called: a name of this file decides
 * how arguments are read, and whether an object is skipped as an opaque value or the file is refused by that name. The
 * list is made of what real checkpoints hold: torch's own functions, types that training loops save beside the weights
 * (argparse.Namespace, numpy scalars, random states), and classes of the program that trained. Functions of the
 * standard library are refused, but for the few that pickle itself needs to rebuild a harmless value (_codecs.encode,
 * copyreg._reconstructor and the like): a file that asks for any other asks to run something. */
#include "pickle_machine.h"

#include "core/text.h"
#include "weights/safetensors.h"

#include <string.h>

#define MAX_NAME 512 /* of a module or a class; the longest of torch have 60 */

/* ---- names that mean something */

static const struct {
    const char *module, *name;
    pickle_name is;
    int type;
} known[] = {
    {"collections", "OrderedDict", NAME_DICT, 0},
    {"collections", "defaultdict", NAME_DICT, 0},
    {"collections", "Counter", NAME_DICT, 0},
    {"collections", "deque", NAME_SEQUENCE, 0},
    {"builtins", "set", NAME_SEQUENCE, 0},
    {"builtins", "frozenset", NAME_SEQUENCE, 0},
    {"builtins", "list", NAME_SEQUENCE, 0},
    {"builtins", "tuple", NAME_SEQUENCE, 0},
    {"builtins", "dict", NAME_DICT, 0},
    {"builtins", "getattr", NAME_GETATTR, 0},
    {"torch._utils", "_rebuild_tensor", NAME_REBUILD_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor_v2", NAME_REBUILD_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor_v3", NAME_REBUILD_TENSOR_V3, 0},
    {"torch._utils", "_rebuild_parameter", NAME_REBUILD_PARAMETER, 0},
    {"torch._utils", "_rebuild_parameter_with_state", NAME_REBUILD_PARAMETER, 0},
    {"torch._tensor", "_rebuild_from_type_v2", NAME_REBUILD_FROM_TYPE, 0},
    {"torch._utils", "_rebuild_qtensor", NAME_REBUILD_QUANTISED, 0},
    {"torch._utils", "_rebuild_sparse_tensor", NAME_REBUILD_SPARSE, 0},
    {"torch._utils", "_rebuild_nested_tensor", NAME_REBUILD_NESTED, 0},
    {"torch._utils", "_rebuild_meta_tensor_no_storage", NAME_REBUILD_META, 0},
    {"torch", "Size", NAME_SIZE, 0},
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
    {"torch", "ComplexFloatStorage", NAME_STORAGE, MB_ST_C64},
    {"torch", "ComplexDoubleStorage", NAME_STORAGE, MB_ST_C128},
    {"torch", "QInt8Storage", NAME_STORAGE, MB_ST_OTHER},
    {"torch", "QUInt8Storage", NAME_STORAGE, MB_ST_OTHER},
    {"torch", "QInt32Storage", NAME_STORAGE, MB_ST_OTHER},
    {"torch", "QUInt4x2Storage", NAME_STORAGE, MB_ST_OTHER},
    {"torch", "QUInt2x4Storage", NAME_STORAGE, MB_ST_OTHER},
    {"torch.storage", "UntypedStorage", NAME_STORAGE, MB_ST_U8},
    {"torch", "UntypedStorage", NAME_STORAGE, MB_ST_U8},
    {"torch", "float64", NAME_DTYPE, MB_ST_F64},
    {"torch", "float32", NAME_DTYPE, MB_ST_F32},
    {"torch", "float16", NAME_DTYPE, MB_ST_F16},
    {"torch", "bfloat16", NAME_DTYPE, MB_ST_BF16},
    {"torch", "int64", NAME_DTYPE, MB_ST_I64},
    {"torch", "int32", NAME_DTYPE, MB_ST_I32},
    {"torch", "int16", NAME_DTYPE, MB_ST_I16},
    {"torch", "int8", NAME_DTYPE, MB_ST_I8},
    {"torch", "uint64", NAME_DTYPE, MB_ST_U64},
    {"torch", "uint32", NAME_DTYPE, MB_ST_U32},
    {"torch", "uint16", NAME_DTYPE, MB_ST_U16},
    {"torch", "uint8", NAME_DTYPE, MB_ST_U8},
    {"torch", "bool", NAME_DTYPE, MB_ST_BOOL},
    {"torch", "float8_e4m3fn", NAME_DTYPE, MB_ST_F8_E4M3},
    {"torch", "float8_e5m2", NAME_DTYPE, MB_ST_F8_E5M2},
    {"torch", "float8_e4m3fnuz", NAME_DTYPE, MB_ST_F8_E4M3FNUZ},
    {"torch", "float8_e5m2fnuz", NAME_DTYPE, MB_ST_F8_E5M2FNUZ},
    {"torch", "float8_e8m0fnu", NAME_DTYPE, MB_ST_F8_E8M0},
    {"torch", "float4_e2m1fn_x2", NAME_DTYPE, MB_ST_F4},
    {"torch", "complex64", NAME_DTYPE, MB_ST_C64},
    {"torch", "complex128", NAME_DTYPE, MB_ST_C128},
    {"torch", "complex32", NAME_DTYPE, MB_ST_OTHER},
    {"torch", "qint8", NAME_DTYPE, MB_ST_OTHER},
    {"torch", "quint8", NAME_DTYPE, MB_ST_OTHER},
    {"torch", "qint32", NAME_DTYPE, MB_ST_OTHER},
    {"torch", "bits8", NAME_DTYPE, MB_ST_OTHER},
    {"torch", "bits16", NAME_DTYPE, MB_ST_OTHER},
};

/* ---- harmless classes of libraries */

static const struct {
    const char *module, *names; /* names: with a space before and behind each; NULL: every CapWord of the module */
} harmless[] = {
    {"builtins", " object int float bool str bytes bytearray complex slice range xrange long unicode type NoneType "
                 "Ellipsis NotImplemented "},
    {"_codecs", " encode "}, /* how protocol 2 writes bytes */
    {"copyreg", " _reconstructor __newobj__ "},
    {"copy_reg", " _reconstructor __newobj__ "},
    {"argparse", " Namespace "},
    {"collections", " UserDict UserList UserString ChainMap "},
    {"types", " SimpleNamespace MappingProxyType NoneType "},
    {"datetime", " datetime date time timedelta timezone tzinfo "},
    {"_datetime", " datetime date time timedelta timezone tzinfo "},
    {"zoneinfo", " ZoneInfo ZoneInfo._unpickle "},
    {"pathlib", NULL},
    {"pathlib._local", NULL},
    {"pathlib._abc", NULL},
    {"typing", NULL},
    {"operator", " getitem "}, /* how typing.Optional[int] is saved */
    {"_operator", " getitem "},
    {"decimal", " Decimal "},
    {"_pydecimal", " Decimal "},
    {"fractions", " Fraction "},
    {"uuid", " UUID SafeUUID "},
    {"enum", " Enum IntEnum Flag IntFlag StrEnum auto "},
    {"string", " Template "},
    {"random", " Random "},
    {"_random", " Random "},
    {"http", " HTTPStatus HTTPMethod "},
    {"signal", " Signals Handlers "},
    {"socket", " AddressFamily SocketKind "},
    {"logging", " Logger getLogger "},
    {"time", " struct_time "},
    {"re", " Pattern RegexFlag _compile "},
    {"array", " array _array_reconstructor "},
    {"ipaddress", NULL},
    {"numpy", " dtype ndarray generic bool bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc longlong "
              "ulonglong float16 float32 float64 longdouble float128 complex64 complex128 clongdouble str_ bytes_ void "
              "object_ datetime64 timedelta64 matrix recarray record longlong long ulong int_ uint float_ "},
    {"numpy.core.multiarray", " scalar _reconstruct "},
    {"numpy._core.multiarray", " scalar _reconstruct "},
    {"numpy.core.numeric", " _frombuffer "},
    {"numpy._core.numeric", " _frombuffer "},
    {"numpy.dtypes", NULL},
    {"numpy.ma", " MaskedArray "},
    {"numpy.ma.core", " _mareconstruct MaskedArray "},
    {"numpy.random._pickle", " __randomstate_ctor __generator_ctor __bit_generator_ctor "},
    {"numpy.random.bit_generator", " __pyx_unpickle_SeedSequence SeedSequence "},
    {"numpy.random._mt19937", " MT19937 "},
    {"numpy.random._pcg64", " PCG64 PCG64DXSM "},
    {"numpy.random._philox", " Philox "},
    {"numpy.random._sfc64", " SFC64 "},
    {"torch", " device memory_format layout Generator Tensor finfo iinfo strided sparse_coo channels_last "
              "contiguous_format preserve_format per_tensor_affine per_channel_affine per_tensor_symmetric "
              "per_channel_symmetric per_channel_affine_float_qparams SymInt SymFloat SymBool "},
    {"torch.serialization", " _get_layout "},
    {"torch.nn.parameter", " Parameter Buffer UninitializedParameter UninitializedBuffer "},
    {"torch._C", " Generator "},
    {"torch.torch_version", " TorchVersion "},
    {"torch.distributed.fsdp.api", NULL},
    {"torch.amp.grad_scaler", " GradScaler OptState _refresh_per_optimizer_state "},
    {"torch.cuda.amp.grad_scaler", " GradScaler OptState _refresh_per_optimizer_state "},
    {"numpy.random.mtrand", " RandomState "},
};

/* The modules of Python's standard library, and packages of which only the names above are taken. A class of any other
 * module belongs to the program that wrote the file: enums, dataclasses and settings of a training. */
static const char not_of_programs[] =
    " abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex "
    "bisect "
    "bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall concurrent "
    "configparser contextlib contextvars copy copyreg copy_reg crypt csv ctypes curses dataclasses datetime dbm "
    "decimal "
    "difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch "
    "formatter fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq "
    "hmac "
    "html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache "
    "locale "
    "logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis "
    "nntplib "
    "nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev parser pathlib pdb pickle pickletools pip "
    "pipes "
    "pkg_resources pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr "
    "pydoc "
    "pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select "
    "selectors "
    "setuptools shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile "
    "sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symbol symtable sys "
    "sysconfig "
    "syslog tabnanny tarfile telnetlib tempfile termios test textwrap this threading time timeit tkinter token "
    "tokenize "
    "tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib urllib2 uu "
    "uuid "
    "venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib "
    "zoneinfo builtins numpy torch torchvision torchaudio cloudpickle dill joblib jsonpickle pexpect requests paramiko "
    "fabric sh commands popen2 exceptions Pyro4 ";

static bool equals(const char *text, size_t n, const char *want)
{
    return strlen(want) == n && memcmp(text, want, n) == 0;
}

/* Is the word text[0..n) in a list whose words stand between spaces? */
static bool listed(const char *list, const char *text, size_t n)
{
    for (const char *at = list; (at = strchr(at, ' ')) != NULL; at++) {
        if (strncmp(at + 1, text, n) == 0 && at[1 + n] == ' ') {
            return n > 0;
        }
    }
    return false;
}

static bool has_control_or_space(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f) {
            return true;
        }
    }
    return n == 0;
}

/* CapWords behind the last dot ("Config.Mode"), as classes are named; functions are not, and stay refused. An
 * underscore before the capital is allowed ("_Config"). */
static bool named_like_class(const char *name, size_t n)
{
    size_t at = n;
    while (at > 0 && name[at - 1] != '.') {
        at--;
    }
    while (at < n && name[at] == '_') {
        at++;
    }
    return at < n && name[at] >= 'A' && name[at] <= 'Z';
}

/* May an object of this class stand in the file as an opaque value? Modules of the table decide by their own list. Any
 * other module of the standard library or of torch is refused. What is left belongs to the program that wrote the
 * file: its classes are let through, since nothing of them is loaded, and its functions are not. */
static bool is_harmless(const char *module, size_t nm, const char *name, size_t nn)
{
    if (has_control_or_space(module, nm) || has_control_or_space(name, nn)) {
        return false;
    }
    /* A module that has a row is decided by it alone, even if the name is spelt like a class. */
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        if (equals(module, nm, harmless[i].module)) {
            return harmless[i].names != NULL ? listed(harmless[i].names, name, nn)
                                             : memchr(name, '.', nn) == NULL && named_like_class(name, nn);
        }
    }
    if (nm > 12 && memcmp(module, "torch.optim.", 12) == 0) { /* an optimiser or schedule saved whole */
        return named_like_class(name, nn);
    }
    const char *dot = memchr(module, '.', nm);
    size_t top = dot != NULL ? (size_t)(dot - module) : nm;
    if (top == 0 || (module[0] == '_' && !equals(module, nm, "__main__") && !equals(module, nm, "__mp_main__"))) {
        return false; /* the standard library's own C modules are called so */
    }
    return !listed(not_of_programs, module, top) && named_like_class(name, nn);
}

/* Fails with the name that the file asks for, made printable. torch.nn classes mean that a whole model was saved with
 * torch.save(model): a frequent mistake that deserves its own hint. */
mb_status pickle_refuse_name(machine *m, const char *module, size_t nm, const char *name, size_t nn)
{
    char a[100], b[100];
    bool whole = nm > 9 && memcmp(module, "torch.nn.", 9) == 0;
    return mb_fail(m->err, MB_E_FORMAT, "asks to call \"%s.%s\"; refused%s\n" PICKLE_SAVE_AGAIN,
                   mb_printable(a, sizeof a, module, nm), mb_printable(b, sizeof b, name, nn),
                   whole ? " (a whole model was saved: its program, not its weights)" : "");
}

/* Pushes the meaning of a name: one of the known ones, or NAME_OPAQUE for a harmless class. `__builtin__` is Python
 * 2's name of builtins, which protocol 2 writes to this day. Text and lengths come straight from the pickle and are
 * not closed by a zero. */
mb_status pickle_push_name(machine *m, const char *module, size_t nm, const char *name, size_t nn)
{
    if (nm > MAX_NAME ||
        nn > MAX_NAME) { /* before any of it is looked at: one long text can be named a million times */
        return pickle_refuse_name(m, module, nm, name, nn);
    }
    static const char python2[] = "__builtin__", now[] = "builtins";
    const bool old = equals(module, nm, python2); /* what protocol 2 calls them */
    const char *modern = old ? now : module;
    const size_t n_modern = old ? sizeof now - 1 : nm;
    pickle_name is = NAME_OPAQUE;
    int type = 0;
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0] && !found; i++) {
        found = equals(modern, n_modern, known[i].module) && equals(name, nn, known[i].name);
        is = found ? known[i].is : is;
        type = found ? known[i].type : type;
    }
    if (!found && !is_harmless(modern, n_modern, name, nn)) {
        return pickle_refuse_name(m, module, nm, name, nn);
    }
    pickle_value *v = pickle_new(m, PICKLE_GLOBAL);
    if (v != NULL) {
        v->u.global.name = is;
        v->u.global.type = type;
    }
    return pickle_push(m, v);
}
