/* fmaf for Windows: the one that MinGW brings rounds twice. Takes its place when the program is linked. */
#include <math.h>
#include <stdint.h>
#include <string.h>

/* The product is exact in double. The sum is made odd where it is not exact, so that rounding it once more gives what one
 * rounding gives (double has more than two bits beyond twice those of float). */
float fmaf(float x, float y, float z)
{
    double p = (double)x * (double)y, s = p + (double)z, t = s - p;
    double error = (p - (s - t)) + ((double)z - t);
    if (error > 0 || error < 0) { /* neither for infinities and NaN */
        uint64_t bits;
        memcpy(&bits, &s, sizeof bits);
        if ((bits & 1) == 0) {
            bits = (error > 0) == (s > 0) ? bits + 1 : bits - 1;
            memcpy(&s, &bits, sizeof s);
        }
    }
    return (float)s;
}
