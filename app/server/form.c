/* Reading forms with libmicrohttpd's post processor. Names of files are neither kept nor logged. */
#include "form.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PARSER_BYTES (64u << 10)
#define MULTIPART    "multipart/form-data"
#define URLENCODED   "application/x-www-form-urlencoded"

void form_fail(form *f, int status, const char *format, ...)
{
    if (f->status == 0) {
        va_list list;
        va_start(list, format);
        (void)vsnprintf(f->message, sizeof f->message, format, list);
        va_end(list);
        f->status = status;
    }
}

/* "image" is how another server calls its photo. */
static int file_of(const char *name)
{
    static const struct {
        const char *name;
        form_file file;
    } names[] = {{"file", FILE_PHOTO},           {"image", FILE_PHOTO}, {"mask", FILE_MASK},
                 {"trimap", FILE_TRIMAP},        {"hints", FILE_HINTS}, {"background_file", FILE_BACKGROUND},
                 {"background", FILE_BACKGROUND}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return (int)names[i].file;
        }
    }
    return -1;
}

/* A field's name may hold anything: what answers repeat of it is printable and short. */
static void plain_name(char *to, size_t bytes, const char *from)
{
    size_t i = 0;
    for (; from[i] != '\0' && i + 1 < bytes; i++) {
        to[i] = from[i] >= 32 && from[i] < 127 && from[i] != '"' && from[i] != '\\' ? from[i] : '?';
    }
    to[i] = '\0';
}

/* The field `name` to append to, made where `off` says that a new one begins. */
static form_field *field_for(form *f, const char *name, uint64_t off)
{
    char plain[FORM_NAME_BYTES];
    plain_name(plain, sizeof plain, name);
    if (off > 0 && f->n > 0 && strcmp(f->fields[f->n - 1].name, plain) == 0) {
        return &f->fields[f->n - 1];
    }
    if (f->n == FORM_MAX_FIELDS) {
        form_fail(f, 400, "more than %d fields", FORM_MAX_FIELDS);
        return NULL;
    }
    form_field *field = &f->fields[f->n++];
    *field = (form_field){0};
    (void)snprintf(field->name, sizeof field->name, "%s", plain);
    return field;
}

static void add_text(form *f, const char *name, const char *data, uint64_t off, size_t n)
{
    form_field *field = field_for(f, name, off);
    if (field == NULL) {
        return;
    }
    if (n > FORM_MAX_TEXT_BYTES - field->bytes) {
        form_fail(f, 413, "the field \"%s\" is longer than %d bytes", field->name, FORM_MAX_TEXT_BYTES);
        return;
    }
    if (memchr(data, '\0', n) != NULL) {
        form_fail(f, 400, "the field \"%s\" has a zero byte", field->name);
        return;
    }
    char *text = realloc(field->text, field->bytes + n + 1);
    if (text == NULL) {
        form_fail(f, 503, "out of memory");
        return;
    }
    if (n > 0) {
        memcpy(text + field->bytes, data, n);
    }
    field->text = text;
    field->bytes += n;
    text[field->bytes] = '\0';
}

static void add_file(form *f, int which, const char *data, size_t n)
{
    upload *u = &f->files[which];
    if (!upload_add(u, data, n)) {
        form_fail(f, 503, "out of memory");
    }
    f->file_bytes += n;
}

static enum MHD_Result on_data(void *cls, enum MHD_ValueKind kind, const char *key, const char *filename,
                               const char *content_type, const char *encoding, const char *data, uint64_t off,
                               size_t size)
{
    form *f = cls;
    (void)kind;
    if (key == NULL || f->status != 0) {
        return f->status != 0 ? MHD_NO : MHD_YES;
    }
    if (encoding != NULL && strcasecmp(encoding, "binary") != 0 && strcasecmp(encoding, "8bit") != 0 &&
        strcasecmp(encoding, "7bit") != 0) {
        form_fail(f, 415, "parts of a form are read as they are, without a Content-Transfer-Encoding");
        return MHD_NO;
    }
    /* Clients mark files by a name or a type; a background without either is a colour. */
    int which = file_of(key);
    int is_file = filename != NULL || (content_type != NULL && strncasecmp(content_type, "image/", 6) == 0) ||
                  (content_type != NULL && strcasecmp(content_type, "application/octet-stream") == 0);
    if (which < 0 || (!is_file && which == FILE_BACKGROUND)) {
        if (which < 0 && filename != NULL) {
            char plain[FORM_NAME_BYTES];
            plain_name(plain, sizeof plain, key);
            form_fail(f, 422, "a file called \"%s\" has no meaning here", plain);
            return MHD_NO;
        }
        add_text(f, key, data, off, size);
        return f->status == 0 ? MHD_YES : MHD_NO;
    }
    if (off == 0 && f->current != which && f->files[which].fd >= 0) {
        form_fail(f, 422, "two files of one kind: \"%s\"", key);
        return MHD_NO;
    }
    if (f->files[which].fd < 0 && !upload_begin(&f->files[which])) {
        form_fail(f, 503, "out of memory");
        return MHD_NO;
    }
    if (off == 0 && f->files[which].bytes > 0) {
        form_fail(f, 422, "two files of one kind: \"%s\"", key);
        return MHD_NO;
    }
    f->current = which;
    add_file(f, which, data, size);
    return f->status == 0 ? MHD_YES : MHD_NO;
}

/* Takes the value of a parameter from *from, and copies it to `to` without quotes where that is not NULL. The end of the copy. */
static char *take_value(char *to, char **from)
{
    char *p = *from, *begin = to;
    const int quoted = *p == '"';
    p += quoted;
    for (; *p != '\0' && *p != (quoted ? '"' : ';'); p++) {
        p += quoted && *p == '\\' && p[1] != '\0';
        if (to != NULL) {
            *to++ = *p;
        }
    }
    while (!quoted && to != begin && (to[-1] == ' ' || to[-1] == '\t')) {
        to--;
    }
    *from = p + (quoted && *p == '"');
    return to;
}

/* libmicrohttpd finds the boundary by its name in small letters alone, and takes the rest of the line for its value. Names of
 * parameters have no case, values may be quoted and others may follow (RFC 9110, 5.6.6): so the line, which lies in the
 * connection's own memory, is written anew in its place. It becomes no longer. */
static void tidy_boundary(const char *type)
{
    static const char plain[] = ";boundary=";
    union {
        const char *constant;
        char *own;
    } line = {type};
    char *start = line.own + sizeof MULTIPART - 1, *p = start + strspn(start, " \t");
    if (*p != ';') {
        return;
    }
    while (*p != '\0') {
        p += strspn(p, "; \t");
        const size_t n = strcspn(p, "=; \t");
        const int is_boundary = n == 8 && strncasecmp(p, "boundary", 8) == 0;
        p += n;
        p += strspn(p, " \t");
        if (*p != '=') {
            continue;
        }
        p++;
        p += strspn(p, " \t");
        if (is_boundary) {
            memcpy(start, plain, sizeof plain - 1); /* at most up to p */
            *take_value(start + sizeof plain - 1, &p) = '\0';
            return;
        }
        (void)take_value(NULL, &p);
    }
}

void form_begin(form *f, struct MHD_Connection *connection, int has_body)
{
    const char *type = mhd.MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    *f = (form){.current = -1};
    for (int i = 0; i < FORM_FILES; i++) {
        f->files[i] = UPLOAD_NONE;
    }
    if (!has_body) {
        return;
    }
    int is_multipart = type != NULL && strncasecmp(type, MULTIPART, sizeof MULTIPART - 1) == 0;
    f->urlencoded = type != NULL && strncasecmp(type, URLENCODED, sizeof URLENCODED - 1) == 0;
    if (is_multipart) {
        tidy_boundary(type);
    }
    if (is_multipart || f->urlencoded) {
        f->parser = mhd.MHD_create_post_processor(connection, PARSER_BYTES, on_data, f);
        if (f->parser == NULL) {
            form_fail(f, 400, "the form cannot be read: its Content-Type has no usable boundary");
        }
        return;
    }
    f->bare = 1;
    if (type != NULL && strncasecmp(type, "image/", 6) != 0 && strncasecmp(type, "application/octet-stream", 24) != 0) {
        form_fail(f, 415, "send a form (multipart/form-data), or a picture as the body (image/...)");
    }
}

/* No such form has them, and every picture has: curl calls what it sends with --data-binary a form. */
static int has_controls(const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const unsigned char c = (unsigned char)data[i];
        if ((c < 32 && c != '\r' && c != '\n' && c != '\t') || c == 127) {
            return 1;
        }
    }
    return 0;
}

void form_add(form *f, const char *data, size_t n)
{
    if (f->status != 0) {
        return;
    }
    if (f->urlencoded && has_controls(data, n)) { /* also where the pieces of it would pass for fields */
        form_fail(f, 400,
                  "the body is no form, but its Content-Type is " URLENCODED
                  "\ncurl: -F file=@photo.jpg in place of --data-binary, or with it -H 'Content-Type: image/jpeg'");
        return;
    }
    if (f->parser != NULL) {
        if (mhd.MHD_post_process(f->parser, data, n) != MHD_YES) {
            form_fail(f, 400, "the form is damaged");
        }
        return;
    }
    if (f->bare) {
        if (f->files[FILE_PHOTO].fd < 0 && !upload_begin(&f->files[FILE_PHOTO])) {
            form_fail(f, 503, "out of memory");
            return;
        }
        add_file(f, FILE_PHOTO, data, n);
    }
}

static enum MHD_Result on_query(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size, const char *value,
                                size_t value_size)
{
    form *f = cls;
    (void)kind;
    if (key == NULL) {
        return MHD_YES;
    }
    if (strlen(key) != key_size) {
        form_fail(f, 400, "a zero byte in the query");
        return MHD_NO;
    }
    if (value == NULL) {
        add_text(f, key, "", 0, 0);
    } else {
        add_text(f, key, value, 0, value_size);
    }
    return f->status == 0 ? MHD_YES : MHD_NO;
}

void form_end(form *f, struct MHD_Connection *connection)
{
    if (f->parser != NULL) {
        if (mhd.MHD_destroy_post_processor(f->parser) != MHD_YES) {
            form_fail(f, 400, "the form ends early");
        }
        f->parser = NULL;
    }
    (void)mhd.MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, on_query, f);
    for (int i = 0; i < FORM_FILES; i++) {
        if (f->files[i].fd >= 0 && !upload_seal(&f->files[i])) {
            form_fail(f, 503, "out of memory");
        }
    }
}

void form_dispose(form *f)
{
    if (f->parser != NULL) {
        (void)mhd.MHD_destroy_post_processor(f->parser);
    }
    for (int i = 0; i < f->n; i++) {
        free(f->fields[i].text);
    }
    for (int i = 0; i < FORM_FILES; i++) {
        upload_dispose(&f->files[i]);
    }
    *f = (form){.current = -1};
    for (int i = 0; i < FORM_FILES; i++) {
        f->files[i] = UPLOAD_NONE;
    }
}

const char *form_text(const form *f, const char *name)
{
    for (int i = 0; i < f->n; i++) {
        if (strcmp(f->fields[i].name, name) == 0) {
            return f->fields[i].text;
        }
    }
    return NULL;
}
