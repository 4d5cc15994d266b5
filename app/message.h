/* What the program says to people: one form for all messages, on stderr. */
#ifndef APP_MESSAGE_H
#define APP_MESSAGE_H

#include <mattebox.h>
#include <stddef.h>
#include <stdio.h>

/* The program's exit codes. Scripts rely on them: see docs/errors.md. */
enum {
    CODE_OK = 0,
    CODE_SOME = 1,          /* some pictures failed, the rest are written */
    CODE_USAGE = 2,         /* the command line asks for something impossible */
    CODE_MODEL = 3,         /* model missing, wrong or damaged */
    CODE_MACHINE = 4,       /* memory or device */
    CODE_OUTPUT = 5,        /* an output could not be written */
    CODE_INTERRUPTED = 130, /* Ctrl-C; a hangup as well */
    CODE_TERMINATED = 143   /* SIGTERM: services and batch systems ask so */
};

/* --quiet, --verbose and --color act on everything below. Called once, before threads exist. */
void message_setup(int quiet, int verbose, int color);

/* Where the messages of one thread go instead of stderr, so that they can answer a request: the first error with its
 * hint, and all warnings, joined by "; ". Names of options lose their dashes. */
typedef struct message_capture {
    char error[2048], hint[1024], warnings[1024];
} message_capture;
void message_capture_begin(message_capture *to); /* in this thread, until message_capture_end */
void message_capture_end(void);
/* "--erode 300: ..." becomes "erode 300: ...". Returns text. */
char *message_undash(char *text);

/* "mattebox: TEXT", and the hint, if not NULL and not "", two spaces in on a second line. Control characters in what
 * the arguments bring along are escaped. Safe to call from any thread. Always returns `code`. */
int message_error(int code, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The text of the first message_error of this process, "" if there was none. */
const char *message_first_error(void);
/* That of the last one, with its hint behind a line feed. Of this thread's own use: no other thread may report meanwhile. */
const char *message_last_error(void);
/* The same for a library error: its text, with its hint. `subject` (a file; may be NULL) is put in front unless the
 * message begins with it. */
int message_status(int code, const char *subject, const mb_error *err);
void message_warning(const char *subject, const char *text);                         /* not with --quiet */
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));    /* only with --verbose */
void message_closing(const char *format, ...) __attribute__((format(printf, 1, 2))); /* not with --quiet */

/* Fills an error of the library's form with a text of the program's. Returns `status`. */
mb_status own_error(mb_error *err, mb_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The exit code that a library status stands for, when nothing more is known. */
int code_of_status(mb_status status);
/* `code`, the caller's own view of a failure, but CODE_MACHINE if memory ran out. */
int failure_code(mb_status status, int code);

/* A line of progress that is overwritten by the next and wiped before any message. Only on a terminal. */
void message_progress(const char *text);
int message_has_terminal(void);

/* A message of the library in the program's words: fields of its options become options ("erode 300: ..." becomes
 * "--erode 300: ...", "detail=guided" becomes "--detail guided"). Returns dst. */
char *option_words(char *dst, size_t dst_bytes, const char *text, mb_status status);

/* Writes text with control characters as \xNN, so that a file name cannot steer the terminal. Returns dst. */
char *escape_text(char *dst, size_t dst_bytes, const char *text);
/* "885 MB", "3.1 GB": decimal units, three digits. Returns dst. */
char *format_bytes(char *dst, size_t dst_bytes, double bytes);
/* 60000 as "60,000". Returns dst. */
char *format_count(char *dst, size_t dst_bytes, unsigned long long n);

#endif
