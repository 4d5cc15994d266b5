/* The lengths of a pickle's operations, protocols 0 to 5 as Python's pickletools lists them. */
#include "pickle_ops.h"

#include <string.h>

static size_t lines(const uint8_t *p, size_t n, int count)
{
    size_t at = 1;
    for (; count > 0; count--) {
        const uint8_t *end = memchr(p + at, '\n', n - at);
        if (end == NULL) {
            return 0;
        }
        at = (size_t)(end - p) + 1;
    }
    return at;
}

static size_t counted(const uint8_t *p, size_t n, size_t width)
{
    uint64_t length = 0;
    if (n < 1 + width) {
        return 0;
    }
    for (size_t i = 0; i < width; i++) {
        length |= (uint64_t)p[1 + i] << (8 * i);
    }
    return length <= n - 1 - width ? 1 + width + (size_t)length : 0;
}

size_t pickle_op_bytes(const uint8_t *p, size_t n)
{
    static const char plain[] = "N\x88\x89}]).(0120l\x91"
                                "dtase\x90u\x94\x93QR\x81\x92"
                                "b\x8f\x85\x86\x87\x97\x98o2";
    static const char one[] = "\x80Khq\x82", two[] = "M\x83", four[] = "Jjr\x84", eight[] = "\x95G";
    size_t need;
    if (n == 0) {
        return 0;
    }
    const int c = p[0];
    if (c == 'c' || c == 'i') {
        return lines(p, n, 2);
    }
    if (c == 'P') {
        return lines(p, n, 1);
    }
    if (c == 'X' || c == 'T' || c == 'B' || c == 0x8b) {
        return counted(p, n, 4);
    }
    if (c == 0x8c || c == 'U' || c == 'C' || c == 0x8a) {
        return counted(p, n, 1);
    }
    if (c == 0x8d || c == 0x8e || c == 0x96) {
        return counted(p, n, 8);
    }
    need = c == 0                                       ? 0
           : memchr(plain, c, sizeof plain - 1) != NULL ? 1
           : memchr(one, c, sizeof one - 1) != NULL     ? 2
           : memchr(two, c, sizeof two - 1) != NULL     ? 3
           : memchr(four, c, sizeof four - 1) != NULL   ? 5
           : memchr(eight, c, sizeof eight - 1) != NULL ? 9
                                                        : 0;
    return need <= n ? need : 0;
}
