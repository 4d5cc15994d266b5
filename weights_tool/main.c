/* mattebox-weights: the process around the commands (signals). Handlers are set here and not in the commands, since
 * the tests and the model manager call the commands within their own process. */
#define _GNU_SOURCE
#include "progress.h"
#include "tool.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static void on_interrupt(int number)
{
    (void)number;
    progress_interrupt();
}

/* A mapped file was cut short under us. A temporary output may stay behind; no finished file is harmed. Only
 * async-signal-safe calls are allowed here: write and _exit. Both arms are the same; the test keeps the compiler from
 * warning about an unused result. */
static void on_bus_error(int number)
{
    static const char text[] = "mattebox-weights: a file was cut short by another program while it was read\n";
    (void)number;
    ssize_t n = write(STDERR_FILENO, text, sizeof text - 1);
    _exit(n >= 0 ? EXIT_MODEL : EXIT_MODEL);
}

/* A closed standard stream would give its number to the next file that is opened, and its messages with it. The
 * substitutes are opened the wrong way round on purpose: using them is then an error and is reported. */
static void hold_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            (void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY); /* takes the lowest free number, which is fd */
        }
    }
}

/* SIGXFSZ and closed streams are prepared for before anything is opened. */
int main(int argc, char **argv)
{
    hold_standard_streams();
    struct sigaction action = {.sa_handler = on_interrupt,
                               .sa_flags = (int)SA_RESETHAND}; /* a second Ctrl-C ends at once */
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    action.sa_handler = on_bus_error;
    (void)sigaction(SIGBUS, &action, NULL);
    action.sa_handler = SIG_IGN; /* a file that may not grow is an error of the write */
    (void)sigaction(SIGXFSZ, &action, NULL);
    return tool_main(argc, argv, stdout, stderr);
}
