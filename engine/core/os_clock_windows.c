/* The monotonic clock on Windows (clock.h). */
#include "core/clock.h"

#include "core/os_windows.h"

double mb_clock_ms(void)
{
    LARGE_INTEGER now, frequency;
    (void)QueryPerformanceFrequency(&frequency);
    (void)QueryPerformanceCounter(&now);
    return (double)now.QuadPart * 1e3 / (double)frequency.QuadPart;
}
