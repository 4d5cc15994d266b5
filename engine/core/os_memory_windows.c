/* Memory on Windows (os_process.h). */
#include "core/os_process.h"

#include "core/os_windows.h"

#include <malloc.h>
#include <psapi.h>

static double seconds(FILETIME t)
{
    return (double)((uint64_t)t.dwHighDateTime << 32 | t.dwLowDateTime) * 1e-7;
}

double mb_os_cpu_seconds(void)
{
    FILETIME begun, ended, kernel, user;
    return GetProcessTimes(GetCurrentProcess(), &begun, &ended, &kernel, &user) ? seconds(kernel) + seconds(user) : 0;
}

uint64_t mb_os_peak_bytes(void)
{
    PROCESS_MEMORY_COUNTERS c = {.cb = sizeof c};
    return K32GetProcessMemoryInfo(GetCurrentProcess(), &c, sizeof c) ? c.PeakWorkingSetSize : 0;
}

/* Large pages need a privilege that users do not have. */
void mb_os_keep_memory(int most)
{
    (void)most;
}

void *mb_os_alloc_aligned(size_t bytes, size_t alignment, bool huge)
{
    (void)huge;
    return _aligned_malloc(bytes, alignment);
}

void mb_os_free_aligned(void *p)
{
    _aligned_free(p);
}

/* Unlocking pages that are not locked takes them out of the working set. */
void mb_os_release_pages(const void *p, size_t bytes)
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    uintptr_t page = system.dwPageSize;
    uintptr_t begin = ((uintptr_t)p + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)p + bytes) / page * page;
    if (end > begin) {
        (void)VirtualUnlock((void *)begin, end - begin);
    }
}
