/* A JSON writer: no tree, no state but the comma.
 *
 * Every value is written as it comes, so memory does not grow with the report. Keys must be plain ASCII of
 * ours; values may be anything. */
#include "json.h"

#include <math.h>
#include <string.h>

static void quoted(FILE *out, const char *text);

/* What comes before a value: the comma, if it is not the first, and its key. */
static void lead(json *j, const char *key)
{
    if (j->comma) {
        (void)fputc(',', j->out);
    }
    j->comma = 1;
    if (key != NULL) {
        quoted(j->out, key);
        (void)fputc(':', j->out);
    }
}

/* Length of the valid UTF-8 sequence at p, 0 if there is none (overlong forms and surrogates are invalid). */
static size_t utf8_length(const unsigned char *p)
{
    size_t n = 0;
    if (p[0] < 0x80) {
        n = 1;
    } else if (p[0] >= 0xc2 && p[0] < 0xe0) {
        n = 2;
    } else if (p[0] >= 0xe0 && p[0] < 0xf0) {
        n = 3;
    } else if (p[0] >= 0xf0 && p[0] < 0xf5) {
        n = 4;
    }
    /* The end of the text is no continuation byte, so this stays within it. */
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0u) != 0x80u) {
            return 0;
        }
    }
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] >= 0x90)) {
        return 0;
    }
    return n;
}

/* File names are bytes and may be no UTF-8: what is invalid becomes U+FFFD, so that every line we print is
 * valid JSON. */
static void quoted(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        size_t n = utf8_length(p);
        if (n == 0) {
            (void)fputs("\\ufffd", out);
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            (void)fprintf(out, "\\%c", *p);
        } else if (*p < 32 || *p == 127) {
            (void)fprintf(out, "\\u%04x", *p);
        } else {
            (void)fwrite(p, 1, n, out);
        }
        p += n;
    }
    (void)fputc('"', out);
}

/* A path as text. JSON cannot hold bytes that are not UTF-8: such a path gets a second field, KEY_percent, with
 * every byte. */
void json_path(json *j, const char *key, const char *path)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    const unsigned char *p = (const unsigned char *)path;
    json_text(j, key, path);
    for (size_t n; *p != '\0' && (n = utf8_length(p)) > 0;) {
        p += n;
    }
    if (*p == '\0') {
        return;
    }
    char longer[64];
    (void)snprintf(longer, sizeof longer, "%s_percent", key);
    lead(j, longer);
    (void)fputc('"', j->out);
    for (p = (const unsigned char *)path; *p != '\0'; p++) {
        (void)fprintf(j->out, strchr(safe, *p) != NULL ? "%c" : "%%%02X", *p);
    }
    (void)fputc('"', j->out);
}

void json_begin(json *j, const char *key, char bracket)
{
    lead(j, key);
    (void)fputc(bracket, j->out);
    j->comma = 0;
}

void json_end(json *j, char bracket)
{
    (void)fputc(bracket, j->out);
    j->comma = 1;
}

void json_text(json *j, const char *key, const char *value)
{
    lead(j, key);
    if (value == NULL) {
        (void)fputs("null", j->out);
    } else {
        quoted(j->out, value);
    }
}

/* Six digits are enough for milliseconds and shares. JSON has no infinity and no NaN. */
void json_real(json *j, const char *key, double value)
{
    lead(j, key);
    if (isfinite(value)) {
        (void)fprintf(j->out, "%.6g", value);
    } else {
        (void)fputs("null", j->out);
    }
}

void json_int(json *j, const char *key, long long value)
{
    lead(j, key);
    (void)fprintf(j->out, "%lld", value);
}

void json_bool(json *j, const char *key, int value)
{
    lead(j, key);
    (void)fputs(value ? "true" : "false", j->out);
}

static int lines_written;

int json_report_begun(void)
{
    return lines_written > 0;
}

void json_line(json *j)
{
    lines_written++;
    (void)fputc('\n', j->out);
    (void)fflush(j->out);
    j->comma = 0;
}
