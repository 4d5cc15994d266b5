/* The cage of a decoder: no new privileges, little memory, no new descriptors, no system calls but those for memory and
 * for its one socket. Everything else fails with EPERM, as if the kernel did not want to; a decoder that is taken over can
 * neither open, connect, run nor signal anything. */
#include "decode_protocol.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DESCRIPTORS 16

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1 /* their shadow memory takes terabytes of address space */
#else
#define IS_SANITIZED 0
#endif

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef OUR_ARCHITECTURE
#define LOW_WORD(argument)   ((unsigned)offsetof(struct seccomp_data, args[argument])) /* little-endian machines */
#define STEP(code, k)        ((struct sock_filter)BPF_STMT(code, k))
#define IF_EQUAL(k, yes, no) (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, yes, no)

/* Calls that are harmless with any arguments, given what descriptors there are. */
static const int allowed[] = {__NR_recvmsg,
                              __NR_sendmsg,
                              __NR_recvfrom,
                              __NR_sendto,
                              __NR_read,
                              __NR_write,
                              __NR_close,
                              __NR_munmap,
                              __NR_mremap,
                              __NR_madvise,
                              __NR_brk,
                              __NR_futex,
                              __NR_exit,
                              __NR_exit_group,
                              __NR_rt_sigreturn,
                              __NR_rt_sigprocmask,
                              __NR_sigaltstack,
                              __NR_clock_gettime,
                              __NR_gettimeofday,
                              __NR_getrandom,
                              __NR_sched_yield,
                              __NR_getpid,
                              __NR_gettid,
                              __NR_restart_syscall,
                              __NR_set_robust_list,
                              __NR_rseq,
                              __NR_sched_getaffinity};
/* Calls with a protection as their third argument, which must not make memory executable. */
static const int protecting[] = {__NR_mmap, __NR_mprotect};

enum { N_ALLOWED = sizeof allowed / sizeof allowed[0], N_PROTECTING = sizeof protecting / sizeof protecting[0] };

static int install_filter(void)
{
    struct sock_filter f[16 + 2 * N_ALLOWED + 5 * N_PROTECTING];
    unsigned short n = 0;
    f[n++] = STEP(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, arch));
    f[n++] = IF_EQUAL(OUR_ARCHITECTURE, 1, 0);
    f[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    f[n++] = STEP(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < N_ALLOWED; i++) {
        f[n++] = IF_EQUAL((unsigned)allowed[i], 0, 1);
        f[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    for (size_t i = 0; i < N_PROTECTING;
         i++) { /* the number is loaded: if it matches, look at the protection and end */
        f[n++] = IF_EQUAL((unsigned)protecting[i], 0, 4);
        f[n++] = STEP(BPF_LD | BPF_W | BPF_ABS, LOW_WORD(2));
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0);
        f[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        f[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    }
    /* Threads, which a library of ours has to have (libde265 waits for its own for ever), but no processes: the newer call
     * keeps its flags where a filter cannot look, and is said not to exist. */
    f[n++] = IF_EQUAL(__NR_clone3, 0, 1);
    f[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    f[n++] = IF_EQUAL(__NR_clone, 0, 3);
    f[n++] = STEP(BPF_LD | BPF_W | BPF_ABS, LOW_WORD(0));
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
    f[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    f[n++] = STEP(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    const struct sock_fprog program = {.len = n, .filter = f};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
#else
static int install_filter(void)
{
    return 0;
}
#endif

static void limit(__rlimit_resource_t what, size_t most)
{
    const struct rlimit r = {.rlim_cur = most, .rlim_max = most};
    (void)setrlimit(what, &r);
}

int sandbox_enter(size_t bytes)
{
    if (!IS_SANITIZED) {
        limit(RLIMIT_AS, bytes);
    }
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, DECODE_CPU_S); /* of all its pictures; a single one has the server's time limit */
    limit(RLIMIT_NOFILE, DESCRIPTORS);
    limit(RLIMIT_FSIZE, bytes); /* memory that the server made counts as a file */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && install_filter();
}
