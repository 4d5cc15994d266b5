/* /openapi.json (3.1), from the table of routes and the table of options. */
#include "fields.h"
#include "routes.h"

#include "../json.h"

#include <stdlib.h>
#include <string.h>

/* ---- values of options */

static void write_default(json *j, const option_row *row, const args *standard)
{
    const char *field = (const char *)standard + row->field;
    int whole = 0;
    double real = 0.0;
    if (row->zero == NULL) { /* a row of the program alone has its default in words */
        return;
    }
    if (row->kind == KIND_REAL) {
        memcpy(&real, field, sizeof real);
        json_real(j, "default", real);
        return;
    }
    memcpy(&whole, field, sizeof whole);
    if (row->kind == KIND_ENUM) {
        json_text(j, "default", row->choices(whole));
    } else if (row->kind == KIND_FLAG) {
        json_bool(j, "default", whole);
    }
}

static void write_number(json *j, const option_row *row)
{
    json_text(j, "type", row->kind == KIND_REAL ? "number" : "integer");
    json_real(j, "minimum", row->range->least);
    if (row->kind == KIND_REAL) {
        json_real(j, "maximum", row->range->most);
    } else {
        json_int(j, "maximum", (long long)row->range->most);
    }
}

/* The members of a schema of the option's values. */
static void write_values(json *j, const option_row *row, const args *standard)
{
    switch (row->kind) {
    case KIND_FLAG:
        json_text(j, "type", "boolean");
        break;
    case KIND_INT:
    case KIND_REAL:
    case KIND_MAYBE:
        write_number(j, row);
        break;
    case KIND_ENUM:
    case KIND_CODE:
        json_text(j, "type", "string");
        json_begin(j, "enum", '[');
        for (int i = 0; row->choices(i) != NULL; i++) {
            json_text(j, NULL, row->choices(i));
        }
        json_end(j, ']');
        break;
    case KIND_SIZE:
        json_text(j, "type", "string");
        json_text(j, "pattern", "^[1-9][0-9]{0,4}(x[1-9][0-9]{0,4})?$");
        break;
    default:
        json_text(j, "type", "string");
    }
    write_default(j, row, standard);
}

/* The description of a field, with what its help page adds in words. */
static void write_description(json *j, const option_row *row)
{
    char text[900];
    (void)snprintf(text, sizeof text, "%s%s%s", row->help, row->standard != NULL ? "; default: " : "",
                   row->standard != NULL ? row->standard : "");
    json_text(j, "description", text);
}

static unsigned bit_of(route_fields fields)
{
    switch (fields) {
    case FIELDS_MATTE:
        return CMD_MATTE;
    case FIELDS_TRIMAP:
        return CMD_TRIMAP;
    case FIELDS_CUT:
    case FIELDS_ESTIMATE:
    case FIELDS_REMOVE_BACKGROUND:
        return CMD_CUT;
    case FIELDS_NONE:
    case FIELDS_PHOTO:
    case FIELDS_REMBG:
    case FIELDS_REMBG_URL:
        break;
    }
    return 0;
}

/* ---- forms and queries */

typedef struct own_field {
    const char *name, *type, *format; /* of JSON Schema */
    const char *description;
} own_field;

static const own_field photo_fields[] = {{"file", "string", "binary", "the photo"}, {NULL, NULL, NULL, NULL}};
static const own_field cut_fields[] = {
    {"file", "string", "binary", "the photo; this or the id of a kept one (photo)"},
    {"photo", "string", NULL, "id of a kept photo"},
    {"mask", "string", "binary", "a mask of the client: no network runs"},
    {"trimap", "string", "binary", "a trimap of the client, likewise"},
    {"hints", "string", "binary",
     "strokes on the mask: white is subject, black is background, transparent or grey says "
     "nothing; any size"},
    {"background_file", "string", "binary", "a picture to put behind the subject"},
    {"output", "string", "output", "what is answered; default: cutout"},
    {"settings", "string", NULL, "options as one JSON object; single fields win over it"},
    {NULL, NULL, NULL, NULL}};
static const own_field trimap_fields[] = {{"mask", "string", "binary", "the mask"}, {NULL, NULL, NULL, NULL}};
static const own_field remove_fields[] = {{"image", "string", "binary", "the photo"},
                                          {"output", "string", "output", "cutout, or matte for the mask"},
                                          {NULL, NULL, NULL, NULL}};
static const own_field estimate_fields[] = {{"width", "integer", NULL, "of the photo, 1 to 65535"},
                                            {"height", "integer", NULL, "of the photo, 1 to 65535"},
                                            {"photo", "string", NULL, "id of a kept photo instead"},
                                            {NULL, NULL, NULL, NULL}};
static const own_field rembg_fields[] = {
    {"file", "string", "binary", "the photo"},
    {"model", "string", NULL, "name of the model"},
    {"a", "boolean", NULL, "closed-form matting"},
    {"af", "byte", NULL, "foreground above this, 0 to 255; default 240"},
    {"ab", "byte", NULL, "background below this, 0 to 255; default 10"},
    {"ae", "thousand", NULL, "side of the square that erodes both, 0 to 1000; default 10"},
    {"vm", "boolean", NULL, "VITMatte; wins over a"},
    {"dc", "boolean", NULL, "accepted: the colours are estimated in any case"},
    {"om", "boolean", NULL, "the mask alone"},
    {"ppm", "boolean", NULL, "smooth the mask and make it hard"},
    {"bgc", "string", NULL, "background colour r,g,b,a"},
    {"extras", "string", NULL, "JSON: vitmatte_model, putalpha"},
    {NULL, NULL, NULL, NULL}};

static const own_field *fields_of(route_fields fields)
{
    switch (fields) {
    case FIELDS_CUT:
    case FIELDS_MATTE:
        return cut_fields;
    case FIELDS_TRIMAP:
        return trimap_fields;
    case FIELDS_PHOTO:
        return photo_fields;
    case FIELDS_ESTIMATE:
        return estimate_fields;
    case FIELDS_REMOVE_BACKGROUND:
        return remove_fields;
    case FIELDS_REMBG:
        return rembg_fields;
    case FIELDS_NONE:
    case FIELDS_REMBG_URL:
        break;
    }
    return NULL;
}

static void own_values(json *j, const own_field *f)
{
    int byte = strcmp(f->type, "byte") == 0, thousand = strcmp(f->type, "thousand") == 0;
    json_text(j, "type", byte || thousand ? "integer" : f->type);
    if (byte || thousand) {
        json_int(j, "minimum", 0);
        json_int(j, "maximum", byte ? 255 : 1000);
    } else if (strcmp(f->type, "integer") == 0) {
        json_int(j, "minimum", 1);
        json_int(j, "maximum", 65535);
    }
    if (f->format != NULL && strcmp(f->format, "output") == 0) {
        json_begin(j, "enum", '[');
        for (int i = 0; want_name(i) != NULL; i++) {
            json_text(j, NULL, want_name(i));
        }
        json_text(j, NULL, "matte");
        json_end(j, ']');
    } else if (f->format != NULL) {
        json_text(j, "format", f->format);
    }
}

/* The form of a POST. A photo may also be the body itself. */
static void write_form(json *j, const route *r, const args *standard)
{
    const own_field *own = fields_of(r->fields);
    json_begin(j, "requestBody", '{');
    json_bool(j, "required", 1);
    json_begin(j, "content", '{');
    json_begin(j, "multipart/form-data", '{');
    json_begin(j, "schema", '{');
    json_text(j, "type", "object");
    for (int i = 0; own != NULL && own[i].name != NULL; i++) {
        if (i == 0) {
            json_begin(j, "properties", '{');
        }
        json_begin(j, own[i].name, '{');
        own_values(j, &own[i]);
        json_text(j, "description", own[i].description);
        json_end(j, '}');
    }
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        if (bit_of(r->fields) != 0 && fields_has(row, bit_of(r->fields))) {
            json_begin(j, row->name, '{');
            write_values(j, row, standard);
            write_description(j, row);
            json_end(j, '}');
        }
    }
    json_end(j, '}');
    if (r->fields == FIELDS_PHOTO || r->fields == FIELDS_REMBG || r->fields == FIELDS_TRIMAP) {
        json_begin(j, "required", '[');
        json_text(j, NULL, own[0].name);
        json_end(j, ']');
    }
    json_bool(j, "additionalProperties", r->fields == FIELDS_REMBG);
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

static void begin_parameter(json *j, const char *name, const char *in, const char *description)
{
    json_begin(j, NULL, '{');
    json_text(j, "name", name);
    json_text(j, "in", in);
    json_bool(j, "required", strcmp(in, "path") == 0);
    json_text(j, "description", description);
    json_begin(j, "schema", '{');
}

static void end_parameter(json *j)
{
    json_end(j, '}');
    json_end(j, '}');
}

static void write_parameters(json *j, const route *r, const args *standard)
{
    json_begin(j, "parameters", '[');
    if (strstr(r->path, "{id}") != NULL) {
        begin_parameter(j, "id", "path", "of the photo or request");
        json_text(j, "type", "string");
        json_text(j, "pattern",
                  strstr(r->path, "/requests/") != NULL ? "^[A-Za-z0-9_-]{8,70}$" : "^[A-Za-z0-9_-]{1,70}$");
        end_parameter(j);
    }
    if (r->fields == FIELDS_REMBG_URL) {
        begin_parameter(j, "url", "query", "not fetched");
        json_text(j, "type", "string");
        end_parameter(j);
    }
    if (r->fields == FIELDS_ESTIMATE) {
        for (int i = 0; estimate_fields[i].name != NULL; i++) {
            begin_parameter(j, estimate_fields[i].name, "query", estimate_fields[i].description);
            own_values(j, &estimate_fields[i]);
            end_parameter(j);
        }
        for (int i = 0; i < n_option_rows; i++) {
            const option_row *row = &option_rows[i];
            if (fields_has(row, CMD_CUT)) {
                begin_parameter(j, row->name, "query", row->help);
                write_values(j, row, standard);
                end_parameter(j);
            }
        }
    }
    json_end(j, ']');
}

/* ---- answers */

static void write_response(json *j, const char *status, const char *description, const char *type, const char *schema)
{
    json_begin(j, status, '{');
    json_text(j, "description", description);
    json_begin(j, "content", '{');
    json_begin(j, type, '{');
    json_begin(j, "schema", '{');
    if (schema != NULL) {
        json_text(j, "$ref", schema);
    }
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

static const char *meaning(const char *status)
{
    static const char *const meanings[][2] = {{"400", "a damaged request"},
                                              {"401", "a token is required"},
                                              {"403", "not allowed"},
                                              {"404", "there is no such thing"},
                                              {"408", "the body came too slowly"},
                                              {"409", "cancelled, by DELETE or by a client that closed its side"},
                                              {"413", "the request or the picture is too large"},
                                              {"415", "not a picture, or of a format that cannot be read"},
                                              {"422", "a picture or option that cannot be used"},
                                              {"429", "too many requests wait; see Retry-After"},
                                              {"500", "a bug, or a damaged model"},
                                              {"503", "not ready, ending, too many connections, or out of memory"},
                                              {"504", "it took longer than the server allows"},
                                              {"507", "it does not fit in memory"}};
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (strcmp(meanings[i][0], status) == 0) {
            return meanings[i][1];
        }
    }
    return "an error";
}

static void write_responses(json *j, const route *r)
{
    json_begin(j, "responses", '{');
    int created = r->fields == FIELDS_PHOTO;
    if (r->fields != FIELDS_REMBG_URL) {
        int many = strcmp(r->answers, "image/png") == 0;
        json_begin(j, created ? "201" : "200", '{');
        json_text(j, "description", created ? "kept" : "done");
        json_begin(j, "content", '{');
        static const char *const types[] = {"image/png", "image/jpeg", "image/webp", "application/zip"};
        for (size_t i = 0; i < (many ? sizeof types / sizeof types[0] : 1); i++) {
            json_begin(j, many ? types[i] : r->answers, '{');
            json_end(j, '}');
        }
        json_end(j, '}');
        json_end(j, '}');
    }
    for (const char *p = r->statuses; *p != '\0'; p += strspn(p + strcspn(p, " "), " ") + strcspn(p, " ")) {
        char status[4] = "";
        (void)snprintf(status, sizeof status, "%.3s", p);
        write_response(j, status, meaning(status), "application/json", "#/components/schemas/error");
    }
    write_response(j, "default", "an error", "application/json", "#/components/schemas/error");
    json_end(j, '}');
}

static void write_operation(json *j, const route *r, const args *standard)
{
    char key[8];
    size_t i = 0;
    for (; r->method[i] != '\0' && i + 1 < sizeof key; i++) {
        key[i] = (char)(r->method[i] | 0x20);
    }
    key[i] = '\0';
    json_begin(j, key, '{');
    json_text(j, "summary", r->summary);
    write_parameters(j, r, standard);
    if (strcmp(r->method, "POST") == 0) {
        write_form(j, r, standard);
    }
    write_responses(j, r);
    if (!r->open) {
        json_begin(j, "security", '[');
        json_begin(j, NULL, '{');
        json_end(j, '}');
        json_begin(j, NULL, '{');
        json_begin(j, "token", '[');
        json_end(j, ']');
        json_end(j, '}');
        json_end(j, ']');
    }
    json_end(j, '}');
}

static void write_components(json *j)
{
    static const char *const members[] = {"detail", "hint", "code"};
    json_begin(j, "components", '{');
    json_begin(j, "securitySchemes", '{');
    json_begin(j, "token", '{');
    json_text(j, "type", "http");
    json_text(j, "scheme", "bearer");
    json_end(j, '}');
    json_end(j, '}');
    json_begin(j, "schemas", '{');
    json_begin(j, "error", '{');
    json_text(j, "type", "object");
    json_begin(j, "properties", '{');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_begin(j, members[i], '{');
        json_text(j, "type", "string");
        json_end(j, '}');
    }
    json_begin(j, "status", '{');
    json_text(j, "type", "integer");
    json_end(j, '}');
    json_end(j, '}');
    json_begin(j, "required", '[');
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_text(j, NULL, members[i]);
    }
    json_text(j, NULL, "status");
    json_end(j, ']');
    json_end(j, '}');
    json_end(j, '}');
    json_end(j, '}');
}

void openapi_write(server *s, FILE *out)
{
    args standard = {0};
    json j = {out, 0};
    (void)s;
    args_defaults(&standard);
    args_standard_options(&standard.options, CMD_CUT);
    json_begin(&j, NULL, '{');
    json_text(&j, "openapi", "3.1.0");
    json_begin(&j, "info", '{');
    json_text(&j, "title", "mattebox");
    json_text(&j, "version", mb_version());
    json_text(&j, "description", "Background removal with accurate alpha. docs/server.md has the whole interface.");
    json_end(&j, '}');
    json_begin(&j, "paths", '{');
    for (int i = 0; i < n_routes; i++) {
        int first = 1;
        for (int k = 0; k < i; k++) {
            first &= strcmp(routes[k].path, routes[i].path) != 0;
        }
        if (!first) {
            continue;
        }
        json_begin(&j, routes[i].path, '{');
        for (int k = i; k < n_routes; k++) {
            if (strcmp(routes[k].path, routes[i].path) == 0) {
                write_operation(&j, &routes[k], &standard);
            }
        }
        json_end(&j, '}');
    }
    json_end(&j, '}');
    write_components(&j);
    json_end(&j, '}');
    (void)fputc('\n', out);
}
