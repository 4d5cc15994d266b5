/* UTF-8 checks, safe printing, numbers. Text of model files, checkpoints and requests is somebody else's: it is checked
 * before it is compared, and made harmless before it is shown (a control character in a tensor's name could act on the
 * terminal that shows the message). */
#include "core/text.h"

#include <stdint.h>
#include <string.h>

/* By the first byte, then by the ranges of those that follow (Unicode, table 3-7). */
int mb_utf8_length(const char *p, size_t n)
{
    const uint8_t *u = (const uint8_t *)p;
    if (n == 0) {
        return 0;
    }
    if (u[0] < 0x80) {
        return 1;
    }
    int length = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC2 || u[0] > 0xF4 || n < (size_t)length) {
        return 0;
    }
    for (int i = 1; i < length; i++) {
        if ((u[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    /* the second byte's narrower ranges: overlong forms, surrogates, beyond the last code point */
    bool bad = (u[0] == 0xE0 && u[1] < 0xA0) || (u[0] == 0xED && u[1] > 0x9F) || (u[0] == 0xF0 && u[1] < 0x90) ||
               (u[0] == 0xF4 && u[1] > 0x8F);
    return bad ? 0 : length;
}

bool mb_is_utf8(const char *text, size_t n)
{
    for (size_t i = 0; i < n;) {
        int length = mb_utf8_length(text + i, n - i);
        if (length == 0) {
            return false;
        }
        i += (size_t)length;
    }
    return true;
}

/* C0, DEL, and C1 (two bytes: C2 80 to C2 9F), which terminals obey as well. */
static bool is_control(const char *p)
{
    uint8_t c = (uint8_t)p[0];
    return c < 0x20 || c == 0x7F || (c == 0xC2 && (uint8_t)p[1] < 0xA0);
}

/* What may be shown and compared without surprises. */
bool mb_is_name(const char *text, size_t n, size_t longest)
{
    if (n == 0 || n > longest) {
        return false;
    }
    for (size_t i = 0; i < n;) {
        int length = mb_utf8_length(text + i, n - i);
        if (length == 0 || is_control(text + i)) {
            return false;
        }
        i += (size_t)length;
    }
    return true;
}

/* Never cuts a character in two. */
char *mb_printable(char *dst, size_t capacity, const char *text, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < n;) {
        int length = mb_utf8_length(text + i, n - i);
        bool plain = length > 0 && !is_control(text + i);
        size_t need = plain ? (size_t)length : 4;
        if (at + need + 4 > capacity) { /* room for "..." and the zero */
            memcpy(dst + at, "...", 3);
            at += 3;
            break;
        }
        if (plain) {
            memcpy(dst + at, text + i, need);
            i += need;
        } else {
            uint8_t c = (uint8_t)text[i++];
            const char hex[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
            memcpy(dst + at, hex, 4);
        }
        at += need;
    }
    dst[at] = '\0';
    return dst;
}

/* [eE][+-]digits -> *power; where it ends. `text` itself where there is no exponent, or one that cannot count. */
static const char *read_exponent(int *power, const char *text)
{
    const char *p = text;
    *power = 0;
    if (*p != 'e' && *p != 'E') {
        return text;
    }
    p++;
    bool negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (*p < '0' || *p > '9') {
        return text;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        *power = *power < 1000 ? *power * 10 + (*p - '0') : *power;
    }
    *power = negative ? -*power : *power;
    return p;
}

/* Digits (below 10^15) and the power of ten (to 10^22) are exact in a double, so that one operation rounds once. */
const char *mb_text_number(double *out, const char *text)
{
    bool negative = *text == '-', point = false;
    double digits = 0, scale = 1;
    int n = 0, fraction = 0, power;
    *out = 0;
    for (text += negative; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        if (++n > 15) {
            return NULL;
        }
        digits = digits * 10 + (*text - '0');
        fraction += point;
    }
    if (n == 0) {
        return NULL;
    }
    const char *end = read_exponent(&power, text);
    power -= fraction;
    if (power < -22 || power > 22) {
        return NULL;
    }
    for (int i = 0; i < (power < 0 ? -power : power); i++) {
        scale *= 10;
    }
    double value = power < 0 ? digits / scale : digits * scale;
    *out = negative ? -value : value;
    return end;
}
