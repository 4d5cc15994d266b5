/* The catalogue's text: an entry begins with "model NAME", and each line behind it is a word and its value; '#' begins
 * a comment. It is parsed in place and the entries point into it, so the text lives as long as they do. The user's
 * file has the same form, may come from anywhere, and is checked as strictly as the built-in one. */
#include "manager/catalogue.h"

#include "core/alloc.h"
#include "core/file.h"
#include "core/text.h"
#include "core/os_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the user's file: a megabyte of text and some thousand entries. */
#define MAX_USER_FILE ((size_t)1 << 20)
#define MAX_ENTRIES   4096

/* Names become file names, so no slash, no leading dot, and no dash that a program would take for an option. */
bool catalogue_is_name(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c > 127 || (!isalnum(c) && strchr("._-", c) == NULL)) {
            return false;
        }
    }
    return n > 0 && n <= CATALOGUE_NAME_MAX && name[0] != '.' && name[0] != '-';
}

/* A file of such a name would stand in the way of what is built in. */
bool catalogue_is_reserved(const char *name)
{
    static const char *const names[] = {"demo", "saliency"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t k = 0;
        while (names[i][k] != '\0' && tolower((unsigned char)name[k]) == names[i][k]) {
            k++;
        }
        if (names[i][k] == '\0' && name[k] == '\0') {
            return true;
        }
    }
    return false;
}

mb_status catalogue_refuse_reserved(const char *name, const char *what, mb_error *err)
{
    return catalogue_is_reserved(name)
               ? mb_fail(err, MB_E_ARGUMENT,
                         "%.200s: no model can be installed as \"%s\": that names what is built in\nrename it first",
                         what, name)
               : MB_OK;
}

/* Any other length leaves `out` empty. */
bool catalogue_read_sha256(char out[65], const char *text, size_t n)
{
    out[0] = '\0';
    for (size_t i = 0; i < n && n == 64; i++) {
        if (!isxdigit((unsigned char)text[i])) {
            out[0] = '\0';
            return false;
        }
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    out[n == 64 ? 64 : 0] = '\0';
    return n == 64;
}

/* ---- reading */

/* "444 MB" In bytes, as decimal units. The number is read under every locale alike. */
static bool read_size(double *out, const char *value)
{
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}};
    const char *end = mb_text_number(out, value);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (end != NULL && *end == ' ' && strcmp(end + 1, units[i].unit) == 0) {
            *out *= units[i].factor;
            return *out >= 0 && *out < 1e15;
        }
    }
    return false;
}

/* WIDTHxHEIGHT in pixels, within the limits of mattebox-weights convert. */
static bool read_input(catalogue_entry *e, const char *value)
{
    char *end;
    long w = strtol(value, &end, 10);
    if (end == value || *end != 'x') {
        return false;
    }
    const char *second = end + 1;
    long h = strtol(second, &end, 10);
    e->width = (int)w;
    e->height = (int)h;
    return end != second && *end == '\0' && w >= 32 && h >= 32 && w <= 16384 && h <= 16384;
}

/* No other scheme reaches the download, file: in particular. */
static bool is_address(const char *value)
{
    return (strncmp(value, "https://", 8) == 0 || strncmp(value, "http://", 7) == 0) && strchr(value, ' ') == NULL;
}

/* Sets a field; NULL if that was right, else what is wrong. sha256 is rewritten in place in lower case: the digits
 * keep their room. */
static const char *set_field(catalogue_entry *e, const char *key, char *value)
{
    char sha256[65];
    const struct {
        const char *key, **field;
    } texts[] = {{"address", &e->address}, {"file", &e->file},         {"sha256", &e->sha256},
                 {"licence", &e->licence}, {"task", &e->task},         {"page", &e->page},
                 {"alias", &e->alias},     {"revision", &e->revision}, {"note", &e->note}};
    if (value[0] == '\0') {
        return "a value is missing";
    }
    if (strcmp(key, "size") == 0) {
        return read_size(&e->size, value) ? NULL : "size: a number with kB, MB or GB";
    }
    if (strcmp(key, "input") == 0) {
        return read_input(e, value) ? NULL : "input: WIDTHxHEIGHT";
    }
    if (strcmp(key, "terms") == 0) {
        e->gated = strstr(value, "accept") != NULL;
        e->noncommercial = strstr(value, "non-commercial") != NULL;
        return e->gated || e->noncommercial ? NULL : "terms: accept, non-commercial";
    }
    if (strcmp(key, "family") == 0) {
        e->family = strcmp(value, "vitmatte") == 0 ? "vitmatte" : "birefnet";
        return strcmp(value, e->family) == 0 ? NULL : "family: birefnet, vitmatte";
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(key, texts[i].key) != 0) {
            continue;
        }
        if (i == 0 && !is_address(value)) {
            return "address: begins with https:// or http://";
        }
        if (i == 1 && !catalogue_is_name(value)) {
            return "file: a plain file name";
        }
        if (i == 2) {
            if (!catalogue_read_sha256(sha256, value, strlen(value))) {
                return "sha256: 64 hexadecimal digits";
            }
            memcpy(value, sha256, sizeof sha256);
        }
        *texts[i].field = value;
        return NULL;
    }
    return "unknown word";
}

static catalogue_entry *entry_named(const catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (strcmp(c->v[i].name, name) == 0) {
            return &c->v[i];
        }
    }
    return NULL;
}

/* A new entry, or the one of that name emptied. NULL: no memory, or too many. `name` is kept, not copied. Texts that
 * are not stated are "", so no reader has to test for NULL. */
static catalogue_entry *start_entry(catalogue *c, const char *name)
{
    catalogue_entry *e = entry_named(c, name);
    if (e == NULL && c->n == c->capacity && c->n < MAX_ENTRIES) {
        size_t more = c->capacity + 32;
        catalogue_entry *v = mb_realloc_array(c->v, more, sizeof *v);
        if (v != NULL) {
            c->v = v;
            c->capacity = more;
        }
    }
    if (e == NULL && c->n < c->capacity) {
        e = &c->v[c->n++];
    }
    if (e != NULL) {
        /* Most entries are BiRefNets, hence the default. */
        *e = (catalogue_entry){.name = name,
                               .address = "",
                               .file = "",
                               .sha256 = "",
                               .licence = "",
                               .task = "",
                               .page = "",
                               .alias = "",
                               .revision = "",
                               .note = "",
                               .family = "birefnet"};
    }
    return e;
}

/* Every mistake is reported with file and line. */
static mb_status wrong(mb_error *err, const char *origin, int line, const char *what)
{
    return mb_fail(err, MB_E_FORMAT, "%.200s: line %d: %s", origin, line, what);
}

/* What an entry cannot do without. */
static mb_status check_entry(const catalogue_entry *e, const char *origin, int line, mb_error *err)
{
    if (e != NULL && (e->address[0] == '\0' || e->file[0] == '\0')) {
        return wrong(err, origin, line, "the entry above needs an address and a file");
    }
    return MB_OK;
}

/* Splits `text` in place. Lines may end with CR LF and be indented. An entry is checked when the next one begins, and
 * the last one at the end. Numbers of lines count from 1. */
static mb_status parse(catalogue *c, char *text, const char *origin, mb_error *err)
{
    catalogue_entry *e = NULL;
    int line = 0;
    mb_status status = MB_OK;
    for (char *next, *p = text; *p != '\0' && status == MB_OK; p = next) {
        size_t n = strcspn(p, "\n");
        /* The last line may lack its newline. */
        next = p + n + (p[n] == '\n');
        p[n] = '\0';
        line++;
        p += strspn(p, " \t");
        for (n = strlen(p); n > 0 && strchr(" \t\r", p[n - 1]) != NULL; n--) {
            p[n - 1] = '\0';
        }
        if (p[0] == '\0' || p[0] == '#') {
            continue;
        }
        n = strcspn(p, " \t");
        char *value = p + n + strspn(p + n, " \t");
        p[n] = '\0';
        if (value[0] != '\0' && !mb_is_name(value, strlen(value), MAX_USER_FILE)) { /* all of it may be printed */
            status = wrong(err, origin, line, "a control character, or bytes that are not UTF-8");
            continue;
        }
        if (strcmp(p, "model") == 0) {
            status = check_entry(e, origin, line, err);
            if (status == MB_OK && !catalogue_is_name(value)) {
                status = wrong(err, origin, line, "model: 1 to 64 letters, digits, '.', '_', '-'");
            } else if (status == MB_OK && (e = start_entry(c, value)) == NULL) {
                status = mb_fail_memory(err, sizeof *e, "the catalogue of models");
            }
        } else {
            const char *problem = e != NULL ? set_field(e, p, value) : "an entry begins with: model NAME";
            status = problem != NULL ? wrong(err, origin, line, problem) : MB_OK;
        }
    }
    return status == MB_OK ? check_entry(e, origin, line + 1, err) : status;
}

/* The built-in catalogue, then the user's file if it exists. A text file with a zero byte would silently end there,
 * hence the comparison of lengths. */
mb_status catalogue_load(catalogue *c, const char *user_file, mb_error *err)
{
    void *own = NULL;
    size_t bytes = 0;
    *c = (catalogue){0};
    c->texts[0] = mb_strdup(catalogue_text);
    if (c->texts[0] == NULL) {
        return mb_fail_memory(err, strlen(catalogue_text), "the catalogue of models");
    }
    mb_status status = parse(c, c->texts[0], "the built-in catalogue", err);
    if (status == MB_OK && user_file != NULL && mb_os_exists(user_file)) {
        status = mb_read_file(&own, &bytes, user_file, MAX_USER_FILE, err);
        c->texts[1] = own;
        if (status == MB_OK && strlen(c->texts[1]) != bytes) {
            status = mb_fail(err, MB_E_FORMAT, "%.200s: is not a text file", user_file);
        }
        status = status == MB_OK ? parse(c, c->texts[1], user_file, err) : status;
    }
    return status;
}

mb_status catalogue_parse(catalogue *c, char *text, mb_error *err)
{
    *c = (catalogue){.texts = {text}};
    return parse(c, text, "the catalogue", err);
}

void catalogue_dispose(catalogue *c)
{
    mb_free(c->v);
    mb_free(c->texts[0]);
    mb_free(c->texts[1]);
    *c = (catalogue){0};
}

/* ---- finding */

/* Does `a` equal the first n characters of `b`, case and '_' for '-' aside? */
static bool same_name(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int x = a[i] == '_' ? '-' : tolower((unsigned char)a[i]);
        int y = b[i] == '_' ? '-' : tolower((unsigned char)b[i]);
        if (x != y || x == '\0') {
            return false;
        }
    }
    return a[n] == '\0';
}

/* Names before aliases: an alias of one model must not hide another model's name. */
const catalogue_entry *catalogue_find(const catalogue *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++) {
        if (same_name(name, c->v[i].name, strlen(c->v[i].name))) {
            return &c->v[i];
        }
    }
    for (size_t i = 0; i < c->n; i++) {
        for (const char *p = c->v[i].alias; *p != '\0';) {
            size_t n = strcspn(p, " ");
            if (same_name(name, p, n)) {
                return &c->v[i];
            }
            p += n;
            p += strspn(p, " ");
        }
    }
    return NULL;
}
