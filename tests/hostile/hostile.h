/* The hostile corpus: files that are made from sound ones by rules, the same ones every time, and what becomes of them. */
#ifndef MB_TEST_HOSTILE_H
#define MB_TEST_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum hostile_kind {
    HOSTILE_MODEL,
    HOSTILE_SAFETENSORS,
    HOSTILE_ZIP,
    HOSTILE_PICKLE,
    HOSTILE_PICTURE
} hostile_kind;

/* Takes one file; `family` is "KIND/RULE". */
typedef void (*hostile_fn)(void *user, hostile_kind kind, const char *family, const uint8_t *bytes, size_t n);

typedef struct hostile_maker {
    hostile_fn take;
    void *user;
} hostile_maker;

/* All files that come from this sound one. */
void hostile_from(const hostile_maker *m, hostile_kind kind, const uint8_t *seed, size_t n);
/* Those that come from none: bombs, loops, files of two formats, lies about sizes. */
void hostile_specials(const hostile_maker *m);

/* Reads the file as its kind. The result is 0 (accepted) or the error's code; *message_hash is of what was said (0 where
 * the words are a picture library's). Says and ends the program where a reader breaks its promise. */
int hostile_verdict(hostile_kind kind, const uint8_t *bytes, size_t n, uint64_t *message_hash);

#endif
