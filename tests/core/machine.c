/* Limits of control groups, read from trees of files as the kernel shows them, and limits of the process itself. */
#include "core/machine.h"
#include "harness/check.h"
#include "harness/process.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static const char *folder;
static char root[4096];

/* A file below a root of its own for each case. */
static void put(const char *name, const char *path, const char *text)
{
    static process p;
    char full[512];
    (void)snprintf(full, sizeof full, "%s%s", name, path);
    process_run(&p, "mkdir -p \"$(dirname '%s')\"", full);
    file_write_text(full, text);
}

static const char *root_of(const char *name)
{
    (void)snprintf(root, sizeof root, "%s/%s", folder, name);
    return root;
}

#define MEMINFO "MemTotal: 9000000 kB\nMemFree: 1 kB\nMemAvailable:    8000000 kB\n"

TEST(no_groups)
{
    put("plain", "/proc/meminfo", MEMINFO);
    CHECK_EQ(mb_machine_memory_at(root_of("plain")), (size_t)8000000 * 1024);
    CHECK_EQ(mb_machine_quota_at(root), 0);
    CHECK_EQ(mb_machine_memory_at(root_of("nothing")), 0);
}

/* v2: the limit of a group above counts; page cache that can be reclaimed is free; memory.high is a limit too. */
TEST(v2)
{
    put("v2", "/proc/meminfo", MEMINFO);
    put("v2", "/proc/self/cgroup", "0::/pod/box\n");
    put("v2", "/proc/self/mountinfo",
        "25 1 0:22 / /proc rw - proc proc rw\n29 24 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n");
    put("v2", "/sys/fs/cgroup/pod/memory.max", "1000000000\n");
    put("v2", "/sys/fs/cgroup/pod/memory.high", "max\n");
    put("v2", "/sys/fs/cgroup/pod/memory.current", "700000000\n");
    put("v2", "/sys/fs/cgroup/pod/memory.stat", "anon 100000000\ninactive_file 400000000\nactive_file 100000000\n");
    put("v2", "/sys/fs/cgroup/pod/cpu.max", "250000 100000\n");
    put("v2", "/sys/fs/cgroup/pod/box/memory.max", "max\n");
    put("v2", "/sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
    CHECK_EQ(mb_machine_memory_at(root_of("v2")), 800000000u);
    CHECK_EQ(mb_machine_quota_at(root), 3); /* two and a half, rounded up */
    put("v2", "/sys/fs/cgroup/pod/box/memory.high", "300000000\n");
    put("v2", "/sys/fs/cgroup/pod/box/memory.current", "100000000\n");
    CHECK_EQ(mb_machine_memory_at(root), 200000000u);
    put("v2", "/sys/fs/cgroup/pod/box/memory.current", "400000000\n"); /* above it: next to nothing, never "unknown" */
    CHECK_EQ(mb_machine_memory_at(root), 1);
}

/* A container sees its own group mounted at the top, while /proc/self/cgroup may name the host's path. */
TEST(container)
{
    put("box", "/proc/meminfo", MEMINFO);
    put("box", "/proc/self/cgroup", "7:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n");
    put("box", "/proc/self/mountinfo",
        "40 30 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        "41 30 0:32 / /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n");
    put("box", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "500000000\n");
    put("box", "/sys/fs/cgroup/memory/memory.usage_in_bytes", "200000000\n");
    put("box", "/sys/fs/cgroup/memory/memory.stat",
        "inactive_file 1\ntotal_inactive_file 50000000\ntotal_active_file 0\n");
    put("box", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
    put("box", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    CHECK_EQ(mb_machine_memory_at(root_of("box")), 350000000u);
    CHECK_EQ(mb_machine_quota_at(root), 1);
    put("box", "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"); /* v1's "no limit" */
    put("box", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
    CHECK_EQ(mb_machine_memory_at(root), (size_t)8000000 * 1024);
    CHECK_EQ(mb_machine_quota_at(root), 0);
}

TEST(resource_limits)
{
    struct rlimit old, tight;
    size_t before = mb_machine_memory();
    CHECK(before > 0 && mb_machine_processors() >= 1);
    if (getrlimit(RLIMIT_AS, &old) != 0 || old.rlim_cur != RLIM_INFINITY) {
        return;
    }
    CHECK(!mb_machine_address_space_is_limited());
    tight = old;
    tight.rlim_cur = (rlim_t)1 << 45; /* sanitizers map that much for their shadow */
    CHECK(setrlimit(RLIMIT_AS, &tight) == 0);
    struct rlimit now;
    if (getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_cur == RLIM_INFINITY) {
        SKIP("the limit is not kept: an emulator, which needs address space of its own");
    }
    CHECK(mb_machine_address_space_is_limited());
    CHECK(mb_machine_memory() <= (size_t)1 << 45);
    (void)setrlimit(RLIMIT_AS, &old);
}

SETUP
{
    folder = process_folder("core_machine");
}
