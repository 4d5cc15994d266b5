/* What a pickle may build: tensors of storages, dicts, and opaque values in place of objects that mean nothing here.
 * Arguments are checked, nothing is called. These are the reduce functions that torch.save writes: persistent ids for
 * storages, torch._utils._rebuild_* for tensors, and the constructors of Python's collections. Each function here
 * takes the argument tuple as a hostile file may have it: any length, any kinds of values. */
#include "pickle_machine.h"

#include "core/alloc.h"
#include "core/text.h"
#include "weights/safetensors.h"

#include <string.h>

#define MAX_KEY 200 /* of a storage: torch counts from "0", and older versions wrote addresses */

/* Is the value this string? Strings of a pickle have no closing zero. */
static bool is_text(const pickle_value *v, const char *want)
{
    return v->kind == PICKLE_BYTES && v->u.s.bytes == strlen(want) && memcmp(v->u.s.text, want, v->u.s.bytes) == 0;
}

static bool is_name(const pickle_value *v, pickle_name name)
{
    return v->kind == PICKLE_GLOBAL && v->u.global.name == name;
}

/* ('storage', StorageType, key, location, count[, view]): of old files the last is None `count` is in elements of the
 * type and becomes bytes here; UntypedStorage counts bytes already. The location ("cuda:0") means nothing for reading.
 * A pickle with six entries comes from torch before 1.6, whose views of storages the zip format no longer has; only
 * five are accepted. */
mb_status pickle_persistent_id(machine *m)
{
    pickle_value *id = pickle_pop(m);
    if (id == NULL) {
        return pickle_status(m);
    }
    pickle_value *const *a = id->u.list.items;
    if (id->kind != PICKLE_TUPLE || id->u.list.n != 5 || !is_text(a[0], "storage") || !is_name(a[1], NAME_STORAGE) ||
        a[2]->kind != PICKLE_BYTES || a[4]->kind != PICKLE_INT || a[4]->u.integer < 0 ||
        !mb_is_name(a[2]->u.s.text, a[2]->u.s.bytes, MAX_KEY)) {
        return pickle_bad(m, "a persistent id that is no storage");
    }
    pickle_value *v = pickle_new(m, PICKLE_STORAGE);
    if (v == NULL) {
        return pickle_status(m);
    }
    uint64_t size = mb_st_dtype_size((mb_st_dtype)a[1]->u.global.type), bytes;
    v->u.storage.type = a[1]->u.global.type;
    v->u.storage.key = a[2]->u.s.text;
    v->u.storage.key_bytes = a[2]->u.s.bytes;
    if (__builtin_mul_overflow((uint64_t)a[4]->u.integer, size, &bytes)) {
        return pickle_bad(m, "a storage is too large");
    }
    v->u.storage.bytes = bytes;
    return pickle_push(m, v);
}

/* ---- tensors */

/* A size or a stride: a tuple of at most 8 numbers, none negative. torch has no negative strides, and a negative size
 * would turn into a huge one later. */
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

/* The bits that torch keeps beside a view: {"neg": True} turns the sign of what the storage holds, {"conj": True} means
 * something to complex numbers only. Others are not known, and a value that they change would be a wrong one. */
static mb_status read_view_bits(machine *m, pickle_tensor *t, const pickle_value *bits)
{
    if (bits->kind == PICKLE_NONE) {
        return MB_OK;
    }
    if (bits->kind != PICKLE_DICT) {
        return pickle_bad(m, "a tensor's metadata are no dict");
    }
    for (size_t i = 0; i + 1 < bits->u.list.n; i += 2) {
        const pickle_value *key = bits->u.list.items[i], *value = bits->u.list.items[i + 1];
        const bool set = value->kind != PICKLE_NONE && !(value->kind == PICKLE_BOOL && value->u.integer == 0);
        if (is_text(key, "neg") && value->kind == PICKLE_BOOL) {
            t->negated = set;
        } else if (is_text(key, "conj") && value->kind == PICKLE_BOOL) {
            t->unread = set && t->unread == NULL ? "a conjugated view (\"conj\")" : t->unread;
        } else if (set) {
            t->unread = "a view with a flag that is not known here";
        }
    }
    return MB_OK;
}

/* A tensor and the value that owns it. NULL, with the failure recorded, when memory is short; the value is then on the
 * list of all values and is freed with them. */
static pickle_tensor *new_tensor(machine *m, pickle_value **value)
{
    *value = pickle_new(m, PICKLE_TENSOR);
    if (*value == NULL) {
        return NULL;
    }
    pickle_tensor *t = mb_calloc(1, sizeof *t);
    if (t == NULL) {
        (void)mb_fail_memory(m->err, sizeof *t, "a tensor");
    }
    (*value)->u.tensor = t;
    return t;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks[, metadata]), and v3 with a dtype before the
 * metadata, its storage of plain bytes. Offset and strides are in elements. They are not compared with the storage
 * here: only torch_zip.c knows how long the member in the archive really is. */
static mb_status rebuild_tensor(machine *m, const pickle_value *args, bool with_type)
{
    pickle_value *const *a = args->u.list.items;
    const size_t most = with_type ? 8 : 7, least = with_type ? 7 : 4;
    int n_strides;
    if (args->u.list.n < least || args->u.list.n > most || a[0]->kind != PICKLE_STORAGE || a[1]->kind != PICKLE_INT ||
        a[1]->u.integer < 0 || (with_type && !is_name(a[6], NAME_DTYPE))) {
        return pickle_bad(m, "a tensor is built of something else than a storage");
    }
    pickle_value *v;
    pickle_tensor *t = new_tensor(m, &v);
    if (t == NULL) {
        return pickle_status(m);
    }
    t->type = with_type ? a[6]->u.global.type : a[0]->u.storage.type;
    t->unread = mb_st_dtype_unread((mb_st_dtype)t->type);
    t->key = a[0]->u.storage.key;
    t->key_bytes = a[0]->u.storage.key_bytes;
    t->storage_bytes = a[0]->u.storage.bytes;
    t->offset = a[1]->u.integer;
    if (!copy_integers(t->dims, &t->rank, a[2]) || !copy_integers(t->strides, &n_strides, a[3]) ||
        n_strides != t->rank) {
        return pickle_bad(m, "a tensor's size or stride is not 0 to 8 non-negative numbers");
    }
    /* The metadata are the last argument; files of older versions of torch end before them. */
    mb_status status = args->u.list.n == most ? read_view_bits(m, t, a[most - 1]) : MB_OK;
    return status != MB_OK ? status : pickle_push(m, v);
}

/* A tensor of a kind whose values are not read. Its shape is the argument `shape`, where that is one. The tensor is
 * listed all the same, so that a quantised layer beside the model does no harm and one inside it can be named. */
static mb_status unread_tensor(machine *m, const pickle_value *args, const char *what, size_t shape)
{
    pickle_value *v;
    pickle_tensor *t = new_tensor(m, &v);
    if (t == NULL) {
        return pickle_status(m);
    }
    t->type = MB_ST_OTHER;
    t->unread = what;
    if (args->u.list.n <= shape || !copy_integers(t->dims, &t->rank, args->u.list.items[shape])) {
        t->rank = 0;
    }
    return pickle_push(m, v);
}

/* ---- collections */

/* OrderedDict([(key, value), ...]), defaultdict(factory, dict), Counter(dict): what follows as items comes later.
 * Pairs given as arguments are copied, since the pickle may use the same list again. */
static mb_status make_dict(machine *m, const pickle_value *args)
{
    pickle_value *dict = pickle_new(m, PICKLE_DICT);
    mb_status status = dict != NULL ? MB_OK : pickle_status(m);
    for (size_t k = 0; k < args->u.list.n && status == MB_OK; k++) {
        const pickle_value *from = args->u.list.items[k];
        for (size_t i = 0; from->kind == PICKLE_DICT && i < from->u.list.n && status == MB_OK; i++) {
            status = pickle_list_add(m, dict, from->u.list.items[i]);
        }
        for (size_t i = 0; from->kind == PICKLE_TUPLE && i < from->u.list.n && status == MB_OK; i++) {
            const pickle_value *pair = from->u.list.items[i];
            if (pair->kind != PICKLE_TUPLE || pair->u.list.n != 2) {
                return pickle_bad(m, "an OrderedDict is made of something else than pairs");
            }
            status = pickle_list_add(m, dict, pair->u.list.items[0]);
            status = status != MB_OK ? status : pickle_list_add(m, dict, pair->u.list.items[1]);
        }
    }
    return status != MB_OK ? status : pickle_push(m, dict);
}

/* set([...]), deque([...], maxlen), list(...): the items of the first argument. Anything else in its place gives an
 * empty list, as no tensor can lie there. */
static mb_status make_sequence(machine *m, const pickle_value *args)
{
    pickle_value *list = pickle_new(m, PICKLE_TUPLE);
    mb_status status = list != NULL ? MB_OK : pickle_status(m);
    const pickle_value *from = args->u.list.n > 0 ? args->u.list.items[0] : NULL;
    for (size_t i = 0; from != NULL && from->kind == PICKLE_TUPLE && i < from->u.list.n && status == MB_OK; i++) {
        status = pickle_list_add(m, list, from->u.list.items[i]);
    }
    return status != MB_OK ? status : pickle_push(m, list);
}

/* getattr(Class, "MEMBER") Some versions of Python save a member of an enum in this way. The name must not begin with
 * an underscore: getattr(Class, "__init__") and the like are the first steps of an attack, and no enum needs them. */
static mb_status take_member(machine *m, const pickle_value *args)
{
    bool ok = args->u.list.n == 2 && is_name(args->u.list.items[0], NAME_OPAQUE) &&
              args->u.list.items[1]->kind == PICKLE_BYTES;
    const char *name = ok ? args->u.list.items[1]->u.s.text : "";
    ok = ok && args->u.list.items[1]->u.s.bytes > 0 && name[0] != '_';
    return ok ? pickle_push(m, pickle_new(m, PICKLE_OPAQUE)) : pickle_refuse_name(m, "builtins", 8, "getattr", 7);
}

/* ---- calls */

/* What a call gives, by the name that is called. `depth` bounds _rebuild_from_type_v2, which calls another function of
 * the list: nesting it once is what torch writes for a subclass of Tensor. */
static mb_status apply(machine *m, const pickle_value *callee, const pickle_value *args, int depth)
{
    pickle_value *const *a = args->u.list.items;
    const size_t n = args->u.list.n;
    switch (callee->u.global.name) {
    case NAME_DICT:
        return make_dict(m, args);
    case NAME_SEQUENCE:
        return make_sequence(m, args);
    case NAME_REBUILD_TENSOR:
    case NAME_REBUILD_TENSOR_V3:
        return rebuild_tensor(m, args, callee->u.global.name == NAME_REBUILD_TENSOR_V3);
    case NAME_REBUILD_FROM_TYPE: /* (function, class, arguments, attributes) */
        if (n < 3 || a[0]->kind != PICKLE_GLOBAL || a[2]->kind != PICKLE_TUPLE || depth > 0) {
            return pickle_bad(m, "a tensor of its own class is built of something else");
        }
        return apply(m, a[0], a[2], depth + 1);
    /* The index is that of the argument with the shape; n means that there is none to read. */
    case NAME_REBUILD_QUANTISED:
        return unread_tensor(m, args, "quantised numbers", 2);
    case NAME_REBUILD_SPARSE:
        return unread_tensor(m, args, "a sparse tensor", n);
    case NAME_REBUILD_NESTED:
        return unread_tensor(m, args, "a nested tensor", n);
    case NAME_REBUILD_META:
        return unread_tensor(m, args, "no values (saved from torch's meta device)", 1);
    /* A parameter is the tensor it wraps, and a torch.Size the tuple it is made of. */
    case NAME_REBUILD_PARAMETER:
    case NAME_SIZE:
        if (n < 1 || a[0]->kind != (callee->u.global.name == NAME_SIZE ? PICKLE_TUPLE : PICKLE_TENSOR)) {
            return pickle_bad(m, "a parameter or size is built of something else");
        }
        return pickle_push(m, a[0]);
    case NAME_GETATTR:
        return take_member(m, args);
    case NAME_OPAQUE:
        return pickle_push(m, pickle_new(m, PICKLE_OPAQUE));
    default:
        return pickle_bad(m, "a call of a name that is no function");
    }
}

/* REDUCE: takes the callee and its tuple of arguments from the stack and pushes the result. The callee can only be a
 * name that pickle_push_name has let through. */
mb_status pickle_reduce(machine *m)
{
    pickle_value *args = pickle_pop(m), *callee = args != NULL ? pickle_pop(m) : NULL;
    if (callee == NULL || args->kind != PICKLE_TUPLE || callee->kind != PICKLE_GLOBAL) {
        return pickle_bad(m, "a call of something that is no allowed name");
    }
    return apply(m, callee, args, 0);
}

/* NEWOBJ, NEWOBJ_EX: an instance of a class, of arguments (and keywords). Only classes make sense here; a function
 * such as _rebuild_tensor_v2 in this place is no output of Python's pickle module. */
mb_status pickle_new_object(machine *m, bool with_keywords)
{
    const pickle_value *keywords = with_keywords ? pickle_pop(m) : NULL;
    pickle_value *args = with_keywords && keywords == NULL ? NULL : pickle_pop(m);
    const pickle_value *class = args != NULL ? pickle_pop(m) : NULL;
    if (class == NULL) {
        return pickle_status(m);
    }
    if (class->kind != PICKLE_GLOBAL || args->kind != PICKLE_TUPLE) {
        return pickle_bad(m, "an instance of something that is no allowed name");
    }
    switch (class->u.global.name) {
    case NAME_DICT:
    case NAME_SEQUENCE:
    case NAME_OPAQUE:
        return apply(m, class, args, 0);
    default:
        return mb_fail(m->err, MB_E_FORMAT, "its pickle makes an instance (NEWOBJ) of a function; refused\n%s",
                       PICKLE_SAVE_AGAIN);
    }
}

/* BUILD: the attributes of a state dict (its _metadata) and of parameters mean nothing here. Those of an object are
 * kept, for a state dict may lie in one. The object itself stays on the stack. */
mb_status pickle_set_state(machine *m)
{
    pickle_value *state = pickle_pop(m);
    if (state == NULL || m->n_stack == 0) {
        return pickle_bad(m, "its stack is empty");
    }
    pickle_value *object = m->stack[m->n_stack - 1];
    switch (object->kind) {
    case PICKLE_OPAQUE:
        return pickle_list_add(m, object, state);
    case PICKLE_DICT:
    case PICKLE_TUPLE:
    case PICKLE_TENSOR:
        return MB_OK;
    default:
        return pickle_bad(m, "attributes for something that has none");
    }
}
