/* Writing one JSON object per line to stdout. Keys are ours, values are escaped. docs/json.md is the schema. */
#ifndef APP_JSON_H
#define APP_JSON_H

#include <stdio.h>

typedef struct json {
    FILE *out;
    int comma; /* the next value needs one */
} json;

void json_begin(json *j, const char *key, char bracket); /* '{' or '['; key NULL at the top and in arrays */
void json_end(json *j, char bracket);                    /* '}' or ']' */
/* A path, whose bytes need not be UTF-8: those that are not become U+FFFD, and a second member KEY_percent has them
 * all, percent-encoded as in a URL. */
void json_path(json *j, const char *key, const char *path);
void json_text(json *j, const char *key, const char *value); /* NULL gives null; invalid UTF-8 becomes U+FFFD */
void json_real(json *j, const char *key, double value);      /* not finite gives null */
void json_int(json *j, const char *key, long long value);
void json_bool(json *j, const char *key, int value);
/* Has any line been written by this process? */
int json_report_begun(void);
void json_line(json *j); /* ends the line and flushes it */

#endif
