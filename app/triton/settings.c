/* config.pbtxt's parameters to options. The server hands its configuration over as JSON; of that, two members are read:
 * "max_batch_size", and "parameters", an object of objects with one "string_value" each. */
#include "settings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mb_status fail(mb_error *err, mb_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));
static mb_status fail(mb_error *err, mb_status code, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    err->code = code;
    (void)vsnprintf(err->message, sizeof err->message, format, list);
    va_end(list);
    return code;
}

/* ---- options by name */

enum { ENUM, FLAG, INT, REAL, CODE, OTHER };

#define MB_NAMES(...) __VA_ARGS__, NULL
#define MB_NO_NAMES   NULL
#define MB_OPTION(field, kind, least, most, standard, zero, names, ...)                                                \
    static const char *const field##_names[] = {names};
#include "options/options.def"
#undef MB_OPTION

static const struct {
    const char *name;
    int kind;
    size_t offset;
    const char *const *names;
    size_t n_names;
} fields[] = {
#define MB_OPTION(field, kind, ...)                                                                                    \
    {#field, kind, offsetof(mb_options, field), field##_names, sizeof field##_names / sizeof field##_names[0]},
#include "options/options.def"
#undef MB_OPTION
};

/* A number as a whole. */
static int read_number(double *out, const char *text)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && *end == '\0';
}

/* Ranges are checked by mb_options_check, which names the field. */
static mb_status set_field(mb_options *o, size_t i, const char *value, mb_error *err)
{
    void *field = (char *)o + fields[i].offset;
    double number = 0.0;
    for (size_t k = 0; k < fields[i].n_names && fields[i].names[k] != NULL; k++) {
        if (strcmp(fields[i].names[k], value) == 0) {
            int chosen = fields[i].kind == CODE ? (int)strtol(value, NULL, 10) : (int)k; /* "auto" is 0 */
            memcpy(field, &chosen, sizeof chosen);
            return MB_OK;
        }
    }
    if (fields[i].kind == FLAG && (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)) {
        number = value[0] == 't';
    } else if (fields[i].kind == ENUM || fields[i].kind == OTHER || !read_number(&number, value)) {
        return fail(err, MB_E_ARGUMENT, "parameter %s: \"%.80s\" is no value of it", fields[i].name, value);
    }
    if (fields[i].kind == REAL) {
        memcpy(field, &number, sizeof number);
        return MB_OK;
    }
    int whole = number > -2e9 && number < 2e9 ? (int)number : -1;
    if ((double)whole != number) {
        return fail(err, MB_E_ARGUMENT, "parameter %s: \"%.80s\" is no whole number of its range", fields[i].name,
                    value);
    }
    memcpy(field, &whole, sizeof whole);
    return MB_OK;
}

static mb_status set_background(mb_options *o, const char *value, mb_error *err)
{
    if (strcmp(value, "blur") == 0 || strcmp(value, "none") == 0) {
        o->background = value[0] == 'b' ? MB_BACKGROUND_BLUR : MB_BACKGROUND_NONE;
        return MB_OK;
    }
    o->background = MB_BACKGROUND_COLOUR;
    return mb_parse_colour(o->background_colour, value, err);
}

static mb_status set_device(mb_context_options *c, const char *value, mb_error *err)
{
    for (int i = 0; mb_device_name(i) != NULL; i++) {
        if (strcmp(mb_device_name(i), value) == 0) {
            c->device = (mb_device)i;
            return MB_OK;
        }
    }
    return fail(err, MB_E_ARGUMENT, "parameter device: \"%.80s\" is none of auto, cpu, cuda", value);
}

static mb_status set_parameter(settings *s, const char *name, const char *value, mb_error *err)
{
    double number = 0.0;
    char *text = strcmp(name, "model") == 0 ? s->model : strcmp(name, "matting_model") == 0 ? s->matting : NULL;
    if (text != NULL) {
        (void)snprintf(text, sizeof s->model, "%s", value);
        return MB_OK;
    }
    if (strcmp(name, "preset") == 0) { /* read before the others */
        return MB_OK;
    }
    if (strcmp(name, "background") == 0) {
        return set_background(&s->options, value, err);
    }
    if (strcmp(name, "device") == 0) {
        return set_device(&s->context, value, err);
    }
    if (strcmp(name, "threads") == 0 || strcmp(name, "max_memory") == 0) {
        int threads = name[0] == 't';
        if (!read_number(&number, value) || !(number >= 1 && number <= (threads ? 1024 : 1e15))) { /* nor NaN */
            return fail(err, MB_E_ARGUMENT, "parameter %s: \"%.80s\" is no number of its range", name, value);
        }
        s->context.threads = threads ? (int)number : s->context.threads;
        s->context.max_memory = threads ? s->context.max_memory : (size_t)number;
        return MB_OK;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return set_field(&s->options, i, value, err);
        }
    }
    return fail(err, MB_E_ARGUMENT, "parameter %.80s: there is no option of this name", name);
}

/* ---- JSON */

typedef struct reader {
    const char *at, *end;
} reader;

static void skip_space(reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL) {
        r->at++;
    }
}

static int take(reader *r, char c)
{
    skip_space(r);
    if (r->at < r->end && *r->at == c) {
        r->at++;
        return 1;
    }
    return 0;
}

/* A string into dst, escapes resolved (\u beyond ASCII becomes '?'); 0: none is here, or it does not fit. */
static int take_string(reader *r, char *dst, size_t bytes)
{
    size_t n = 0;
    if (!take(r, '"')) {
        return 0;
    }
    for (; r->at < r->end && *r->at != '"'; r->at++) {
        char c = *r->at;
        if (c == '\\' && r->at + 1 < r->end) {
            static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
            c = *++r->at;
            const char *known = strchr(from, c);
            c = known != NULL && c != '\0' ? to[known - from] : c;
            if (*r->at == 'u' && r->end - r->at > 4) {
                char digits[5] = {r->at[1], r->at[2], r->at[3], r->at[4], '\0'};
                long code = strtol(digits, NULL, 16);
                c = code > 0 && code < 128 ? (char)code : '?';
                r->at += 4;
            }
        }
        if (n + 1 >= bytes) {
            return 0;
        }
        dst[n++] = c;
    }
    dst[n] = '\0';
    return take(r, '"');
}

/* Any value, unread. */
static int skip_value(reader *r)
{
    int depth = 0;
    do {
        skip_space(r);
        if (r->at >= r->end) {
            return 0;
        }
        if (*r->at == '"') {
            for (r->at++; r->at < r->end && *r->at != '"'; r->at++) {
                r->at += *r->at == '\\';
            }
            r->at++;
        } else if (strchr("{[", *r->at) != NULL) {
            depth++;
            r->at++;
        } else if (strchr("}]", *r->at) != NULL) {
            depth--;
            r->at++;
        } else if (strchr(",:", *r->at) != NULL) {
            r->at++;
        } else {
            while (r->at < r->end && strchr(",:{}[]\" \t\r\n", *r->at) == NULL) {
                r->at++;
            }
        }
    } while (depth > 0);
    return r->at <= r->end;
}

/* {"NAME": {"string_value": "VALUE"}, ...}: first the preset, on which the others stand, then all. */
static mb_status read_parameters(settings *s, reader r, int preset, mb_error *err)
{
    char name[256], key[64], value[4096];
    mb_status status = MB_OK;
    int more = take(&r, '{') && !take(&r, '}');
    while (more && status == MB_OK) {
        value[0] = '\0';
        if (!take_string(&r, name, sizeof name) || !take(&r, ':') || !take(&r, '{')) {
            return fail(err, MB_E_FORMAT, "config.pbtxt: its parameters cannot be read");
        }
        while (take_string(&r, key, sizeof key) && take(&r, ':')) {
            if (strcmp(key, "string_value") != 0 ? !skip_value(&r) : !take_string(&r, value, sizeof value)) {
                return fail(err, MB_E_FORMAT, "config.pbtxt: parameter %s cannot be read", name);
            }
            (void)take(&r, ',');
        }
        if (preset && strcmp(name, "preset") == 0) {
            s->has_preset = 1;
            status = mb_options_preset(&s->options, value, err);
        } else if (preset && strcmp(name, "model") == 0) {
            (void)snprintf(s->model, sizeof s->model, "%s", value);
        } else if (!preset) {
            status = set_parameter(s, name, value, err);
        }
        if (!take(&r, '}')) {
            return fail(err, MB_E_FORMAT, "config.pbtxt: parameter %s is more than a string_value", name);
        }
        more = take(&r, ',');
    }
    return status;
}

/* The built-in network runs with the preset that is made for it, as in the program. */
static mb_status choose_preset(settings *s, mb_error *err)
{
    char path[4096];
    int standard = s->model[0] == '\0' || strcmp(s->model, "default") == 0;
    mb_status status = MB_OK;
    if (standard && !s->has_preset && !mb_find_default_model(path, sizeof path)) {
        status = mb_options_preset(&s->options, "small", err);
        s->options.foreground = MB_FOREGROUND_ML;
    }
    return status;
}

mb_status settings_read(settings *s, const char *json, size_t bytes, mb_error *err)
{
    reader r = {json, json + bytes};
    char key[256];
    mb_status status = MB_OK;
    *s = (settings){.has_batch = 0};
    mb_options_init(&s->options);
    mb_context_options_init(&s->context);
    s->options.foreground = MB_FOREGROUND_ML; /* as the program does */
    int more = take(&r, '{'), chosen = 0;
    while (more && status == MB_OK) {
        if (!take_string(&r, key, sizeof key) || !take(&r, ':')) {
            return fail(err, MB_E_FORMAT, "the server's configuration cannot be read");
        }
        reader value = r;
        skip_space(&value);
        if (strcmp(key, "max_batch_size") == 0) {
            s->has_batch = value.at < value.end && *value.at >= '1' && *value.at <= '9';
        } else if (strcmp(key, "parameters") == 0) {
            status = read_parameters(s, value, 1, err);
            status = status == MB_OK ? choose_preset(s, err) : status;
            chosen = 1;
            status = status == MB_OK ? read_parameters(s, value, 0, err) : status;
        }
        if (!skip_value(&r)) {
            return fail(err, MB_E_FORMAT, "the server's configuration ends early");
        }
        more = take(&r, ',');
    }
    status = status == MB_OK && !chosen ? choose_preset(s, err) : status;
    return status == MB_OK ? mb_options_check(&s->options, err) : status;
}
