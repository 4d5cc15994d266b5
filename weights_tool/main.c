/* mattebox-weights: the process around the commands (signals). Handlers are set here and not in the commands, since
 * the tests and the model manager call the commands within their own process. */
#include "progress.h"

#include "core/os_process.h"

#include "tool.h"

static int n_interrupts;

/* The second Ctrl-C ends at once. */
static void on_interrupt(bool terminated)
{
    if (++n_interrupts > 1) {
        mb_os_exit_now(terminated ? 143 : 130);
    }
    progress_interrupt();
}

/* The streams and signals are prepared for before anything is opened. A mapped file that is cut short under us may leave
 * a temporary output behind; no finished file is harmed. */
int main(int argc, char **argv)
{
    mb_os_standard_streams();
    if (!mb_os_arguments(&argc, &argv)) {
        return EXIT_MODEL;
    }
    mb_os_on_interrupt(on_interrupt);
    mb_os_on_lost_file("mattebox-weights: a file was cut short by another program while it was read\n", EXIT_MODEL);
    mb_os_ignore_file_limit();
    return tool_main(argc, argv, stdout, stderr);
}
