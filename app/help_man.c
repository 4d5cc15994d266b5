/* Manual pages from the tables of commands and options: "mattebox help -- --man" prints mattebox.1, "-- --man serve"
 * mattebox-serve.1. The build makes and installs them; what they say is what the help pages say. */
#include "args.h"

#include "core/os_process.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Text for troff: backslashes and hyphens are escaped, and a line never begins with a control character. */
static void roff(FILE *out, const char *text)
{
    for (int at_start = 1; *text != '\0'; text++, at_start = 0) {
        if (at_start && (*text == '.' || *text == '\'')) {
            (void)fputs("\\&", out);
        }
        if (*text == '\\') {
            (void)fputs("\\(rs", out);
        } else if (*text == '-') {
            (void)fputs("\\-", out);
        } else {
            (void)fputc(*text, out);
        }
    }
}

/* The day of the sources (SOURCE_DATE_EPOCH, which reproducible builds set), or nothing: never that of the build. */
static void print_title(FILE *out, const char *name)
{
    char day[16] = "";
    const char *epoch = mb_os_env("SOURCE_DATE_EPOCH");
    time_t t = epoch != NULL ? (time_t)strtoll(epoch, NULL, 10) : 0;
    struct tm *utc = t > 0 ? gmtime(&t) : NULL;
    if (utc != NULL) {
        (void)strftime(day, sizeof day, "%Y-%m-%d", utc);
    }
    (void)fputs(".TH ", out);
    for (const char *c = name; *c != '\0'; c++) {
        (void)fputc(toupper((unsigned char)*c), out);
    }
    (void)fprintf(out, " 1 \"%s\" \"mattebox %s\" \"User Commands\"\n", day, mb_version());
}

/* "\fB-d\fR, \fB--detail\fR METHOD", then what it does. */
static void print_option(FILE *out, const option_row *row, const command *c)
{
    char value[400], argument[64];
    help_values(value, sizeof value, row, c);
    help_argument(argument, sizeof argument, row);
    (void)fputs(".TP\n", out);
    if (row->letter != 0) {
        (void)fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
    }
    (void)fputs("\\fB\\-\\-", out);
    roff(out, row->name);
    (void)fputs("\\fR", out);
    roff(out, argument);
    (void)fputc('\n', out);
    roff(out, row->help);
    if (value[0] != '\0') {
        (void)fputs(" (", out);
        roff(out, value);
        (void)fputc(')', out);
    }
    (void)fputs(".\n", out);
}

static void print_options(FILE *out, const command *c, const char *heading)
{
    int rows[MAX_OPTIONS], n = help_rows(rows, c);
    const char *group = "";
    for (int i = 0; i < n; i++) {
        const option_row *row = &option_rows[rows[i]];
        if (strcmp(group, row->group) != 0) {
            group = row->group;
            (void)fprintf(out, "%s\n", heading);
            roff(out, group);
            (void)fputc('\n', out);
        }
        print_option(out, row, c);
    }
}

/* Usage and what the command does. */
static void print_command(FILE *out, const command *c)
{
    (void)fprintf(out, ".B mattebox %s\n", c->name);
    if (c->usage[0] != '\0') {
        roff(out, c->usage);
        (void)fputc('\n', out);
    }
    (void)fputs(".PP\n", out);
    (void)fputc(toupper((unsigned char)c->summary[0]), out);
    roff(out, c->summary + 1);
    (void)fputs(".\n", out);
    if (c->details != NULL) {
        roff(out, c->details);
        (void)fputc('\n', out);
    }
}

/* What all pages end with. */
static void print_end(FILE *out, const char *also)
{
    static const struct {
        const char *code, *text;
    } codes[] = {{"0", "all is done"},
                 {"1", "some pictures failed, the others are written"},
                 {"2", "the command line asks for something impossible; nothing was done"},
                 {"3", "a model is missing, wrong or damaged"},
                 {"4", "not enough memory, or the device failed"},
                 {"5", "an output could not be written"},
                 {"130", "interrupted; 143 when terminated"}},
      variables[] = {{"MATTEBOX_MODELS", "folders of models, separated by colons, searched first"},
                     {"MATTEBOX_THREADS", "as \\-\\-threads"},
                     {"MATTEBOX_DEVICE", "as \\-\\-device"},
                     {"MATTEBOX_PRECISION", "as \\-\\-precision"},
                     {"MATTEBOX_MAX_MEMORY", "as \\-\\-max\\-memory"},
                     {"MATTEBOX_OFFLINE", "1: nothing uses a network"},
                     {"MATTEBOX_MIRROR", "another host for downloads"}};
    (void)fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        (void)fprintf(out, ".TP\n%s\n%s.\n", codes[i].code, codes[i].text);
    }
    (void)fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        (void)fprintf(out, ".TP\n.B %s\n%s.\n", variables[i].code, variables[i].text);
    }
    (void)fputs(
        ".SH FILES\n.TP\n.I \\(ti/.local/share/mattebox/models\nmodels of the user; those of the machine are in\n"
        ".IR /usr/share/mattebox/models .\n.SH SEE ALSO\n",
        out);
    (void)fprintf(out, "%s\n", also);
}

void help_man(FILE *out)
{
    print_title(out, "mattebox");
    (void)fputs(".SH NAME\nmattebox \\- cut the subject out of photos\n.SH SYNOPSIS\n.B mattebox\n"
                "[\\fICOMMAND\\fR] [\\fIOPTION\\fR]... \\fIFILE\\fR...\n.SH DESCRIPTION\n"
                "Finds the subject of a photo, refines its edge down to hair, and writes it with transparency.\n"
                "Without a command,\n.B mattebox\n.I PHOTO\nwrites\n.I PHOTO.cutout.png\nbeside each photo.\n"
                "Nothing but\n.B mattebox models get\nuses a network.\n",
                out);
    for (int i = 0; i < n_commands; i++) {
        (void)fputs(".SH MATTEBOX ", out);
        for (const char *c = commands[i].name; *c != '\0'; c++) {
            (void)fputc(toupper((unsigned char)*c), out);
        }
        (void)fputc('\n', out);
        print_command(out, &commands[i]);
        print_options(out, &commands[i], ".SS");
    }
    print_end(out, ".BR mattebox\\-weights (1)");
}

int help_man_command(FILE *out, const char *name)
{
    for (int i = 0; i < n_commands; i++) {
        const command *c = &commands[i];
        char title[80];
        if (strcmp(c->name, name) != 0) {
            continue;
        }
        (void)snprintf(title, sizeof title, "mattebox-%s", c->name);
        print_title(out, title);
        (void)fputs(".SH NAME\n", out);
        roff(out, title);
        (void)fputs(" \\- ", out);
        roff(out, c->summary);
        (void)fputs("\n.SH SYNOPSIS\n.B mattebox ", out);
        (void)fprintf(out, "%s\n", c->name);
        roff(out, c->usage);
        (void)fputs("\n.SH DESCRIPTION\n", out);
        if (c->details != NULL) {
            roff(out, c->details);
            (void)fputc('\n', out);
        }
        (void)fputs(".SH OPTIONS\n", out);
        print_options(out, c, ".SS");
        print_end(out, ".BR mattebox (1)");
        return 1;
    }
    return 0;
}
