/* The .mbw file as bytes (docs/format.md has the words). Little endian throughout.
 *
 *     header, 64 bytes | metadata | tensor table | zeros up to data_offset | tensor data, each 64-byte aligned
 *
 * Reader and writer both use these structs; memory order equals file order on little-endian machines, the only ones
 * that this reader supports (the byte-order mark tells). */
#ifndef MB_WEIGHTS_FORMAT_H
#define MB_WEIGHTS_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define MB_FILE_MAGIC       "MBW" /* with its terminating zero: 4 bytes */
#define MB_FILE_VERSION     1u
#define MB_FILE_BYTE_ORDER  0x01020304u
#define MB_FILE_ALIGN       64u /* of every tensor's data */
#define MB_FILE_TABLE_ALIGN 8u  /* of the table and each of its entries */

#define MB_FILE_MAX_META    ((uint64_t)16 << 20)
#define MB_FILE_MAX_TENSORS 65536u
#define MB_FILE_MAX_NAME    512u
#define MB_FILE_MAX_KEY     128u

typedef struct mb_file_header {
    char magic[4];
    uint32_t version;
    uint32_t byte_order;
    uint32_t n_tensors;
    uint64_t file_bytes;
    uint64_t meta_bytes;   /* metadata: [64, 64 + meta_bytes) */
    uint64_t table_offset; /* 64 + meta_bytes rounded up to 8 */
    uint64_t data_offset;  /* end of the table rounded up to 64 */
    uint64_t digest;       /* XXH64 of bytes [0, data_offset) with this field zero */
    uint64_t reserved;     /* 0 */
} mb_file_header;

/* Metadata: records of this struct, key, zero byte, value, zero byte. */
typedef struct mb_file_pair {
    uint32_t key_bytes;   /* 1 to 128; letters, digits, '.', '_', '-' */
    uint32_t value_bytes; /* UTF-8 without zero bytes */
} mb_file_pair;

/* Table: for each tensor this struct, rank x uint64 dims, the name, zeros (at least one) up to a multiple of 8. */
typedef struct mb_file_entry {
    uint64_t offset; /* from the start of the file */
    uint64_t bytes;
    uint64_t checksum; /* XXH64 of the data */
    uint16_t name_bytes;
    uint8_t dtype; /* mb_dtype: 0 f32, 1 f16, 2 bf16, 3 i64 */
    uint8_t rank;  /* 0 to 6 */
    uint32_t reserved;
} mb_file_entry;

_Static_assert(sizeof(mb_file_header) == 64 && sizeof(mb_file_pair) == 8 && sizeof(mb_file_entry) == 32,
               "the structs are the file");

#endif
