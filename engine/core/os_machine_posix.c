/* Limits of the machine (see the header). Control groups: the kernel's Documentation/admin-guide/cgroup-v2.rst and
 * cgroup-v1/memory.rst. A group's files lie below the mount point of its hierarchy, at the group's path less the path
 * that is mounted there (in a container that is usually the group itself). Limits of all groups above count. */
#define _GNU_SOURCE
#include "core/machine.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define LINE_BYTES (PATH_MAX + 512)
#define NO_LIMIT   UINT64_MAX

/* One hierarchy of control groups that this process is in: `folder` is its group's, and starts with `mount`. */
typedef struct hierarchy {
    bool found;
    size_t mount; /* length of the mount point within `folder` */
    char folder[PATH_MAX];
} hierarchy;

/* root: "" for the machine itself, a folder in the tests. NULL also where the machine lacks the file, as outside Linux
 * containers: no limit is known then. */
static FILE *open_at(const char *root, const char *path)
{
    char full[PATH_MAX];
    int n = snprintf(full, sizeof full, "%s%s", root, path);
    return n > 0 && (size_t)n < sizeof full ? fopen(full, "re") : NULL;
}

/* Is `word` one of the comma-separated words of `list`? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += n) {
        if ((at == list || at[-1] == ',') && (at[n] == '\0' || at[n] == ',')) {
            return true;
        }
    }
    return false;
}

/* The group of this process in the hierarchy of `controller` (NULL: that of v2), from /proc/self/cgroup. Lines read
 * "ID:CONTROLLERS:PATH"; v2 is ID 0 with an empty list. */
static bool find_group(char *group, size_t bytes, const char *root, const char *controller)
{
    char line[LINE_BYTES];
    bool found = false;
    FILE *f = open_at(root, "/proc/self/cgroup");
    while (f != NULL && !found && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *list = strchr(line, ':'), *path = list != NULL ? strchr(list + 1, ':') : NULL;
        if (path == NULL) {
            continue;
        }
        *list++ = '\0';
        *path++ = '\0';
        found = controller == NULL ? strcmp(line, "0") == 0 && list[0] == '\0' : has_word(list, controller);
        if (found) {
            (void)snprintf(group, bytes, "%s", path);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return found;
}

/* A line of /proc/self/mountinfo: "ID PARENT DEV ROOT POINT OPTIONS [FIELD]... - TYPE SOURCE SUPER". The line is taken
 * apart in place. Optional fields before the dash may be any number, which is why the type is searched from there. For
 * v1 the controllers stand among the super block's options. */
static bool read_mount(char *line, const char *controller, char **mounted, char **point)
{
    char *rest = strstr(line, " - "), *save = NULL;
    if (rest == NULL) {
        return false;
    }
    *rest = '\0';
    char *type = strtok_r(rest + 3, " \n", &save);
    (void)strtok_r(NULL, " \n", &save);
    char *super = strtok_r(NULL, " \n", &save);
    if (type == NULL || strcmp(type, controller == NULL ? "cgroup2" : "cgroup") != 0 ||
        (controller != NULL && (super == NULL || !has_word(super, controller)))) {
        return false;
    }
    save = NULL;
    char *field = strtok_r(line, " ", &save);
    for (int i = 0; field != NULL && i < 3; i++) {
        field = strtok_r(NULL, " ", &save);
    }
    *mounted = field;
    *point = strtok_r(NULL, " ", &save);
    return *mounted != NULL && *point != NULL;
}

/* Both files are needed: the one says which group this process is in, the other where groups can be seen. A group
 * outside the mounted part is that of another namespace. */
static hierarchy find_hierarchy(const char *root, const char *controller)
{
    hierarchy h = {0};
    char group[PATH_MAX], line[LINE_BYTES], *mounted, *point;
    FILE *f = find_group(group, sizeof group, root, controller) ? open_at(root, "/proc/self/mountinfo") : NULL;
    while (f != NULL && !h.found && fgets(line, sizeof line, f) != NULL) {
        if (!read_mount(line, controller, &mounted, &point)) {
            continue;
        }
        size_t above = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);
        const char *below = strncmp(group, mounted, above) == 0 ? group + above : "";
        int n = snprintf(h.folder, sizeof h.folder, "%s%s%s", root, point, strcmp(below, "/") == 0 ? "" : below);
        h.mount = strlen(root) + strlen(point);
        h.found = n > 0 && (size_t)n < sizeof h.folder;
        if (h.found && access(h.folder, F_OK) != 0) {
            h.folder[h.mount] = '\0'; /* the path is one of another namespace: what is mounted is what we see */
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return h;
}

/* One step up; false at the mount point. */
static bool go_up(hierarchy *h)
{
    char *slash = strrchr(h->folder, '/');
    if (slash == NULL || (size_t)(slash - h->folder) < h->mount) {
        return false;
    }
    *slash = '\0';
    return true;
}

/* Two numbers of a group's file ("max": no limit); how many there were. */
static int read_numbers(uint64_t out[2], const hierarchy *h, const char *name)
{
    char path[PATH_MAX + 64], word[2][32];
    (void)snprintf(path, sizeof path, "%s/%s", h->folder, name);
    FILE *f = fopen(path, "re");
    int n = f != NULL ? fscanf(f, "%31s %31s", word[0], word[1]) : 0;
    if (f != NULL) {
        (void)fclose(f);
    }
    for (int i = 0; i < n; i++) {
        out[i] = word[i][0] >= '0' && word[i][0] <= '9' ? strtoull(word[i], NULL, 10) : NO_LIMIT;
    }
    return n < 0 ? 0 : n;
}

/* Bytes of page cache that the group can give back: its memory.stat counts them under these names. v1 has a line for
 * the group alone and one ("total_") with its children; only the latter matters, as a group's usage includes its
 * children's. */
static uint64_t reclaimable(const hierarchy *h, bool v2)
{
    char path[PATH_MAX + 64], name[64];
    unsigned long long value;
    uint64_t sum = 0;
    (void)snprintf(path, sizeof path, "%s/memory.stat", h->folder);
    FILE *f = fopen(path, "re");
    while (f != NULL && fscanf(f, "%63s %llu", name, &value) == 2) {
        const char *plain = !v2 && strncmp(name, "total_", 6) == 0 ? name + 6 : v2 ? name : "";
        if (strcmp(plain, "inactive_file") == 0 || strcmp(plain, "active_file") == 0) {
            sum += value;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return sum;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What the groups of one hierarchy leave. Bytes, or NO_LIMIT. Page cache does not count as used, since the kernel
 * drops it under pressure: a model that has just been read would otherwise seem to fill the group. At least 1, because
 * 0 means "unknown" to callers. */
static uint64_t group_memory(const char *root, bool v2)
{
    static const char *const limits[2][2] = {{"memory.limit_in_bytes", "memory.memsw.limit_in_bytes"},
                                             {"memory.max", "memory.high"}};
    hierarchy h = find_hierarchy(root, v2 ? NULL : "memory");
    uint64_t left = NO_LIMIT;
    bool more = h.found;
    while (more) {
        uint64_t v[2], used[2], limit = NO_LIMIT;
        for (int i = 0; i < 2; i++) {
            limit = read_numbers(v, &h, limits[v2][i]) > 0 ? least(limit, v[0]) : limit;
        }
        if (limit < (uint64_t)1 << 60 && /* v1 writes "no limit" as a huge number */
            read_numbers(used, &h, v2 ? "memory.current" : "memory.usage_in_bytes") > 0) {
            uint64_t cache = reclaimable(&h, v2), held = used[0] > cache ? used[0] - cache : 0;
            left = least(left, limit > held ? limit - held : 1);
        }
        more = go_up(&h);
    }
    return left;
}

/* Processors that the quotas of one hierarchy allow, rounded up; 0: no quota. A quota of 150 ms in 100 ms counts as 2:
 * a thread more costs little, one less leaves time unused. */
static uint64_t group_quota(const char *root, bool v2)
{
    hierarchy h = find_hierarchy(root, v2 ? NULL : "cpu");
    uint64_t quota = 0;
    bool more = h.found;
    while (more) {
        uint64_t v[2] = {NO_LIMIT, 0}, period[2];
        bool known =
            v2 ? read_numbers(v, &h, "cpu.max") == 2
               : read_numbers(v, &h, "cpu.cfs_quota_us") > 0 && read_numbers(period, &h, "cpu.cfs_period_us") > 0;
        v[1] = known && !v2 ? period[0] : v[1];
        if (known && v[0] != NO_LIMIT && v[0] > 0 && v[1] > 0) {
            uint64_t n = v[0] / v[1] + (v[0] % v[1] != 0);
            quota = quota == 0 ? n : least(quota, n);
        }
        more = go_up(&h);
    }
    return quota;
}

/* The stricter one of both versions, which may be mounted side by side. */
int mb_machine_quota_at(const char *root)
{
    uint64_t v1 = group_quota(root, false), v2 = group_quota(root, true);
    uint64_t n = v1 == 0 ? v2 : v2 == 0 ? v1 : least(v1, v2);
    return n > 4096 ? 4096 : (int)n;
}

/* What the affinity mask (taskset, cpusets) and the quota (containers) allow; at least 1. */
int mb_machine_processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1, quota = mb_machine_quota_at("");
    n = quota > 0 && quota < n ? quota : n;
    return n < 1 ? 1 : n;
}

/* MemAvailable is the kernel's own estimate of what can be had without swapping. 0: nothing is known. */
size_t mb_machine_memory_at(const char *root)
{
    char line[128];
    unsigned long long kib = 0;
    uint64_t left = NO_LIMIT;
    FILE *f = open_at(root, "/proc/meminfo");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) {
            left = kib * 1024u;
            break;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    left = least(left, least(group_memory(root, false), group_memory(root, true)));
    return left == NO_LIMIT || left > SIZE_MAX ? 0 : (size_t)left;
}

/* What a limit leaves of pages of /proc/self/statm: field 0 is the address space, field 5 data and stack. */
static uint64_t limit_leaves(int resource, int field)
{
    struct rlimit limit;
    unsigned long long v[6] = {0};
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return NO_LIMIT;
    }
    FILE *f = fopen("/proc/self/statm", "re");
    if (f != NULL) {
        int n = fscanf(f, "%llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]);
        (void)fclose(f);
        v[field] = n > field ? v[field] : 0;
    }
    uint64_t used = v[field] * (uint64_t)sysconf(_SC_PAGESIZE);
    return limit.rlim_cur > used ? limit.rlim_cur - used : 1;
}

/* As above, and what ulimit -v and -d leave to this process. */
size_t mb_machine_memory(void)
{
    size_t system = mb_machine_memory_at("");
    uint64_t own = least(limit_leaves(RLIMIT_AS, 0), limit_leaves(RLIMIT_DATA, 5));
    return own == NO_LIMIT || (system > 0 && system < own) ? system : (size_t)own;
}

int mb_machine_address_space_is_limited(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}
