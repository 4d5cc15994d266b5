/* Hashes: FNV-1a-64 (names), XXH64 (tensor data, fast), SHA-256 (whole files, for the record of where they came from).
 */
#ifndef MB_CORE_HASH_H
#define MB_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define MB_FNV1A64_BASIS 0xCBF29CE484222325u

/* Continues from `h` (MB_FNV1A64_BASIS at the start). */
uint64_t mb_fnv1a64(uint64_t h, const void *data, size_t bytes);

/* XXH64 with seed 0, as published with the xxHash library; docs/format.md repeats the algorithm. */
typedef struct mb_xxh64 {
    uint64_t lane[4];
    uint64_t total;   /* bytes so far */
    uint8_t tail[32]; /* bytes that do not fill a stripe yet: total % 32 of them */
} mb_xxh64;

void mb_xxh64_init(mb_xxh64 *s);
void mb_xxh64_update(mb_xxh64 *s, const void *data, size_t bytes);
uint64_t mb_xxh64_digest(const mb_xxh64 *s); /* the state may go on */
uint64_t mb_hash64(const void *data, size_t bytes);

/* SHA-256 (FIPS 180-4); uses the processor's SHA instructions where there are any. */
typedef struct mb_sha256 {
    uint32_t h[8];
    uint64_t total;
    uint8_t tail[64];
} mb_sha256;

void mb_sha256_init(mb_sha256 *s);
void mb_sha256_update(mb_sha256 *s, const void *data, size_t bytes);
void mb_sha256_final(mb_sha256 *s, uint8_t digest[32]);
/* Lower-case hexadecimal, zero-terminated. */
void mb_hex(char *dst, const uint8_t *bytes, size_t n);

#endif
