/* Limits of the machine on macOS (machine.h). There are neither affinity masks nor control groups. */
#include "core/machine.h"

#include <mach/mach.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/sysctl.h>

int mb_machine_processors(void)
{
    int n = 0;
    size_t bytes = sizeof n;
    return sysctlbyname("hw.activecpu", &n, &bytes, NULL, 0) == 0 && n > 0 ? n : 1;
}

/* What is free, and what the system gives back when it is asked: pages without a use, and those of files. */
size_t mb_machine_memory(void)
{
    vm_statistics64_data_t s;
    mach_msg_type_number_t n = HOST_VM_INFO64_COUNT;
    mach_port_t host = mach_host_self();
    kern_return_t r = host_statistics64(host, HOST_VM_INFO64, (host_info64_t)&s, &n);
    (void)mach_port_deallocate(mach_task_self(), host);
    if (r != KERN_SUCCESS) {
        return 0;
    }
    uint64_t pages = (uint64_t)s.free_count + s.inactive_count + s.purgeable_count;
    return (size_t)(pages * vm_kernel_page_size);
}

int mb_machine_address_space_is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

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
