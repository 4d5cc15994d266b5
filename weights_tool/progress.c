/* A bar on standard error, shown on terminals alone, and the flag that Ctrl-C sets. Commands ask after each piece of
 * work whether to go on, so that they end in order and remove what they have begun. */
#include "progress.h"

#include "core/os_process.h"

#include <signal.h>
#include <stdio.h>

#define WIDTH 40

static volatile sig_atomic_t interrupted; /* of the process: a program's business, not a library's */

void progress_interrupt(void)
{
    interrupted = 1;
}

/* total in the units that progress_at gets, bytes as a rule. percent -1: nothing is drawn yet. */
void progress_begin(progress *p, const char *what, size_t total, bool quiet)
{
    *p = (progress){what, !quiet && mb_os_is_terminal(2), total, -1};
}

/* Draws only when the percentage changes. False: the user has pressed Ctrl-C. */
bool progress_at(progress *p, size_t done)
{
    int percent = p->total > 0 ? (int)((double)done / (double)p->total * 100) : 100;
    if (p->shown && percent != p->percent) {
        static const char bar[] = "########################################";
        int filled = percent * WIDTH / 100;
        p->percent = percent;
        (void)fprintf(stderr, "\r%s [%.*s%*s] %3d %%", p->what, filled, bar, WIDTH - filled, "", percent);
        (void)fflush(stderr);
    }
    return interrupted == 0;
}

/* Wipes the line, so that what is printed next begins at its start. May be called more than once. */
void progress_end(progress *p)
{
    if (p->shown && p->percent >= 0) {
        (void)fprintf(stderr, "\r\x1b[K");
        (void)fflush(stderr);
    }
}

/* The same as a callback of the library: non-zero cancels. */
int progress_callback(void *p, size_t done, size_t total)
{
    ((progress *)p)->total = total;
    return progress_at(p, done) ? 0 : 1;
}
