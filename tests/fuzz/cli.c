/* F9: lines of any bytes as the arguments of the program: understood, or refused with the code of wrong usage; options that
 * are understood have a meaning for the library or are refused likewise. No file is opened. */
#define _GNU_SOURCE
#include "args.h"
#include "fuzz.h"
#include "message.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST 24

static int quiet = -1, loud = -1;

/* Messages are for people: there is nobody here. */
static void mute(bool on)
{
    if (quiet < 0) {
        quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
        loud = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    }
    (void)fflush(stderr);
    (void)dup2(on ? quiet : loud, STDERR_FILENO);
}

/* The program reads its arguments once in a process. An error in the middle of "-qx" leaves the C library's place in it behind. */
static void forget_arguments(void)
{
    static char name[] = "mattebox";
    char *none[] = {name, NULL};
    optind = 0; /* glibc's and musl's word for a new start */
    (void)getopt(1, none, "");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char name[] = "mattebox";
    char text[1025], *argv[MOST + 1] = {name};
    int argc = 1;
    args a;
    mb_options o;
    n = n < sizeof text - 1 ? n : sizeof text - 1;
    memcpy(text, bytes, n);
    text[n] = '\0';
    for (char *at = text; at < text + n && argc < MOST;) {
        char *end = memchr(at, '\n', (size_t)(text + n - at));
        argv[argc++] = at;
        at = end != NULL ? end + 1 : text + n;
        if (end != NULL) {
            *end = '\0';
        }
    }
    argv[argc] = NULL;
    forget_arguments();
    mute(true);
    const int code = args_parse(&a, argc, argv);
    int library = CODE_OK;
    if (code == CODE_OK) {
        a.from_strangers = 1;
        library = args_library_options(&o, &a);
        library = library == CODE_OK ? args_environment(&a) : library;
    }
    mute(false);
    FUZZ_MUST(code == CODE_OK || code == CODE_USAGE);
    FUZZ_MUST(library == CODE_OK || library == CODE_USAGE || library == CODE_MACHINE);
    if (code == CODE_OK) {
        FUZZ_MUST(a.n_paths >= 0 && a.n_paths < MOST);
        FUZZ_MUST(library != CODE_OK || mb_options_check(&o, NULL) == MB_OK);
    }
    args_dispose(&a);
    return 0;
}
