/* Running the programs as a user's shell does, and looking at everything that comes back. */
#ifndef MB_TEST_PROCESS_H
#define MB_TEST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct process {
    int code;           /* exit code; 128 + signal when killed by one, as the shell reports it */
    char out[1 << 18];  /* stdout, cut off where it does not fit */
    char err[1 << 16];  /* stderr */
    size_t out_bytes;   /* of the whole stdout */
    double seconds;     /* by the clock: more on a busy machine */
    double cpu_seconds; /* of the command and what it waited for: what a limit is held to */
} process;

/* An empty folder for this test, made anew; the commands run in it. Returns its path. */
const char *process_folder(const char *test_name);

/* Runs a shell command line in the folder. Programs of the build are on the PATH, MATTEBOX_* and HOME are set aside. */
void process_run(process *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether they run the Windows programs (tests/windows.sh): lists in variables are separated by ';' there, and what a pseudo
 * terminal shows is Wine's console, with escape sequences of its own. */
bool process_is_windows(void);

/* Files of the folder (or absolute). */
bool file_exists(const char *name);
long file_bytes(const char *name); /* -1: missing */
void file_write(const char *name, const void *data, size_t bytes);
void file_write_text(const char *name, const char *text);
bool file_equal(const char *a, const char *b);
/* Copies the first `bytes` of a file. */
void file_cut(const char *to, const char *from, long bytes);
char *file_read(const char *name, size_t *bytes); /* freed by free(); NULL: missing */

/* Checks code and that `text` is in stderr; prints all of it otherwise. */
#define CHECK_RUN(p, expected_code, text)                                                                              \
    do {                                                                                                               \
        CHECK_MSG((p)->code == (expected_code), "exit code %d, not %d; stderr: %s", (p)->code, (expected_code),        \
                  (p)->err);                                                                                           \
        CHECK_MSG(strstr((p)->err, (text)) != NULL, "stderr lacks \"%s\": %s", (text), (p)->err);                      \
    } while (0)

#endif
