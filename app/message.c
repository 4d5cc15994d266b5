/* Messages, the progress line, and numbers for people.
 *
 * stdout belongs to results (a picture, JSON Lines, lists), stderr to everything said to people. The
 * progress line is the one thing that is overwritten: it is wiped before any other line, and exists only
 * on a terminal. */
#include "message.h"

#include "core/os_process.h"
#include "core/os_thread.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 2048

/* The program's own state about its terminal: set up once, then read-only but for the line on display. */
static struct {
    int quiet, verbose, color, terminal;
    int line_shown;
    int n_errors;                 /* said so far */
    char first_error[LINE_BYTES]; /* the first of them, for a report in JSON */
    char last_error[2 * LINE_BYTES];
    mb_mutex lock;
} screen = {.lock = MB_MUTEX_INIT};

void message_setup(int quiet, int verbose, int color)
{
    screen.quiet = quiet;
    screen.verbose = verbose;
    /* A dumb terminal can neither show colours nor wipe a line. */
    const char *term = mb_os_env("TERM");
    screen.terminal = mb_os_is_terminal(2) && (term == NULL || strcmp(term, "dumb") != 0);
    /* no-color.org: any value but the empty one switches colours off. */
    const char *none = mb_os_env("NO_COLOR");
    screen.color = color == 1 || (color == 0 && screen.terminal && (none == NULL || none[0] == '\0'));
}

int message_has_terminal(void)
{
    return screen.terminal && !screen.quiet;
}

/* UTF-8 stays as it is: only control characters can steer a terminal. */
char *escape_text(char *dst, size_t dst_bytes, const char *text)
{
    size_t at = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0' && at + 5 < dst_bytes; p++) {
        if (*p < 32 || *p == 127) {
            (void)snprintf(dst + at, 5, "\\x%02x", *p);
            at += 4;
        } else {
            dst[at++] = (char)*p;
        }
    }
    dst[at] = '\0';
    return dst;
}

/* Decimal units, as disks and networks are sold; one digit after the point below ten. */
char *format_bytes(char *dst, size_t dst_bytes, double bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    size_t u = 0;
    while (bytes >= 999.5 && u + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000.0;
        u++;
    }
    (void)snprintf(dst, dst_bytes, u > 0 && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, units[u]);
    return dst;
}

char *format_count(char *dst, size_t dst_bytes, unsigned long long n)
{
    char digits[32];
    int count = snprintf(digits, sizeof digits, "%llu", n);
    size_t at = 0;
    for (int i = 0; i < count && at + 2 < dst_bytes; i++) {
        if (i > 0 && (count - i) % 3 == 0) {
            dst[at++] = ',';
        }
        dst[at++] = digits[i];
    }
    dst[at] = '\0';
    return dst;
}

/* With the lock held. */
static void wipe_line(void)
{
    if (screen.line_shown) {
        (void)fputs("\r\033[K", stderr);
        screen.line_shown = 0;
    }
}

/* ---- answers instead of lines */

static _Thread_local message_capture *captured;

void message_capture_begin(message_capture *to)
{
    *to = (message_capture){0};
    captured = to;
}

void message_capture_end(void)
{
    captured = NULL;
}

char *message_undash(char *text)
{
    size_t to = 0;
    for (size_t i = 0; text[i] != '\0'; i++) {
        int begins = i == 0 || text[i - 1] == ' ' || text[i - 1] == '(';
        if (begins && text[i] == '-' && text[i + 1] == '-' && text[i + 2] >= 'a' && text[i + 2] <= 'z') {
            i += 2;
        }
        text[to++] = text[i];
    }
    text[to] = '\0';
    return text;
}

static void capture(int is_warning, const char *text, const char *hint)
{
    if (is_warning) {
        char *to = captured->warnings;
        size_t at = strlen(to);
        (void)snprintf(to + at, sizeof captured->warnings - at, "%s%s", at > 0 ? "; " : "", text);
        (void)message_undash(to);
    } else if (captured->error[0] == '\0') {
        (void)snprintf(captured->error, sizeof captured->error, "%s", text);
        (void)snprintf(captured->hint, sizeof captured->hint, "%s", hint != NULL ? hint : "");
        (void)message_undash(captured->error);
        (void)message_undash(captured->hint);
    }
}

/* Everything the program says about a problem comes through here: one form, one place that escapes. The
 * lock keeps the lines of several threads apart and off the progress line. */
static void print_message(const char *label, const char *color, const char *text, const char *hint)
{
    char line[LINE_BYTES];
    mb_mutex_lock(&screen.lock);
    wipe_line();
    if (screen.color) {
        (void)fprintf(stderr, "\033[%sm%s:\033[0m %s\n", color, label, escape_text(line, sizeof line, text));
    } else {
        (void)fprintf(stderr, "%s: %s\n", label, escape_text(line, sizeof line, text));
    }
    /* The library may give several lines of hints. */
    while (hint != NULL && *hint != '\0') {
        size_t n = strcspn(hint, "\n");
        char part[LINE_BYTES];
        (void)snprintf(part, sizeof part, "%.*s", (int)(n < sizeof part ? n : sizeof part - 1), hint);
        (void)fprintf(stderr, "  %s\n", escape_text(line, sizeof line, part));
        hint += n + (hint[n] == '\n');
    }
    (void)fflush(stderr);
    mb_mutex_unlock(&screen.lock);
}

int message_error(int code, const char *hint, const char *format, ...)
{
    char text[LINE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (captured != NULL) {
        capture(0, text, hint);
        return code;
    }
    mb_mutex_lock(&screen.lock);
    if (screen.n_errors++ == 0) {
        (void)snprintf(screen.first_error, sizeof screen.first_error, "%s", text);
    }
    (void)snprintf(screen.last_error, sizeof screen.last_error, "%s%s%s", text,
                   hint != NULL && *hint != '\0' ? "\n" : "", hint != NULL ? hint : "");
    mb_mutex_unlock(&screen.lock);
    print_message("mattebox", "31;1", text, hint);
    return code;
}

const char *message_first_error(void)
{
    return screen.first_error;
}

const char *message_last_error(void)
{
    return screen.last_error;
}

/* The library's text is a line and perhaps a hint after a line feed. Its fields become our options first
 * (option_words.c). */
int message_status(int code, const char *subject, const mb_error *err)
{
    char words[LINE_BYTES];
    const char *text = option_words(words, sizeof words, err->message, err->code);
    text = text[0] != '\0' ? text : mb_status_name(err->code);
    size_t first = strcspn(text, "\n");
    const char *hint = text[first] == '\n' ? text + first + 1 : NULL;
    /* Most messages of the library begin with the file already. */
    int named = subject == NULL || strncmp(text, subject, strlen(subject)) == 0;
    return message_error(code, hint, "%s%s%.*s", named ? "" : subject, named ? "" : ": ", (int)first, text);
}

void message_warning(const char *subject, const char *text)
{
    if (captured != NULL) {
        capture(1, text, NULL);
    } else if (!screen.quiet) {
        char line[LINE_BYTES];
        (void)snprintf(line, sizeof line, "%s%s%s", subject != NULL ? subject : "", subject != NULL ? ": " : "", text);
        char *hint = strchr(line, '\n');
        if (hint != NULL) {
            *hint++ = '\0';
        }
        print_message("mattebox: warning", "33", line, hint);
    }
}

/* A line without a label, for notes and the closing line. */
static void print_plain(const char *format, va_list args)
{
    char text[LINE_BYTES], line[LINE_BYTES];
    (void)vsnprintf(text, sizeof text, format, args);
    mb_mutex_lock(&screen.lock);
    wipe_line();
    (void)fprintf(stderr, "%s\n", escape_text(line, sizeof line, text));
    (void)fflush(stderr);
    mb_mutex_unlock(&screen.lock);
}

void message_note(const char *format, ...)
{
    if (screen.verbose && !screen.quiet) {
        va_list args;
        va_start(args, format);
        print_plain(format, args);
        va_end(args);
    }
}

void message_closing(const char *format, ...)
{
    if (!screen.quiet) {
        va_list args;
        va_start(args, format);
        print_plain(format, args);
        va_end(args);
    }
}

void message_progress(const char *text)
{
    if (message_has_terminal()) {
        char line[LINE_BYTES];
        mb_mutex_lock(&screen.lock);
        (void)fprintf(stderr, "\r%s\033[K", escape_text(line, sizeof line, text));
        (void)fflush(stderr);
        screen.line_shown = 1;
        mb_mutex_unlock(&screen.lock);
    }
}

/* For what the program itself finds wrong with a picture: from here on it is handled like an error of the library. */
mb_status own_error(mb_error *err, mb_status status, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    err->code = status;
    (void)vsnprintf(err->message, sizeof err->message, format, list);
    va_end(list);
    return status;
}

/* The switch has no default, so that the compiler asks for a code when the library gets a new status. What
 * is left at the end is about one picture: the others go on. */
int code_of_status(mb_status status)
{
    switch (status) {
    case MB_OK:
        return CODE_OK;
    case MB_E_ARGUMENT:
        return CODE_USAGE;
    case MB_E_MEMORY:
    case MB_E_DEVICE:
        return CODE_MACHINE;
    case MB_E_CANCELLED:
        return CODE_INTERRUPTED;
    case MB_E_FORMAT:
    case MB_E_MISMATCH:
    case MB_E_UNSUPPORTED:
    case MB_E_IO:
    case MB_E_INTERNAL:
        break;
    }
    return CODE_SOME;
}

int failure_code(mb_status status, int code)
{
    return status == MB_E_MEMORY ? CODE_MACHINE : code;
}
