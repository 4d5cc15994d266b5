/* The monotonic clock by POSIX (clock.h). */
#define _GNU_SOURCE
#include "core/clock.h"

#include <time.h>

double mb_clock_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}
