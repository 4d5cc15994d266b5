/* What this process may use of the machine: processors and memory, as the kernel, its control groups (containers, batch
 * systems) and its resource limits allow. Asked anew at each call: limits change while a program runs. */
#ifndef MB_CORE_MACHINE_H
#define MB_CORE_MACHINE_H

#include <stddef.h>

/* Processors: the affinity mask, and the quota of every control group above (cpu.max of v2, cpu.cfs_quota_us of v1),
 * rounded up. At least 1. */
int mb_machine_processors(void);

/* Bytes that may still be taken: the least of what the system has available, what each control group above leaves
 * (memory.max and memory.high of v2, memory.limit_in_bytes of v1; page cache that can be reclaimed counts as free) and
 * what RLIMIT_AS and RLIMIT_DATA leave. 0: not known. */
size_t mb_machine_memory(void);

/* Whether the address space of this process is limited (ulimit -v): some libraries do not survive that. */
int mb_machine_address_space_is_limited(void);

/* The same with another root in front of /proc and /sys, for tests; RLIMITs are left out. */
int mb_machine_quota_at(const char *root); /* processors by quota; 0: no quota */
size_t mb_machine_memory_at(const char *root);

#endif
