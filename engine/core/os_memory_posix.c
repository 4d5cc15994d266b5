/* Memory by POSIX (os_process.h). */
#define _GNU_SOURCE
#include "core/os_process.h"

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double mb_os_cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

#ifdef __APPLE__
#define PEAK_UNIT 1 /* of ru_maxrss */
#else
#define PEAK_UNIT 1024
#endif

uint64_t mb_os_peak_bytes(void)
{
    struct rusage u;
    return getrusage(RUSAGE_SELF, &u) == 0 ? (uint64_t)u.ru_maxrss * PEAK_UNIT : 0;
}

void mb_os_keep_memory(int most)
{
#ifdef __GLIBC__
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20); /* the most that is allowed */
    (void)mallopt(M_TRIM_THRESHOLD, most);
#else
    (void)most;
#endif
}

void *mb_os_alloc_aligned(size_t bytes, size_t alignment, bool huge)
{
    void *p = NULL;
    if (posix_memalign(&p, alignment, bytes) != 0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (huge) {
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* advice: refusal costs speed only */
    }
#else
    (void)huge;
#endif
    return p;
}

void mb_os_free_aligned(void *p)
{
    free(p);
}

/* Pages at the ends may belong to others that are still read. */
void mb_os_release_pages(const void *p, size_t bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = ((uintptr_t)p + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)p + bytes) / page * page;
    if (end > begin) {
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* private, clean: it comes back from the file */
    }
}
