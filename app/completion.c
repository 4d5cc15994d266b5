/* mattebox completion bash|zsh|fish: scripts that complete command lines, made of the tables of commands and options. */
#include "commands.h"
#include "message.h"

#include <ctype.h>
#include <string.h>

/* Words that a command's usage offers in place of a file: "list | get NAME... | rm NAME..." gives list, get, rm. Calls
 * `visit` for each, with its length. */
static int usage_words(FILE *out, const command *c, const char *before)
{
    int n = 0;
    for (const char *p = c->usage; p != NULL && *p != '\0'; p = strchr(p, '|')) {
        p += strspn(p, "| ");
        size_t length = 0;
        while (islower((unsigned char)p[length])) {
            length++;
        }
        if (length > 0 && (p[length] == '\0' || p[length] == ' ' || p[length] == '|')) {
            (void)fprintf(out, "%s%.*s", n++ > 0 ? " " : before, (int)length, p);
        }
        p += length;
    }
    for (int i = 0; c->bit == CMD_HELP && i < n_commands; i++) {
        (void)fprintf(out, "%s%s", n++ > 0 ? " " : before, commands[i].name);
    }
    return n;
}

static int takes_value(const option_row *row)
{
    return row->kind != KIND_FLAG && row->kind != KIND_MAYBE;
}

/* The values of an option that has a list of them, between spaces. */
static int print_choices(FILE *out, const option_row *row)
{
    int n = 0;
    if (row->kind == KIND_ENUM || row->kind == KIND_CODE || row->kind == KIND_DEVICE) {
        for (; row->choices(n) != NULL; n++) {
            (void)fprintf(out, "%s%s", n > 0 ? " " : "", row->choices(n));
        }
    }
    return n;
}

static int is_file(const option_row *row)
{
    return row->argument != NULL && (strstr(row->argument, "FILE") != NULL || strstr(row->argument, "DIR") != NULL ||
                                     strstr(row->argument, "PICTURE") != NULL || strstr(row->argument, "PATH") != NULL);
}

/* The help up to its first clause, without what a shell's quotes would trip over. */
static void print_brief(FILE *out, const char *help)
{
    size_t n = strcspn(help, ";:(");
    const char *stop = strstr(help, ". ");
    n = stop != NULL && (size_t)(stop - help) < n ? (size_t)(stop - help) : n;
    while (n > 0 && help[n - 1] == ' ') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        if (strchr("'\"[]\\`$", help[i]) == NULL) {
            (void)fputc(help[i], out);
        }
    }
}

/* ---- bash */

static void bash_options(FILE *out, const command *c)
{
    int rows[MAX_OPTIONS], n = help_rows(rows, c);
    (void)fprintf(out, "    %s)\n        words='", c->name);
    (void)usage_words(out, c, "");
    (void)fputs("'\n        options='", out);
    for (int i = 0; i < n; i++) {
        (void)fprintf(out, "%s--%s", i > 0 ? " " : "", option_rows[rows[i]].name);
    }
    (void)fputs("'\n        case $previous in\n", out);
    for (int i = 0; i < n; i++) {
        const option_row *row = &option_rows[rows[i]];
        if (!takes_value(row)) {
            continue;
        }
        (void)fputs("        ", out);
        if (row->letter != 0) {
            (void)fprintf(out, "-%c | ", row->letter);
        }
        (void)fprintf(out, "--%s) wants=%s; values='", row->name, is_file(row) ? "file" : "value");
        (void)print_choices(out, row);
        (void)fputs("' ;;\n", out);
    }
    (void)fputs("        esac\n        ;;\n", out);
}

static void print_bash(FILE *out)
{
    (void)fputs("# bash completion for mattebox, made by `mattebox completion bash`\n"
                "_mattebox()\n{\n"
                "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=cut\n"
                "    local words='' options='' wants='' values='' commands='",
                out);
    for (int i = 0; i < n_commands; i++) {
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", commands[i].name);
    }
    (void)fputs("'\n    if [[ $current == = ]]; then current=''; elif [[ $previous == = ]]; then "
                "previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                "    if [[ $COMP_CWORD -gt 1 && \" $commands \" == *\" ${COMP_WORDS[1]} \"* ]]; then "
                "command=${COMP_WORDS[1]}; fi\n"
                "    case $command in\n",
                out);
    for (int i = 0; i < n_commands; i++) {
        bash_options(out, &commands[i]);
    }
    (void)fputs(
        "    esac\n    COMPREPLY=()\n"
        "    if [[ -n $values ]]; then COMPREPLY=($(compgen -W \"$values\" -- \"$current\"))\n"
        "    elif [[ $wants == value ]]; then compopt +o default +o bashdefault 2>/dev/null\n"
        "    elif [[ $wants == file ]]; then :\n"
        "    elif [[ $current == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
        "    elif [[ $COMP_CWORD -eq 1 ]]; then COMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))\n"
        "        [[ -n $current ]] && COMPREPLY+=($(compgen -f -- \"$current\"))\n"
        "    elif [[ -n $words && $COMP_CWORD -eq 2 ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
        "    fi\n}\ncomplete -o bashdefault -o default -F _mattebox mattebox\n",
        out);
}

/* ---- zsh */

static void zsh_value(FILE *out, const option_row *row)
{
    (void)fputs(":value:", out);
    if (is_file(row)) {
        (void)fputs("_files", out);
    } else if (row->kind == KIND_ENUM || row->kind == KIND_CODE || row->kind == KIND_DEVICE) {
        (void)fputc('(', out);
        for (int i = 0; row->choices(i) != NULL; i++) {
            for (const char *c = row->choices(i); *c != '\0'; c++) {
                (void)fprintf(out, *c == ':' ? "\\%c" : "%c", *c);
            }
            (void)fputs(row->choices(i + 1) != NULL ? " " : "", out);
        }
        (void)fputc(')', out);
    } else {
        (void)fputc(' ', out);
    }
}

static void zsh_options(FILE *out, const command *c)
{
    int rows[MAX_OPTIONS], n = help_rows(rows, c);
    (void)fprintf(out, "    %s) _arguments -s -S", c->name);
    for (int i = 0; i < n; i++) {
        const option_row *row = &option_rows[rows[i]];
        for (int form = 0; form < 2; form++) { /* the letter, then the word */
            if (form == 0 && row->letter == 0) {
                continue;
            }
            (void)fputs(" \\\n        '", out);
            if (form == 0) {
                (void)fprintf(out, "-%c%s[", row->letter, takes_value(row) ? "+" : "");
            } else {
                (void)fprintf(out, "--%s%s[", row->name, takes_value(row) ? "=" : row->kind == KIND_MAYBE ? "=-" : "");
            }
            print_brief(out, row->help);
            (void)fputc(']', out);
            if (takes_value(row)) {
                zsh_value(out, row);
            } else if (row->kind == KIND_MAYBE) {
                (void)fputs("::value: ", out);
            }
            (void)fputc('\'', out);
        }
    }
    (void)fputs(" \\\n        '", out);
    if (usage_words(out, c, "1:what:(") > 0) {
        (void)fputs(")' '", out);
    }
    (void)fputs("*:file:_files' ;;\n", out);
}

static void print_zsh(FILE *out)
{
    (void)fputs("#compdef mattebox\n# zsh completion for mattebox, made by `mattebox completion zsh`\n_mattebox() {\n"
                "    local command=cut\n    local -a commands\n    commands=(\n",
                out);
    for (int i = 0; i < n_commands; i++) {
        (void)fprintf(out, "        '%s:", commands[i].name);
        print_brief(out, commands[i].summary);
        (void)fputs("'\n", out);
    }
    (void)fputs("    )\n    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
                "        _describe -t commands 'command' commands\n        _files\n        return\n    fi\n"
                "    if [[ -n ${commands[(r)${words[2]}:*]} ]]; then\n        command=$words[2]\n        shift words\n"
                "        (( CURRENT-- ))\n    fi\n    case $command in\n",
                out);
    for (int i = 0; i < n_commands; i++) {
        zsh_options(out, &commands[i]);
    }
    (void)fputs("    esac\n}\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n    _mattebox \"$@\"\nelse\n"
                "    compdef _mattebox mattebox\nfi\n",
                out);
}

/* ---- fish */

static void print_fish(FILE *out)
{
    (void)fputs("# fish completion for mattebox, made by `mattebox completion fish`\n"
                "function __mattebox_command\n    set -l words (commandline -opc)\n"
                "    if set -q words[2]; and contains -- $words[2]",
                out);
    for (int i = 0; i < n_commands; i++) {
        (void)fprintf(out, " %s", commands[i].name);
    }
    (void)fputs("\n        test $words[2] = $argv[1]\n    else\n        test $argv[1] = cut\n    end\nend\n", out);
    for (int i = 0; i < n_commands; i++) {
        const command *c = &commands[i];
        int rows[MAX_OPTIONS], n = help_rows(rows, c);
        (void)fprintf(out, "complete -c mattebox -n __fish_use_subcommand -a %s -d '", c->name);
        print_brief(out, c->summary);
        (void)fputs("'\n", out);
        (void)fprintf(out, "complete -c mattebox -n '__mattebox_command %s' ", c->name);
        if (usage_words(out, c, "-x -a '") > 0) {
            (void)fputc('\'', out);
        }
        (void)fputc('\n', out);
        for (int k = 0; k < n; k++) {
            const option_row *row = &option_rows[rows[k]];
            (void)fprintf(out, "complete -c mattebox -n '__mattebox_command %s' -l %s", c->name, row->name);
            if (row->letter != 0) {
                (void)fprintf(out, " -s %c", row->letter);
            }
            if (takes_value(row)) {
                (void)fputs(is_file(row) ? " -r -a '" : " -x -a '", out);
                (void)print_choices(out, row);
                (void)fputc('\'', out);
            }
            (void)fputs(" -d '", out);
            print_brief(out, row->help);
            (void)fputs("'\n", out);
        }
    }
}

int cmd_completion(args *a)
{
    static const struct {
        const char *shell;
        void (*print)(FILE *out);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; a->n_paths == 1 && i < sizeof shells / sizeof shells[0]; i++) {
        if (strcmp(a->paths[0], shells[i].shell) == 0) {
            shells[i].print(stdout);
            return CODE_OK;
        }
    }
    return message_error(CODE_USAGE, "bash: eval \"$(mattebox completion bash)\"; packages install them for all",
                         "completion needs one of bash, zsh and fish");
}
