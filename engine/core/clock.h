/* The one monotonic clock: for durations, never for the time of day. */
#ifndef MB_CORE_CLOCK_H
#define MB_CORE_CLOCK_H

/* Milliseconds since an arbitrary moment; never goes back. Any thread. */
double mb_clock_ms(void);

#endif
