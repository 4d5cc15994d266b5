/* The platform seam, part 4: this process. Arguments and variables in UTF-8, standard streams, signals, clock, memory. */
#ifndef MB_CORE_OS_PROCESS_H
#define MB_CORE_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- arguments, variables, folders */

/* First in main. On Windows argc and argv become those of the whole command line, in UTF-8, and words with * or ? that
 * are no options become the names that they match, as a shell does elsewhere. False: out of memory. */
bool mb_os_arguments(int *argc, char ***argv);
/* getenv in UTF-8, also of what the program around a library has set since. Lives as long as the process. */
const char *mb_os_env(const char *name);
void mb_os_set_env_if_missing(const char *name, const char *value);
/* The program's own file. False: not known. */
bool mb_os_program_path(char *out, size_t bytes);

typedef enum mb_os_place { MB_OS_DATA, MB_OS_CONFIG, MB_OS_CACHE, MB_OS_STATE } mb_os_place;
/* The user's folder for files of a kind, with "/TAIL": the XDG_..._HOME variable if it is an absolute path, else
 * ~/.local/share, ~/.config, ~/.cache, ~/.local/state; on Windows else %LOCALAPPDATA% (config: %APPDATA%). */
bool mb_os_user_folder(char *out, size_t bytes, mb_os_place place, const char *tail);
/* Folder number i of those with data for all users of the machine; NULL after the last. */
const char *mb_os_shared_data(int i);

/* ---- standard streams */

/* First in main: closed ones get a substitute that can be neither read nor written, and on Windows all become binary,
 * the console shows UTF-8 and obeys escape sequences. */
void mb_os_standard_streams(void);
bool mb_os_is_terminal(int fd);
int mb_os_columns(int fd); /* 0: no terminal */
int mb_os_fd(FILE *f);

/* ---- signals */

/* Ctrl-C, and requests to end (`terminated`). Called in a signal handler, on Windows in a thread of the system. */
void mb_os_on_interrupt(void (*call)(bool terminated));
/* A mapped file that became shorter, or whose disk is gone: prints `text` and ends the process with `code`. `text`
 * lives as long as the process. */
void mb_os_on_lost_file(const char *text, int code);
/* Writing to a closed pipe is an error of the write and nothing more; returns what mb_os_restore_pipe needs. */
void mb_os_ignore_pipe(void);
void mb_os_restore_pipe(void);
/* The same for a file that may not grow. */
void mb_os_ignore_file_limit(void);
_Noreturn void mb_os_exit_now(int code); /* without flushing anything; from handlers */

/* ---- processor and memory */

/* The use of AMX tile registers, for the whole process, threads to come included. May be repeated. */
bool mb_os_ask_for_tiles(void);
/* Whether an Arm processor has BFMMLA, as the system says; false where it does not say. */
bool mb_os_has_arm_bf16(void);

/* First in main: large blocks that are freed stay with the process, `most` bytes of them, where the C library can be told.
 * Else the system takes them back, and zeroes pages anew for the next block. One arena: each would keep memory of its own. */
void mb_os_keep_memory(int most);
double mb_os_cpu_seconds(void);  /* of all threads of this process so far */
uint64_t mb_os_peak_bytes(void); /* of this process so far; 0: not known */
/* `alignment` a power of two. NULL: no memory. From `huge` on large pages may be used. */
void *mb_os_alloc_aligned(size_t bytes, size_t alignment, bool huge);
void mb_os_free_aligned(void *p);
/* Pages of a mapping that lie wholly in the range are not needed now; they come back from the file. */
void mb_os_release_pages(const void *p, size_t bytes);

#endif
