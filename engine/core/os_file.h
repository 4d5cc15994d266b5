/* The platform seam, part 1: files and folders. All names are UTF-8; on Windows they become UTF-16 here and nowhere
 * else, long ones with the prefix that lifts the limit of 260 characters. '/' separates folders everywhere; '\' does so
 * as well on Windows.
 *
 * Functions that return int give 0 or an errno code (mb_os_error_text). Calls that a signal may interrupt are repeated.
 * Only engine/core/os_* may ask which system this is (tests/structure/platform.sh). */
#ifndef MB_CORE_OS_FILE_H
#define MB_CORE_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MB_OS_PATH_BYTES 4096 /* room for a path, its zero included: PATH_MAX of Linux */
#define MB_OS_NAME_BYTES 1024 /* room for the name of one file: 255 UTF-16 units are up to 765 bytes */

/* ---- names */

/* Between the folders of a list in a variable: ':', and ';' on Windows, where ':' follows the letter of a drive. */
extern const char mb_os_list_separator;
/* '\' becomes '/' on Windows; nothing elsewhere, where '\' is a letter like any other. In place; returns `path`. */
char *mb_os_tidy_path(char *path);
bool mb_os_is_absolute(const char *path);
/* The last part of a path, in the path itself. */
const char *mb_os_file_name(const char *path);
/* Absolute, without links, "." and "..". */
int mb_os_real_path(char out[MB_OS_PATH_BYTES], const char *path);
/* Whether two names of one folder may mean one file: equal, on Windows and macOS also in other letters. <0, 0, >0 as
 * strcmp. */
int mb_os_compare_names(const char *a, const char *b);

/* Why no file can have this name, in words; false: it can, as far as the name says. On Windows there are characters, ends and
 * words that names cannot have, and drives that are not there; elsewhere every name is possible. */
bool mb_os_name_trouble(char *text, size_t bytes, const char *path);

/* The length of one part of a path as file systems count it: bytes, on Windows UTF-16 units. */
size_t mb_os_name_length(const char *name);

/* ---- what is there */

typedef enum mb_os_kind {
    MB_OS_FILE,
    MB_OS_FOLDER,
    MB_OS_LINK, /* from mb_os_look_here alone */
    MB_OS_CHARACTER_DEVICE,
    MB_OS_PIPE,
    MB_OS_OTHER
} mb_os_kind;

typedef struct mb_os_info {
    mb_os_kind kind;
    uint64_t device, file; /* together the file's identity */
    uint64_t bytes;
    int64_t modified_s; /* seconds since 1970 */
} mb_os_info;

int mb_os_look(mb_os_info *out, const char *path);      /* through links */
int mb_os_look_here(mb_os_info *out, const char *path); /* a link itself */
int mb_os_look_open(mb_os_info *out, int fd);
bool mb_os_exists(const char *path);
bool mb_os_is_folder(const char *path);
bool mb_os_is_file(const char *path); /* a regular one */
int mb_os_may_read(const char *path);
int mb_os_may_write_in(const char *folder);
/* Bytes that this user may still write in a folder, and the longest name there (mb_os_name_length; 0: not known). */
int mb_os_space(const char *folder, double *bytes_left, size_t *longest_name);

/* ---- open files */

typedef enum mb_os_mode {
    MB_OS_READ,
    MB_OS_READ_NO_WAIT, /* does not wait for a pipe's writer */
    MB_OS_WRITE,        /* what is there: a pipe or device */
    MB_OS_NEW,          /* EEXIST where the name is taken */
    MB_OS_CONTINUE      /* reads and writes, makes the file where there is none; a link is refused */
} mb_os_mode;

int mb_os_open(int *fd, const char *path, mb_os_mode mode);
int mb_os_open_output(int *fd); /* another descriptor of standard output, to be closed */
int mb_os_close(int fd);
/* *got 0: the end. May be fewer than `bytes`, as with read and write. Only mb_os_read returns EINTR. */
int mb_os_read(int fd, void *data, size_t bytes, size_t *got);
int mb_os_write(int fd, const void *data, size_t bytes, size_t *put);
int mb_os_read_at(int fd, uint64_t at, void *data, size_t bytes, size_t *got);
int mb_os_write_at(int fd, uint64_t at, const void *data, size_t bytes, size_t *put);
int mb_os_resize(int fd, uint64_t bytes);
int mb_os_reserve(int fd, uint64_t bytes); /* blocks on the disk; 0 also where the file system cannot */
int mb_os_sync(int fd);                    /* 0 also where the file system cannot */
int mb_os_lock(int fd);                    /* does not wait; EWOULDBLOCK: another holds it. Ends with the descriptor */
/* Private, read-only, `bytes` > 0. The descriptor may be closed. */
int mb_os_map(const void **data, int fd, size_t bytes);
void mb_os_unmap(const void *data, size_t bytes);
/* fopen with a UTF-8 name. NULL: errno says why. */
FILE *mb_os_fopen(const char *path, const char *mode);

/* ---- names of files */

int mb_os_remove(const char *path);
int mb_os_rename(const char *from, const char *to); /* replaces */
int mb_os_make_folder(const char *path, bool for_the_user_alone);
/* mkdir -p; folders above that cannot be made are no error by themselves. */
int mb_os_make_folders(const char *path);
/* The names in a folder, without "." and "..", in the order of their bytes; free with mb_os_free_names. */
int mb_os_list(char ***names, size_t *n, const char *folder);
void mb_os_free_names(char **names, size_t n);

/* ---- a folder in which an output is made: it stays the same if its path changes meanwhile */

typedef struct mb_os_folder mb_os_folder;
int mb_os_folder_open(mb_os_folder **out, const char *path);
void mb_os_folder_close(mb_os_folder *f);
/* A new file that other processes cannot take for one left behind: EEXIST where the name is taken. */
int mb_os_folder_new(mb_os_folder *f, const char *name, int *fd);
/* Removes `name` if no process writes it; where locks are unknown, if it is older than `age_s`. */
void mb_os_folder_drop_stale(mb_os_folder *f, const char *name, int64_t age_s);
void mb_os_folder_remove(mb_os_folder *f, const char *name);
/* Renames within the folder; without `replace` EEXIST where the name is taken, at once and not by a look before. On
 * Windows it waits a little for programs (virus scanners, indexers) that hold either file. */
int mb_os_folder_rename(mb_os_folder *f, const char *from, const char *to, bool replace);
void mb_os_folder_sync(mb_os_folder *f); /* the entries, where that can be asked for */

/* ---- errors */

/* For a code of the functions above. Returns `buffer` or a text that stays. */
const char *mb_os_error_text(int code, char *buffer, size_t bytes);
/* Why there is no room for more bytes ("no space left on the disk"); NULL for codes of another meaning. */
const char *mb_os_full(int code);

#endif
