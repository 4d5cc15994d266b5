/* Reading pickles without running anything: an interpreter of the data opcodes over values of our own. It knows the
 * names that a state dict is made of; objects of harmless classes become opaque values; every other name is refused. */
#ifndef MB_WEIGHTS_TOOL_PICKLE_H
#define MB_WEIGHTS_TOOL_PICKLE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_FLOAT,
    PICKLE_BYTES,   /* also strings */
    PICKLE_TUPLE,   /* sequences: tuples, lists, sets, torch.Size */
    PICKLE_DICT,    /* items: key, value, key, value ...; also OrderedDict */
    PICKLE_GLOBAL,  /* an allowed name */
    PICKLE_STORAGE, /* what a persistent id stands for */
    PICKLE_TENSOR,
    PICKLE_OPAQUE, /* an object that means nothing here; items: its attributes (dicts) */
    PICKLE_MARK    /* on the stack only */
} pickle_kind;

/* What an allowed name stands for. */
typedef enum pickle_name {
    NAME_DICT,     /* collections.OrderedDict and its kin */
    NAME_SEQUENCE, /* set, deque: their arguments' items */
    NAME_REBUILD_TENSOR,
    NAME_REBUILD_TENSOR_V3, /* with a dtype of its own */
    NAME_REBUILD_PARAMETER, /* of a tensor */
    NAME_REBUILD_FROM_TYPE, /* of another function and its arguments */
    NAME_REBUILD_QUANTISED, /* ... of kinds of tensors whose values are not read */
    NAME_REBUILD_SPARSE,
    NAME_REBUILD_NESTED,
    NAME_REBUILD_META,
    NAME_SIZE,
    NAME_DTYPE, /* torch.float32 and the like */
    NAME_STORAGE,
    NAME_GETATTR, /* only of an opaque class: how some versions of Python save a member of an enum */
    NAME_OPAQUE   /* a harmless class: what it makes is opaque */
} pickle_name;

typedef struct pickle_value pickle_value;

typedef struct pickle_tensor {
    int type;           /* mb_st_dtype of the values */
    const char *unread; /* why its values cannot be read ("quantised numbers"); NULL: they can */
    bool negated;       /* the values are the storage's with the other sign */
    const char *key;    /* of the storage: its member is ARCHIVE/data/KEY */
    size_t key_bytes;
    uint64_t storage_bytes; /* that the storage says it has */
    int64_t offset;
    int rank;
    int64_t dims[8], strides[8];
} pickle_tensor;

struct pickle_value {
    pickle_kind kind;
    bool seen; /* for walks over values, which may contain themselves */
    union {
        int64_t integer; /* also bool */
        double number;
        struct {
            const char *text; /* into the pickle */
            size_t bytes;
        } s;
        struct {
            pickle_value **items;
            size_t n, capacity;
        } list;
        struct {
            pickle_name name;
            int type; /* mb_st_dtype, of storages and dtypes */
        } global;
        pickle_tensor *tensor;
        struct {
            int type; /* mb_st_dtype; MB_ST_U8 for storages of plain bytes */
            const char *key;
            size_t key_bytes;
            uint64_t bytes;
        } storage;
    } u;
    pickle_value *next; /* all values of a pickle, for freeing */
};

typedef struct pickle {
    pickle_value *root;
    pickle_value *all;
    size_t n_opcodes, n_values, n_items;
} pickle;

/* Reads `bytes` of a pickle (protocols 2 to 5), which must outlive the result. */
MB_MUST_CHECK mb_status pickle_read(pickle *p, const uint8_t *data, size_t bytes, mb_error *err);
void pickle_dispose(pickle *p);

#endif
