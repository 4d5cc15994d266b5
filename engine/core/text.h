/* Text from outside: is it what it should be, and how to show it without letting it act. */
#ifndef MB_CORE_TEXT_H
#define MB_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the UTF-8 character at `p` (1 to 4), 0 where the bytes are not one (overlong forms, surrogates and values
 * above U+10FFFF included). */
int mb_utf8_length(const char *p, size_t n);
bool mb_is_utf8(const char *text, size_t n);
/* UTF-8 without control characters, 1 to `longest` bytes: what names of tensors and keys may be. */
bool mb_is_name(const char *text, size_t n, size_t longest);
/* Copies for a message: control characters and bad bytes become \xNN; cut with "..." where it does not fit. Returns
 * dst. */
char *mb_printable(char *dst, size_t capacity, const char *text, size_t n);

/* "-12.34", "1e-06" at the start of `text`, whatever the locale (strtod and sscanf take its decimal sign). *out is the
 * double nearest to the decimal number. Up to 15 digits and powers of ten from -22 to 22. Returns where the number
 * ends; NULL where there is none, or none so small, and *out is 0. */
const char *mb_text_number(double *out, const char *text);

#endif
