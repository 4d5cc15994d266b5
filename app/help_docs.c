/* The reference of options for docs/cli.md, and the JSON schema of mb_options for
 * docs/options.schema.json: what the tables say, in the form of a file. tests/cli/docs.sh compares.
 *
 * "mattebox help -- --markdown" and "-- --schema" print them. They are not on the help page: they are for
 * whoever builds the documents and for programs that want to offer our options. */
#include "args.h"

#include <string.h>

/* A bar would end the cell. */
static void markdown_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            (void)fputc('\\', out);
        }
        (void)fputc(*text, out);
    }
}

/* The same rows, order and texts as on the help page of the command. */
static void markdown_table(FILE *out, const command *c)
{
    int rows[MAX_OPTIONS], n = help_rows(rows, c);
    (void)fputs("| option | what it does | values |\n| --- | --- | --- |\n", out);
    for (int i = 0; i < n; i++) {
        const option_row *row = &option_rows[rows[i]];
        char value[400], argument[64];
        help_values(value, sizeof value, row, c);
        help_argument(argument, sizeof argument, row);
        (void)fputs("| `", out);
        if (row->letter != 0) {
            (void)fprintf(out, "-%c, ", row->letter);
        }
        (void)fprintf(out, "--%s", row->name);
        markdown_cell(out, argument);
        (void)fputs("` | ", out);
        markdown_cell(out, row->help);
        (void)fputs(" | ", out);
        markdown_cell(out, value);
        (void)fputs(" |\n", out);
    }
}

/* A chapter for each command. Its title is the summary with a capital letter. */
void help_markdown(FILE *out)
{
    for (int i = 0; i < n_commands; i++) {
        const command *c = &commands[i];
        (void)fprintf(out, "%s## mattebox %s\n\n%c%s.\n\n`mattebox %s%s%s`\n\n", i > 0 ? "\n" : "", c->name,
                      c->summary[0] & ~0x20, c->summary + 1, c->name, c->usage[0] != '\0' ? " " : "", c->usage);
        if (c->details != NULL) {
            (void)fprintf(out, "%s\n\n", c->details);
        }
        markdown_table(out, c);
    }
}

/* ---- JSON Schema (2020-12) */

/* A member of the option's object, with the two characters escaped that help texts may contain. */
static void schema_text(FILE *out, const char *key, const char *text)
{
    (void)fprintf(out, ",\n      \"%s\": \"", key);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            (void)fputc('\\', out);
        }
        (void)fputc(*text, out);
    }
    (void)fputc('"', out);
}

/* The default, in the form that the type of the value has in JSON. */
static void schema_default(FILE *out, const option_row *row, const mb_options *o)
{
    const char *field = (const char *)o + row->field - offsetof(args, options);
    int whole = 0;
    double real = 0.0;
    if (row->kind == KIND_REAL) {
        memcpy(&real, field, sizeof real);
        (void)fprintf(out, ",\n      \"default\": %.10g", real);
    } else if (row->kind != KIND_OTHER) {
        memcpy(&whole, field, sizeof whole);
        if (row->kind == KIND_ENUM) {
            schema_text(out, "default", row->choices(whole));
        } else if (row->kind == KIND_FLAG) {
            (void)fprintf(out, ",\n      \"default\": %s", whole ? "true" : "false");
        } else {
            (void)fprintf(out, ",\n      \"default\": %d", whole);
        }
    }
}

/* Type and legal values. A 0 that stands for something else is legal beside the range, so there it is a
 * choice of two. */
static void schema_values(FILE *out, const option_row *row)
{
    int code = row->kind == KIND_CODE;
    switch (row->kind) {
    case KIND_ENUM:
    case KIND_CODE:
        (void)fprintf(out, "\"type\": \"%s\",\n      \"enum\": [", code ? "integer" : "string");
        for (int i = 0; row->choices(i) != NULL; i++) {
            const char *name = code && i == 0 ? "0" : row->choices(i); /* "auto" */
            (void)fprintf(out, code ? "%s%s" : "%s\"%s\"", i > 0 ? ", " : "", name);
        }
        (void)fputc(']', out);
        return;
    case KIND_FLAG:
        (void)fputs("\"type\": \"boolean\"", out);
        return;
    case KIND_INT:
    case KIND_REAL:
        (void)fprintf(out, "\"type\": \"%s\",\n      ", row->kind == KIND_INT ? "integer" : "number");
        if (row->zero[0] != '\0') {
            (void)fprintf(out, "\"anyOf\": [{\"const\": 0}, {\"minimum\": %.10g, \"maximum\": %.10g}]",
                          row->range->least, row->range->most);
        } else {
            (void)fprintf(out, "\"minimum\": %.10g,\n      \"maximum\": %.10g", row->range->least, row->range->most);
        }
        return;
    default: /* background_colour; background_picture is no value that JSON could carry */
        (void)fputs(
            "\"type\": \"array\",\n      \"items\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 255},\n"
            "      \"minItems\": 4,\n      \"maxItems\": 4",
            out);
    }
}

/* The rows that come from options.def are those with a text for 0, be it empty; the program's own have
 * none. A picture in memory has no form in JSON and is left out. */
void help_schema(FILE *out)
{
    mb_options o;
    mb_options_init(&o);
    (void)fputs("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                "  \"title\": \"mb_options\",\n  \"type\": \"object\",\n  \"additionalProperties\": false,\n"
                "  \"properties\": {",
                out);
    int n = 0;
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        int is_field = row->library_bytes > 0 && row->zero != NULL; /* a row of options.def */
        if (!is_field || strcmp(row->library, "background_picture") == 0) {
            continue;
        }
        (void)fprintf(out, "%s\n    \"%s\": {\n      ", n++ > 0 ? "," : "", row->library);
        schema_values(out, row);
        schema_default(out, row, &o);
        schema_text(out, "description", row->help);
        if (row->zero[0] != '\0') {
            schema_text(out, "x-zero", row->zero);
        }
        if (row->unit[0] != '\0') {
            schema_text(out, "x-unit", row->unit);
        }
        if (row->name != NULL) {
            char option[48];
            (void)snprintf(option, sizeof option, "--%s", row->name);
            schema_text(out, "x-option", option);
        }
        (void)fputs("\n    }", out);
    }
    (void)fputs("\n  }\n}\n", out);
}
