/* Help pages and the reference of options, from the table. */
#include "args.h"
#include "commands.h"
#include "message.h"

#include <string.h>

#define HELP_LEFT  33
#define HELP_RIGHT 118

/* "METHOD: none, guided, ... (none)" in words: range or choices, and the default. */
static void describe_value(char *text, size_t bytes, const option_row *row)
{
    char range[256] = "";
    if (row->choices != NULL) {
        for (int i = 0; row->choices(i) != NULL; i++) {
            size_t at = strlen(range);
            (void)snprintf(range + at, sizeof range - at, "%s%s", i > 0 ? ", " : "", row->choices(i));
        }
    } else if (row->kind == KIND_INT || row->kind == KIND_REAL || row->kind == KIND_MAYBE) {
        (void)snprintf(range, sizeof range, "%.10g to %.10g", row->min, row->max);
    }
    if (range[0] != '\0' && row->standard != NULL) {
        (void)snprintf(text, bytes, "%s; default %s", range, row->standard);
    } else if (row->standard != NULL) {
        (void)snprintf(text, bytes, "default %s", row->standard);
    } else {
        (void)snprintf(text, bytes, "%s", range);
    }
}

/* " FILE", "[=PIXELS]" or "": what follows an option's name. */
static const char *argument_of(char *text, size_t bytes, const option_row *row)
{
    const char *form = row->argument == NULL ? "%s" : row->kind == KIND_MAYBE ? "[=%s]" : " %s";
    (void)snprintf(text, bytes, form, row->argument != NULL ? row->argument : "");
    return text;
}

void help_overview(FILE *out)
{
    (void)fputs("mattebox PHOTO...            writes PHOTO.cutout.png beside each photo\n\n"
                "Usage: mattebox [COMMAND] [OPTION]... FILE...\n\n",
                out);
    for (int i = 0; i < n_commands; i++) {
        (void)fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
    }
    (void)fputs("\n\"mattebox help cut\" lists the options of a command. Weights: mattebox-weights --help.\n", out);
}

/* Prints text from column `left` on, broken at spaces; the first line starts where the cursor is. */
static void print_wrapped(FILE *out, const char *text, int left, int right)
{
    while (strlen(text) > (size_t)(right - left)) {
        int n = right - left;
        while (n > 0 && text[n] != ' ') {
            n--;
        }
        n = n > 0 ? n : (int)strcspn(text, " ");
        (void)fprintf(out, "%.*s\n%*s", n, text, left, "");
        text += n + (text[n] == ' ');
    }
    (void)fprintf(out, "%s\n", text);
}

void help_command(FILE *out, const command *c)
{
    (void)fprintf(out, "mattebox %s: %s\n\nUsage: mattebox %s%s%s\n", c->name, c->summary, c->name,
                  c->usage[0] != '\0' ? " " : "", c->usage);
    if (c->details != NULL) {
        (void)fprintf(out, "\n%s\n", c->details);
    }
    const char *group = "";
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        if ((row->commands & c->bit) == 0) {
            continue;
        }
        if (strcmp(group, row->group) != 0) {
            group = row->group;
            (void)fprintf(out, "\n%s:\n", group);
        }
        char left[96], argument[64], value[320], letter[8] = "    ";
        if (row->letter != 0) {
            (void)snprintf(letter, sizeof letter, "-%c, ", row->letter);
        }
        (void)snprintf(left, sizeof left, "%s--%s%s", letter, row->name, argument_of(argument, sizeof argument, row));
        describe_value(value, sizeof value, row);
        char text[800];
        (void)snprintf(text, sizeof text, "%s%s%s%s", row->help, value[0] != '\0' ? " (" : "", value,
                       value[0] != '\0' ? ")" : "");
        (void)fprintf(out, "  %-30s ", left);
        if (strlen(left) > HELP_LEFT - 3) {
            (void)fprintf(out, "\n%*s", HELP_LEFT, "");
        }
        print_wrapped(out, text, HELP_LEFT, HELP_RIGHT);
    }
    (void)fputs("\nExit codes: 0 done, 1 some pictures failed, 2 usage, 3 model, 4 memory or device, 5 output, "
                "130 interrupted\n",
                out);
}

static void markdown_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|') {
            (void)fputc('\\', out);
        }
        (void)fputc(*text, out);
    }
}

void help_markdown(FILE *out, const command *c)
{
    if (c == NULL) {
        for (int i = 0; i < n_commands; i++) {
            (void)fprintf(out, "%s## mattebox %s\n\n%c%s.\n\n`mattebox %s%s%s`\n\n", i > 0 ? "\n" : "",
                          commands[i].name, commands[i].summary[0] & ~0x20, commands[i].summary + 1, commands[i].name,
                          commands[i].usage[0] != '\0' ? " " : "", commands[i].usage);
            if (commands[i].details != NULL) {
                (void)fprintf(out, "%s\n\n", commands[i].details);
            }
            help_markdown(out, &commands[i]);
        }
        return;
    }
    (void)fputs("| option | what | values |\n| --- | --- | --- |\n", out);
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        if ((row->commands & c->bit) == 0) {
            continue;
        }
        char value[320];
        describe_value(value, sizeof value, row);
        (void)fputs("| `", out);
        if (row->letter != 0) {
            (void)fprintf(out, "-%c, ", row->letter);
        }
        (void)fprintf(out, "--%s", row->name);
        char argument[64];
        markdown_cell(out, argument_of(argument, sizeof argument, row));
        (void)fputs("` | ", out);
        markdown_cell(out, row->help);
        (void)fputs(" | ", out);
        markdown_cell(out, value);
        (void)fputs(" |\n", out);
    }
}

int cmd_help(args *a)
{
    if (a->n_paths > 0 && strcmp(a->paths[0], "--markdown") == 0) { /* after "--": for the documentation's makers */
        help_markdown(stdout, NULL);
        return CODE_OK;
    }
    if (a->n_paths == 0) {
        help_overview(stdout);
        return CODE_OK;
    }
    const char *names[16];
    for (int i = 0; i < n_commands; i++) {
        names[i] = commands[i].name;
        if (strcmp(a->paths[0], commands[i].name) == 0) {
            if (a->n_paths > 1 && strcmp(a->paths[1], "--markdown") == 0) {
                help_markdown(stdout, &commands[i]);
            } else {
                help_command(stdout, &commands[i]);
            }
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
