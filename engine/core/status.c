/* Errors are values: recording and prefixing messages. Never allocates. */
#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The first error is the cause; what fails after it is a consequence. */
mb_status mb_fail(mb_error *err, mb_status code, const char *format, ...)
{
    if (err != NULL && err->code == MB_OK) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

/* Puts "context: " in front; the end of a message that grows too long is cut. */
void mb_error_prefix(mb_error *err, const char *format, ...)
{
    if (err == NULL || err->code == MB_OK) {
        return;
    }
    char text[sizeof err->message];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || (size_t)n + 3 >= sizeof text) {
        return; /* a prefix that fills the message would hide the cause */
    }
    text[n] = ':';
    text[n + 1] = ' ';
    size_t at = (size_t)n + 2;
    size_t rest = strlen(err->message);
    if (rest > sizeof text - at - 1) {
        rest = sizeof text - at - 1;
    }
    memcpy(text + at, err->message, rest);
    text[at + rest] = '\0';
    memcpy(err->message, text, at + rest + 1);
}

/* Every failed allocation has this form, so that callers and users know it. */
mb_status mb_fail_memory(mb_error *err, size_t bytes, const char *what)
{
    return mb_fail(err, MB_E_MEMORY, "could not allocate %.1f MB for %s", (double)bytes * 1e-6, what);
}
