/* Reading pickles without running anything: an interpreter of the data opcodes over values of our own, which knows the
 * handful of names that a state dict is made of and refuses every other name. */
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
    PICKLE_MARK /* on the stack only */
} pickle_kind;

/* The allowed names. Storages come in the order of storage types below. */
typedef enum pickle_name {
    NAME_ORDERED_DICT,
    NAME_REBUILD_TENSOR,
    NAME_REBUILD_PARAMETER,
    NAME_SIZE,
    NAME_DTYPE, /* torch.float32 and the like: may be there, means nothing to us */
    NAME_STORAGE
} pickle_name;

typedef struct pickle_value pickle_value;

typedef struct pickle_tensor {
    int storage_type; /* mb_st_dtype */
    const char *key;  /* of the storage: its member is ARCHIVE/data/KEY */
    size_t key_bytes;
    uint64_t storage_count; /* elements that the storage says it has */
    int64_t offset;
    int rank;
    int64_t dims[8], strides[8];
} pickle_tensor;

struct pickle_value {
    pickle_kind kind;
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
            int storage_type;
        } global;
        pickle_tensor *tensor;
        struct {
            int storage_type;
            const char *key;
            size_t key_bytes;
            uint64_t count;
        } storage;
    } u;
    pickle_value *next; /* all values of a pickle, for freeing */
};

typedef struct pickle {
    pickle_value *root;
    pickle_value *all;
    size_t n_opcodes, n_values;
} pickle;

/* Reads `bytes` of a pickle (protocols 2 to 5), which must outlive the result. */
MB_MUST_CHECK mb_status pickle_read(pickle *p, const uint8_t *data, size_t bytes, mb_error *err);
void pickle_dispose(pickle *p);

#endif
