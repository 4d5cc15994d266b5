/* Help pages, made from the tables of commands and options, as wide as the terminal.
 *
 * Texts come from the tables; here are only their order and their layout: two columns, wrapped at spaces.
 * A row says what an option does, its legal values and its default are added, and the default is read from
 * the very struct that a run without options would use. */
#include "args.h"
#include "commands.h"
#include "message.h"

#include "core/os_process.h"

#include <stdlib.h>
#include <string.h>

#define LEFT 28 /* the column where the help texts start */

/* Columns of the terminal: COLUMNS, else what the terminal says, else 80. Long lines are hard to read: at most 120. */
static int page_width(FILE *out)
{
    const char *columns = mb_os_env("COLUMNS");
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    if (width <= 0) {
        width = mb_os_columns(mb_os_fd(out));
    }
    width = width > 0 ? width : 80;
    return width < 50 ? 50 : width > 120 ? 120 : (int)width;
}

/* Prints text from column `left` on, broken at spaces; the first line starts where the cursor is. */
static void print_wrapped(FILE *out, const char *text, int left, int width)
{
    while (strlen(text) > (size_t)(width - left)) {
        int n = width - left;
        while (n > 0 && text[n] != ' ') {
            n--;
        }
        n = n > 0 ? n : (int)strcspn(text, " ");
        (void)fprintf(out, "%.*s\n%*s", n, text, left, "");
        text += n + (text[n] == ' ');
    }
    (void)fprintf(out, "%s\n", text);
}

/* By group, and within a group in the order of the table: the program's own rows, then the library's. */
int help_rows(int *rows, const command *c)
{
    int n = 0;
    for (int g = 0; option_groups[g] != NULL; g++) {
        for (int i = 0; i < n_option_rows; i++) {
            if ((option_rows[i].commands & c->bit) != 0 && strcmp(option_rows[i].group, option_groups[g]) == 0) {
                rows[n++] = i;
            }
        }
    }
    return n;
}

/* "auto, 8, 16", "1 to 512 pixels" or "": the legal values. */
static void describe_range(char *text, size_t bytes, const option_row *row)
{
    /* Names need no range, and "bits" no unit behind 8 and 16. */
    int choices = row->kind == KIND_ENUM || row->kind == KIND_CODE || row->kind == KIND_DEVICE;
    int unit = row->unit != NULL && row->unit[0] != '\0' && !choices;
    text[0] = '\0';
    for (int i = 0; choices && row->choices(i) != NULL; i++) {
        size_t at = strlen(text);
        (void)snprintf(text + at, bytes - at, "%s%s", i > 0 ? ", " : "", row->choices(i));
    }
    if (row->kind == KIND_INT || row->kind == KIND_COUNTS || row->kind == KIND_REAL || row->kind == KIND_MAYBE ||
        row->kind == KIND_SIZE) {
        (void)snprintf(text, bytes, "%.10g to %.10g%s%s", row->range->least, row->range->most, unit ? " " : "",
                       unit ? row->unit : "");
    }
}

/* The default in words: the row's, else what the library's struct has for this command; "" if there is none to tell. */
static void describe_default(char *text, size_t bytes, const option_row *row, const command *c)
{
    mb_options o;
    args_standard_options(&o, c->bit);
    int whole = 0;
    double real = 0.0;
    text[0] = '\0';
    if (row->standard != NULL) {
        (void)snprintf(text, bytes, "%s", row->standard);
        return;
    }
    if (row->library_bytes == 0 || row->kind == KIND_FLAG) {
        return;
    }
    /* The field lies as deep in mb_options as in args.options. */
    const char *field = (const char *)&o + row->field - offsetof(args, options);
    if (row->kind == KIND_REAL) {
        memcpy(&real, field, sizeof real);
    } else {
        memcpy(&whole, field, sizeof whole);
        real = whole;
    }
    if (row->kind == KIND_ENUM || (row->kind == KIND_CODE && whole == 0)) {
        (void)snprintf(text, bytes, "%s", row->choices(whole));
    } else if (whole == 0 && real == 0.0 && row->zero != NULL && row->zero[0] != '\0') {
        (void)snprintf(text, bytes, "%s", row->zero);
    } else {
        (void)snprintf(text, bytes, "%.10g", real);
    }
}

void help_values(char *text, size_t bytes, const option_row *row, const command *c)
{
    char range[256], standard[128];
    describe_range(range, sizeof range, row);
    describe_default(standard, sizeof standard, row, c);
    (void)snprintf(text, bytes, "%s%s%s%s", range, range[0] != '\0' && standard[0] != '\0' ? "; " : "",
                   standard[0] != '\0' ? "default " : "", standard);
}

void help_argument(char *text, size_t bytes, const option_row *row)
{
    const char *form = row->argument == NULL ? "%s" : row->kind == KIND_MAYBE ? "[=%s]" : " %s";
    (void)snprintf(text, bytes, form, row->argument != NULL ? row->argument : "");
}

/* The first thing that people see: the one command that most of them need, then all others in a line each. */
void help_overview(FILE *out)
{
    int width = page_width(out);
    (void)fputs("mattebox PHOTO...            writes PHOTO.cutout.png beside each photo\n\n"
                "Usage: mattebox [COMMAND] [OPTION]... FILE...\n\n",
                out);
    for (int i = 0; i < n_commands; i++) {
        (void)fprintf(out, "  %-10s ", commands[i].name);
        print_wrapped(out, commands[i].summary, 13, width);
    }
    (void)fputc('\n', out);
    print_wrapped(out,
                  "\"mattebox help cut\" lists the options of a command. Converting weights: mattebox-weights --help.",
                  0, width);
}

/* "  -d, --detail METHOD      what it does (values; default)"; a long name gets a line of its own. */
static void print_option(FILE *out, const option_row *row, const command *c, int width)
{
    char left[96], argument[64], value[400], text[1200], letter[8] = "    ";
    if (row->letter != 0) {
        (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
    }
    help_argument(argument, sizeof argument, row);
    (void)snprintf(left, sizeof left, "  %s--%s%s", letter, row->name, argument);
    help_values(value, sizeof value, row, c);
    (void)snprintf(text, sizeof text, "%s%s%s%s", row->help, value[0] != '\0' ? " (" : "", value,
                   value[0] != '\0' ? ")" : "");
    int fits = strlen(left) <= LEFT - 2;
    (void)fprintf(out, "%s%s%*s", left, fits ? "" : "\n", fits ? LEFT - (int)strlen(left) : LEFT, "");
    print_wrapped(out, text, LEFT, width);
}

/* Title, usage, what the command does, its options by group, exit codes. */
void help_command(FILE *out, const command *c)
{
    int rows[MAX_OPTIONS], width = page_width(out), n = help_rows(rows, c);
    char title[200], usage[300];
    (void)snprintf(title, sizeof title, "mattebox %s: %s\n", c->name, c->summary);
    print_wrapped(out, title, 0, width);
    (void)snprintf(usage, sizeof usage, "Usage: mattebox %s%s%s", c->name, c->usage[0] != '\0' ? " " : "", c->usage);
    print_wrapped(out, usage, 4, width + 4); /* the first line starts at 0 */
    if (c->details != NULL) {
        (void)fputc('\n', out);
        print_wrapped(out, c->details, 0, width);
    }
    const char *group = "";
    for (int i = 0; i < n; i++) {
        const option_row *row = &option_rows[rows[i]];
        if (strcmp(group, row->group) != 0) {
            group = row->group;
            (void)fprintf(out, "\n%s:\n", group);
        }
        print_option(out, row, c, width);
    }
    (void)fputc('\n', out);
    print_wrapped(out,
                  "Exit codes: 0 done, 1 some pictures failed, 2 usage, 3 model, 4 memory or device, 5 output, "
                  "130 interrupted, 143 terminated",
                  0, width);
}

/* "mattebox help [COMMAND]"; and, for the build and the documentation, "mattebox help -- --markdown", "--schema" and
 * "--man [COMMAND]". */
int cmd_help(args *a)
{
    const char *names[24];
    if (a->n_paths == 0) {
        help_overview(stdout);
        return CODE_OK;
    }
    if (strcmp(a->paths[0], "--markdown") == 0) {
        help_markdown(stdout);
        return CODE_OK;
    }
    if (strcmp(a->paths[0], "--schema") == 0) {
        help_schema(stdout);
        return CODE_OK;
    }
    if (strcmp(a->paths[0], "--man") == 0 && a->n_paths == 1) {
        help_man(stdout);
        return CODE_OK;
    }
    if (strcmp(a->paths[0], "--man") == 0 && help_man_command(stdout, a->paths[1])) {
        return CODE_OK;
    }
    for (int i = 0; i < n_commands && i < (int)(sizeof names / sizeof names[0]); i++) {
        names[i] = commands[i].name;
        if (strcmp(a->paths[0], commands[i].name) == 0) {
            help_command(stdout, &commands[i]);
            return CODE_OK;
        }
    }
    char hint[64] = "mattebox help lists all commands";
    const char *near = nearest_name(a->paths[0], names, n_commands);
    if (near != NULL) {
        (void)snprintf(hint, sizeof hint, "did you mean %s?", near);
    }
    return message_error(CODE_USAGE, hint, "no command \"%s\"", a->paths[0]);
}
