/* Limits of the machine on Windows (machine.h): the affinity mask, and the job object that containers and batch systems
 * put a process in. */
#include "core/machine.h"

#include "core/os_windows.h"

#include <stdint.h>

/* Processors of the job's share of time, rounded up; 0: no such limit. */
static int job_quota(void)
{
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate = {0};
    SYSTEM_INFO system;
    const DWORD hard = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
    if (!QueryInformationJobObject(NULL, JobObjectCpuRateControlInformation, &rate, sizeof rate, NULL) ||
        (rate.ControlFlags & hard) != hard || rate.CpuRate == 0) {
        return 0;
    }
    GetSystemInfo(&system);
    return (int)((system.dwNumberOfProcessors * (uint64_t)rate.CpuRate + 9999) / 10000); /* in 1/10000 of them all */
}

/* One group of 64 processors has a mask; where a process spans several, all of them count. */
int mb_machine_processors(void)
{
    DWORD_PTR own = 0, system = 0;
    int n = 0, quota = job_quota();
    if (GetProcessAffinityMask(GetCurrentProcess(), &own, &system) && own != 0) {
        n = __builtin_popcountll(own);
    } else {
        n = (int)GetActiveProcessorCount(ALL_PROCESSOR_GROUPS);
    }
    n = quota > 0 && quota < n ? quota : n;
    return n < 1 ? 1 : n;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Free memory, what may still be committed (memory and page file), and what the job leaves to this process. */
size_t mb_machine_memory(void)
{
    MEMORYSTATUSEX m = {.dwLength = sizeof m};
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION job = {0};
    uint64_t left = UINT64_MAX;
    if (GlobalMemoryStatusEx(&m)) {
        left = least(m.ullAvailPhys, m.ullAvailPageFile);
    }
    if (QueryInformationJobObject(NULL, JobObjectExtendedLimitInformation, &job, sizeof job, NULL)) {
        if ((job.BasicLimitInformation.LimitFlags & JOB_OBJECT_LIMIT_PROCESS_MEMORY) != 0) {
            left = least(left, job.ProcessMemoryLimit);
        }
        if ((job.BasicLimitInformation.LimitFlags & JOB_OBJECT_LIMIT_JOB_MEMORY) != 0) {
            left = least(left, job.JobMemoryLimit);
        }
    }
    return left == UINT64_MAX || left > SIZE_MAX ? 0 : (size_t)left;
}

int mb_machine_address_space_is_limited(void)
{
    return 0;
}

/* There are no control groups. */
int mb_machine_quota_at(const char *root)
{
    (void)root;
    return 0;
}

size_t mb_machine_memory_at(const char *root)
{
    (void)root;
    return mb_machine_memory();
}
