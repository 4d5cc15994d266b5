/* This process by POSIX (os_process.h). */
#define _GNU_SOURCE
#include "core/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif
#endif
#ifdef __APPLE__
#include <limits.h>
#include <mach-o/dyld.h>
#include <sys/sysctl.h>
#endif

bool mb_os_arguments(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return true;
}

const char *mb_os_env(const char *name)
{
    return getenv(name);
}

void mb_os_set_env_if_missing(const char *name, const char *value)
{
    (void)setenv(name, value, 0);
}

#ifdef __APPLE__
/* As it was started: links are followed here, as /proc/self/exe does elsewhere. */
bool mb_os_program_path(char *out, size_t bytes)
{
    char started[PATH_MAX], real[PATH_MAX];
    uint32_t room = sizeof started;
    int n = _NSGetExecutablePath(started, &room) == 0 && realpath(started, real) != NULL
                ? snprintf(out, bytes, "%s", real)
                : -1;
    return n > 0 && (size_t)n < bytes;
}
#else
bool mb_os_program_path(char *out, size_t bytes)
{
    ssize_t n = bytes > 0 ? readlink("/proc/self/exe", out, bytes - 1) : -1;
    if (n > 0) {
        out[n] = '\0';
    }
    return n > 0 && (size_t)n < bytes - 1;
}
#endif

/* Services run without HOME: then the user's entry in the system's list. */
bool mb_os_user_folder(char *out, size_t bytes, mb_os_place place, const char *tail)
{
    static const char *const variables[] = {"XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"};
    static const char *const folders[] = {".local/share", ".config", ".cache", ".local/state"};
    const char *base = getenv(variables[place]), *home = getenv("HOME");
    int n = -1;
    if (base != NULL && base[0] == '/') { /* a relative one does not count: the specification says so */
        n = snprintf(out, bytes, "%s/%s", base, tail);
    } else {
        if (home == NULL || home[0] != '/') {
            const struct passwd *user = getpwuid(getuid());
            home = user != NULL ? user->pw_dir : NULL;
        }
        if (home != NULL && home[0] == '/') {
            n = snprintf(out, bytes, "%s/%s/%s", home, folders[place], tail);
        }
    }
    return n > 0 && (size_t)n < bytes;
}

const char *mb_os_shared_data(int i)
{
    static const char *const folders[] = {"/usr/local/share", "/usr/share"};
    return i >= 0 && i < 2 ? folders[i] : NULL;
}

/* ---- standard streams */

/* Their numbers would go to the next file that is opened, and messages into it. */
void mb_os_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* takes the lowest free number, which is fd */
        }
    }
}

bool mb_os_is_terminal(int fd)
{
    return isatty(fd) != 0;
}

int mb_os_columns(int fd)
{
    struct winsize size = {0};
    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

int mb_os_fd(FILE *f)
{
    return fileno(f);
}

/* ---- signals */

static void (*interrupt_call)(bool terminated);
static const char *lost_text;
static int lost_code;
static struct sigaction pipe_before;

static void on_interrupt(int number)
{
    interrupt_call(number == SIGTERM);
}

void mb_os_on_interrupt(void (*call)(bool terminated))
{
    struct sigaction action = {.sa_handler = on_interrupt}, hangup;
    interrupt_call = call;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) { /* nohup stays what it is */
        (void)sigaction(SIGHUP, &action, NULL);
    }
}

/* Only calls that are safe in signal handlers: write and _exit. */
static void on_bus_error(int number)
{
    (void)number;
    ssize_t unused = write(STDERR_FILENO, lost_text, strlen(lost_text));
    (void)unused;
    _exit(lost_code);
}

void mb_os_on_lost_file(const char *text, int code)
{
    struct sigaction action = {.sa_handler = on_bus_error};
    lost_text = text;
    lost_code = code;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL);
}

void mb_os_ignore_pipe(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGPIPE, &ignore, &pipe_before);
}

void mb_os_restore_pipe(void)
{
    (void)sigaction(SIGPIPE, &pipe_before, NULL);
}

void mb_os_ignore_file_limit(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
}

/* ---- processor */

bool mb_os_ask_for_tiles(void)
{
#if defined(__linux__) && defined(__x86_64__)
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return false;
#endif
}

bool mb_os_has_arm_bf16(void)
{
#if defined(__linux__) && defined(__aarch64__)
    enum { CAPABILITY_BF16 = 1 << 14 }; /* HWCAP2_BF16, for older headers */
    return (getauxval(AT_HWCAP2) & CAPABILITY_BF16) != 0;
#elif defined(__APPLE__)
    int has = 0;
    size_t bytes = sizeof has;
    return sysctlbyname("hw.optional.arm.FEAT_BF16", &has, &bytes, NULL, 0) == 0 && has != 0;
#else
    return false;
#endif
}

_Noreturn void mb_os_exit_now(int code)
{
    _exit(code);
}
