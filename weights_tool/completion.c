/* Completion in bash, zsh and fish: scripts made of the table of options. */
#include "options.h"

#include "generate.h"

#include <string.h>

static bool is_of(const tool_option_row *row, tool_command command)
{
    return (row->commands & 1u << command) != 0;
}

/* What "a|b|c" offers, between spaces; nothing where the argument is a word for a value ("FILE", "TEXT"). */
static bool has_choices(const tool_option_row *row)
{
    return row->argument != NULL && strchr(row->argument, '|') != NULL && strchr(row->argument, '@') == NULL;
}

static void print_choices(FILE *out, const tool_option_row *row)
{
    for (const char *c = row->argument; has_choices(row) && *c != '\0'; c++) {
        (void)fputc(*c == '|' ? ' ' : *c, out);
    }
}

static bool is_file(const tool_option_row *row)
{
    return row->argument != NULL && (strcmp(row->argument, "FILE") == 0 || strcmp(row->argument, "SOURCE") == 0);
}

/* The help up to its first clause, without what a shell's quotes would trip over. */
static void print_brief(FILE *out, const char *help)
{
    size_t n = strcspn(help, ";:(,");
    while (n > 0 && help[n - 1] == ' ') {
        n--;
    }
    for (size_t i = 0; i < n; i++) {
        if (strchr("'\"[]\\`$", help[i]) == NULL) {
            (void)fputc(help[i], out);
        }
    }
}

static void print_architectures(FILE *out)
{
    generator_variant v;
    for (size_t i = 0; generator_variant_at(i, &v); i++) {
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", v.name);
    }
}

static void print_commands(FILE *out)
{
    for (int c = COMMAND_CONVERT; c <= COMMAND_GENERATE; c++) {
        (void)fprintf(out, "%s%s", c > COMMAND_CONVERT ? " " : "", options_command_name((tool_command)c));
    }
}

/* ---- bash */

static void bash_command(FILE *out, tool_command command)
{
    tool_option_row row;
    (void)fprintf(out, "    %s)\n        words='", options_command_name(command));
    if (command == COMMAND_GENERATE) {
        print_architectures(out);
    }
    (void)fputs("'\n        options='", out);
    for (size_t i = 0; options_row_at(i, &row); i++) {
        if (is_of(&row, command)) {
            (void)fprintf(out, "--%s ", row.name);
        }
    }
    (void)fputs("'\n        case $previous in\n", out);
    for (size_t i = 0; options_row_at(i, &row); i++) {
        if (!is_of(&row, command) || row.argument == NULL) {
            continue;
        }
        (void)fputs("        ", out);
        if (row.letter != 0) {
            (void)fprintf(out, "-%c | ", row.letter);
        }
        (void)fprintf(out, "--%s) wants=%s; values='", row.name, is_file(&row) ? "file" : "value");
        print_choices(out, &row);
        (void)fputs("' ;;\n", out);
    }
    (void)fputs("        esac\n        ;;\n", out);
}

static void print_bash(FILE *out)
{
    (void)fputs(
        "# bash completion for mattebox-weights, made by `mattebox-weights --completion bash`\n"
        "_mattebox_weights()\n{\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}\n"
        "    local words='' options='--help --version --completion' wants='' values='' commands='",
        out);
    print_commands(out);
    (void)fputs("'\n    if [[ $current == = ]]; then current=''; elif [[ $previous == = ]]; then "
                "previous=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
                "    case $command in\n",
                out);
    for (int c = COMMAND_CONVERT; c <= COMMAND_GENERATE; c++) {
        bash_command(out, (tool_command)c);
    }
    (void)fputs(
        "    --completion) values='bash zsh fish' ;;\n"
        "    esac\n    COMPREPLY=()\n"
        "    if [[ -n $values ]]; then COMPREPLY=($(compgen -W \"$values\" -- \"$current\"))\n"
        "    elif [[ $wants == value ]]; then compopt +o default +o bashdefault 2>/dev/null\n"
        "    elif [[ $wants == file ]]; then :\n"
        "    elif [[ $current == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
        "    elif [[ $COMP_CWORD -eq 1 ]]; then COMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))\n"
        "    elif [[ -n $words && $COMP_CWORD -eq 2 ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
        "    fi\n}\ncomplete -o bashdefault -o default -F _mattebox_weights mattebox-weights\n",
        out);
}

/* ---- zsh */

static void zsh_option(FILE *out, const tool_option_row *row, bool letter)
{
    (void)fputs(" \\\n        '", out);
    if (letter) {
        (void)fprintf(out, "-%c%s[", row->letter, row->argument != NULL ? "+" : "");
    } else {
        (void)fprintf(out, "--%s%s[", row->name, row->argument != NULL ? "=" : "");
    }
    print_brief(out, row->help);
    (void)fputc(']', out);
    if (is_file(row)) {
        (void)fputs(":file:_files", out);
    } else if (has_choices(row)) {
        (void)fputs(":value:(", out);
        print_choices(out, row);
        (void)fputc(')', out);
    } else if (row->argument != NULL) {
        (void)fputs(":value: ", out);
    }
    (void)fputc('\'', out);
}

static void zsh_command(FILE *out, tool_command command)
{
    tool_option_row row;
    (void)fprintf(out, "    %s) _arguments -s -S", options_command_name(command));
    for (size_t i = 0; options_row_at(i, &row); i++) {
        if (is_of(&row, command)) {
            if (row.letter != 0) {
                zsh_option(out, &row, true);
            }
            zsh_option(out, &row, false);
        }
    }
    if (command == COMMAND_GENERATE) {
        (void)fputs(" \\\n        '1:architecture:(", out);
        print_architectures(out);
        (void)fputs(")' ;;\n", out);
    } else {
        (void)fputs(" \\\n        '*:file:_files' ;;\n", out);
    }
}

static void print_zsh(FILE *out)
{
    (void)fputs(
        "#compdef mattebox-weights\n# zsh completion for mattebox-weights, made by `mattebox-weights --completion "
        "zsh`\n_mattebox_weights() {\n    local command=$words[2]\n    local -a commands\n    commands=(\n",
        out);
    for (int c = COMMAND_CONVERT; c <= COMMAND_GENERATE; c++) {
        (void)fprintf(out, "        '%s:", options_command_name((tool_command)c));
        print_brief(out, options_command_help((tool_command)c));
        (void)fputs("'\n", out);
    }
    (void)fputs("    )\n    if (( CURRENT == 2 )); then\n        _describe -t commands 'command' commands\n"
                "        return\n    fi\n    shift words\n    (( CURRENT-- ))\n    case $command in\n",
                out);
    for (int c = COMMAND_CONVERT; c <= COMMAND_GENERATE; c++) {
        zsh_command(out, (tool_command)c);
    }
    (void)fputs(
        "    esac\n}\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n    _mattebox_weights \"$@\"\nelse\n"
        "    compdef _mattebox_weights mattebox-weights\nfi\n",
        out);
}

/* ---- fish */

static void fish_command(FILE *out, tool_command command)
{
    const char *name = options_command_name(command);
    tool_option_row row;
    (void)fprintf(out, "complete -c mattebox-weights -n __fish_use_subcommand -f -a %s -d '", name);
    print_brief(out, options_command_help(command));
    (void)fputs("'\n", out);
    if (command == COMMAND_GENERATE) {
        (void)fprintf(out, "complete -c mattebox-weights -n '__fish_seen_subcommand_from %s' -f -a '", name);
        print_architectures(out);
        (void)fputs("'\n", out);
    }
    for (size_t i = 0; options_row_at(i, &row); i++) {
        if (!is_of(&row, command)) {
            continue;
        }
        (void)fprintf(out, "complete -c mattebox-weights -n '__fish_seen_subcommand_from %s' -l %s", name, row.name);
        if (row.letter != 0) {
            (void)fprintf(out, " -s %c", row.letter);
        }
        if (row.argument != NULL) {
            (void)fputs(is_file(&row) ? " -r" : " -x -a '", out);
            if (!is_file(&row)) {
                print_choices(out, &row);
                (void)fputc('\'', out);
            }
        }
        (void)fputs(" -d '", out);
        print_brief(out, row.help);
        (void)fputs("'\n", out);
    }
}

static void print_fish(FILE *out)
{
    (void)fputs("# fish completion for mattebox-weights, made by `mattebox-weights --completion fish`\n", out);
    for (int c = COMMAND_CONVERT; c <= COMMAND_GENERATE; c++) {
        fish_command(out, (tool_command)c);
    }
}

void options_completion(FILE *out, const char *shell)
{
    if (strcmp(shell, "bash") == 0) {
        print_bash(out);
    } else if (strcmp(shell, "zsh") == 0) {
        print_zsh(out);
    } else {
        print_fish(out);
    }
}
