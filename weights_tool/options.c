/* Parsing and help from one table. A row says which commands take an option, so help, errors and parsing cannot
 * disagree. Values are pointers into argv: nothing is copied and nothing is freed. */
#include "options.h"

#include "generate.h"

#include <stdlib.h>
#include <string.h>

enum {
    CONVERT = 1 << COMMAND_CONVERT,
    INSPECT = 1 << COMMAND_INSPECT,
    VERIFY = 1 << COMMAND_VERIFY,
    GENERATE = 1 << COMMAND_GENERATE,
    ALL = CONVERT | INSPECT | VERIFY | GENERATE
};

typedef enum option_id {
    OUTPUT,
    DTYPE,
    PATCH_ORDER,
    INPUT_SIZE,
    INPUT_NORM,
    RECIPE,
    NAME,
    TASK,
    LICENCE,
    REVISION,
    HEADS,
    OUTPUT_BLOCKS,
    NORM_EPS,
    ROPE_BASE,
    ALLOW_OVERFLOW,
    KEY,
    PREFIX,
    AGAINST,
    TENSORS,
    JSON,
    SEED,
    CHECKPOINT,
    FORCE,
    QUIET,
    HELP,
    VERSION,
    MAN,
    COMPLETION
} option_id;

static const struct {
    option_id id;
    const char *name; /* without dashes */
    char letter;
    const char *argument; /* NULL: a switch */
    unsigned commands;
    const char *help;
} rows[] = {
    {OUTPUT, "output", 'o', "FILE", CONVERT | GENERATE, "the file to write (required)"},
    {DTYPE, "dtype", 0, "f32|f16|bf16", CONVERT | GENERATE,
     "type of the values (convert: as the source; generate: f32)"},
    {PATCH_ORDER, "patch-order", 0, "auto|rows|columns", CONVERT,
     "order in which the checkpoint's decoder sees the tiles of the picture; auto judges by the kernels, else by name"},
    {INPUT_SIZE, "input-size", 0, "WxH", CONVERT, "size of the network's input (by known name, else 1024x1024)"},
    {INPUT_NORM, "input-norm", 0, "half|imagenet", CONVERT,
     "VITMatte: mean and deviation to record; half (0.5, as the hub's files) is the default"},
    {RECIPE, "recipe", 0, "layerstyle|layerstyle-v2|modelcard|official|rembg", CONVERT,
     "BiRefNet: how photos are scaled for this model (else v1 as layerstyle, v2 as modelcard)"},
    {NAME, "name", 0, "TEXT", CONVERT, "name of the model (by known name, else from the file's)"},
    {TASK, "task", 0, "TEXT", CONVERT, "general, matting, portrait ... (by known name)"},
    {LICENCE, "licence", 0, "TEXT|@FILE", CONVERT, "licence to carry along (else as the source states it)"},
    {REVISION, "revision", 0, "TEXT", CONVERT, "of the repository that the checkpoint was taken from, to record"},
    {HEADS, "heads", 0, "LIST", CONVERT,
     "PVTv2, DINOv3: attention heads, which no shape tells (1,2,5,8; channels / 64)"},
    {OUTPUT_BLOCKS, "output-blocks", 0, "LIST", CONVERT,
     "DINOv3: the four blocks that give maps, from 0 (3,5,7,11 of 12; else the quarters)"},
    {ROPE_BASE, "rope-base", 0, "NUMBER", CONVERT, "DINOv3: base of the periods of its rotary positions (100)"},
    {NORM_EPS, "norm-eps", 0, "LIST", CONVERT,
     "PVTv2: epsilons of the norms of blocks, and of embeddings and keys (1e-6,1e-5); DINOv3: one (1e-5)"},
    {ALLOW_OVERFLOW, "allow-overflow", 0, NULL, CONVERT,
     "keep tensors whose values do not fit f16 in f32 instead of refusing"},
    {KEY, "key", 0, "KEY", CONVERT | INSPECT | VERIFY,
     "of the dict in a PyTorch file that holds the model, as \"ema\" or \"ema.model\" (else the one with the most of "
     "its names)"},
    {PREFIX, "prefix", 0, "TEXT", CONVERT | INSPECT | VERIFY,
     "what stands before the model's names, as \"model.\" (else found by the names)"},
    {AGAINST, "against", 0, "SOURCE", VERIFY, "compare with the original, tensor by tensor"},
    {TENSORS, "tensors", 0, NULL, INSPECT, "list the tensors, in the order of the file"},
    {JSON, "json", 0, NULL, INSPECT, "as one JSON object"},
    {SEED, "seed", 0, "N", GENERATE, "another seed gives other values of the same scale (1)"},
    {CHECKPOINT, "checkpoint", 0, NULL, GENERATE, "write a .safetensors checkpoint, as published ones are, to convert"},
    {FORCE, "force", 'f', NULL, CONVERT | GENERATE, "replace an existing file"},
    {QUIET, "quiet", 'q', NULL, ALL, "print errors and warnings only"},
    {HELP, "help", 'h', NULL, ALL, "this text"},
    {VERSION, "version", 0, NULL, 0, "the program's version"},
    {MAN, "man", 0, NULL, 0, "the manual page, for the build"},
    {COMPLETION, "completion", 0, "bash|zsh|fish", 0, "the script that completes command lines in that shell"},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static const struct {
    const char *name, *usage, *help;
} commands[] = {
    [COMMAND_CONVERT] = {"convert", "SOURCE -o OUT.mbw", "makes a model file of a checkpoint"},
    [COMMAND_INSPECT] = {"inspect", "FILE", "says what a file is: architecture, sizes, types, metadata"},
    [COMMAND_VERIFY] = {"verify", "MODEL.mbw", "checks every checksum; with --against, every value"},
    [COMMAND_GENERATE] = {"generate", "ARCH -o OUT.mbw",
                          "makes a model of pseudo-random weights, for tests and trials"},
};
#define N_COMMANDS (sizeof commands / sizeof commands[0])

bool options_row_at(size_t i, tool_option_row *row)
{
    if (i >= N_ROWS) {
        return false;
    }
    *row = (tool_option_row){rows[i].name, rows[i].letter, rows[i].argument, rows[i].commands, rows[i].help};
    return true;
}

const char *options_command_name(tool_command command)
{
    return commands[command].name;
}

const char *options_command_help(tool_command command)
{
    return commands[command].help;
}

/* ---- help */

/* The options of the commands in the mask, one a line. */
static void print_rows(FILE *out, unsigned mask)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        char left[64];
        if ((rows[i].commands & mask) == 0) {
            continue;
        }
        (void)snprintf(left, sizeof left, "%s--%s%s%s",
                       rows[i].letter == 'o'   ? "-o, "
                       : rows[i].letter == 'f' ? "-f, "
                       : rows[i].letter == 'q' ? "-q, "
                       : rows[i].letter == 'h' ? "-h, "
                                               : "    ",
                       rows[i].name, rows[i].argument != NULL ? " " : "",
                       rows[i].argument != NULL ? rows[i].argument : "");
        (void)fprintf(out, "  %-36s %s\n", left, rows[i].help);
    }
}

/* Without a command: what commands there are. With one: its options and, for generate, the architectures. */
void options_help(FILE *out, tool_command command)
{
    if (command == COMMAND_NONE) {
        (void)fprintf(out, "mattebox-weights: model files for mattebox\n\n");
        for (size_t i = 1; i < N_COMMANDS; i++) {
            (void)fprintf(out, "  mattebox-weights %-9s %-18s %s\n", commands[i].name, commands[i].usage,
                          commands[i].help);
        }
        (void)fprintf(
            out, "\nSOURCE is a .safetensors file, its index.json, a folder with either, or a PyTorch .pth, .pt or\n"
                 ".bin (zip). Nothing in a file is ever run. mattebox-weights COMMAND --help lists its options.\n"
                 "Exit codes: 0 done, 2 usage, 3 a file is not what it should be, 4 no memory, 5 not written.\n");
        return;
    }
    (void)fprintf(out, "mattebox-weights %s %s [options]\n%s\n\n", commands[command].name, commands[command].usage,
                  commands[command].help);
    print_rows(out, 1u << command);
    if (command == COMMAND_GENERATE) {
        generator_variant v;
        (void)fprintf(out, "\nARCH:\n");
        for (size_t i = 0; generator_variant_at(i, &v); i++) {
            (void)fprintf(out, "  %-24s %s\n", v.name, v.description);
        }
    }
}

/* A hyphen that stays one, for troff. */
static void print_roff(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        (void)fprintf(out, *text == '-' ? "\\-" : *text == '\\' ? "\\(rs" : "%c", *text);
    }
}

void options_man(FILE *out, const char *version)
{
    (void)fprintf(out,
                  ".TH MATTEBOX-WEIGHTS 1 \"\" \"mattebox %s\" \"User Commands\"\n.SH NAME\n"
                  "mattebox\\-weights \\- make, describe and check model files for mattebox\n.SH SYNOPSIS\n",
                  version);
    for (size_t i = 1; i < N_COMMANDS; i++) {
        (void)fprintf(out, "%s.B mattebox\\-weights %s\n", i > 1 ? ".br\n" : "", commands[i].name);
        print_roff(out, commands[i].usage);
        (void)fprintf(out, " [\\fIOPTION\\fR]...\n");
    }
    (void)fprintf(
        out, ".SH DESCRIPTION\nA source is a .safetensors file, its index.json, a folder with either, or a PyTorch "
             ".pth, .pt or .bin (zip).\nNothing in a file is ever run.\n");
    for (size_t i = 1; i < N_COMMANDS; i++) {
        (void)fprintf(out, ".SH OPTIONS OF %s\n", commands[i].name);
        print_roff(out, commands[i].help);
        (void)fprintf(out, "\n");
        for (size_t k = 0; k < N_ROWS; k++) {
            if ((rows[k].commands & 1u << i) == 0) {
                continue;
            }
            (void)fprintf(out, ".TP\n");
            if (rows[k].letter != 0) {
                (void)fprintf(out, "\\fB\\-%c\\fR, ", rows[k].letter);
            }
            (void)fprintf(out, "\\fB\\-\\-");
            print_roff(out, rows[k].name);
            (void)fprintf(out, "\\fR ");
            print_roff(out, rows[k].argument != NULL ? rows[k].argument : "");
            (void)fprintf(out, "\n");
            print_roff(out, rows[k].help);
            (void)fprintf(out, "\n");
        }
    }
    (void)fprintf(out,
                  ".SH EXIT STATUS\n0 done, 2 usage, 3 a file is not what it should be, 4 no memory, 5 not written.\n"
                  ".SH SEE ALSO\n.BR mattebox (1)\n");
}

/* ---- values */

static mb_status bad_value(mb_error *err, size_t row, const char *value)
{
    return mb_fail(err, MB_E_ARGUMENT, "--%s %.60s: %s", rows[row].name, value, rows[row].argument);
}

/* Index of `value` in "a|b|c"; -1: not there. */
static int choice(const char *choices, const char *value)
{
    size_t n = strlen(value);
    for (int i = 0;; i++) {
        size_t m = strcspn(choices, "|");
        if (m == n && strncmp(choices, value, n) == 0) {
            return i;
        }
        if (choices[m] == '\0') {
            return -1;
        }
        choices += m + 1;
    }
}

/* WxH in pixels, 32 to 16384 each. o is changed in any case; a failure ends the program. */
static bool parse_size(tool_options *o, const char *value)
{
    char *end;
    long w = strtol(value, &end, 10);
    if (end == value || (*end != 'x' && *end != 'X')) {
        return false;
    }
    const char *second = end + 1;
    long h = strtol(second, &end, 10);
    o->width = (int)w;
    o->height = (int)h;
    return end != second && *end == '\0' && w >= 32 && h >= 32 && w <= 16384 && h <= 16384;
}

/* Stores a checked value. The choices in a row's argument ("f32|f16|bf16") are also what is checked: number i of them
 * is value i of the enum. */
static mb_status set(tool_options *o, size_t row, const char *value, mb_error *err)
{
    int chosen = rows[row].argument != NULL ? choice(rows[row].argument, value) : 0;
    char *end;
    switch (rows[row].id) {
    case OUTPUT:
        o->output = value;
        break;
    case DTYPE:
        o->dtype = chosen;
        return chosen >= 0 ? MB_OK : bad_value(err, row, value);
    case PATCH_ORDER:
        o->order = (patch_order)chosen;
        return chosen >= 0 ? MB_OK : bad_value(err, row, value);
    case INPUT_NORM:
        o->imagenet = chosen == 1;
        return chosen >= 0 ? MB_OK : bad_value(err, row, value);
    case RECIPE:
        o->recipe = value;
        return chosen >= 0 ? MB_OK : bad_value(err, row, value);
    case INPUT_SIZE:
        return parse_size(o, value) ? MB_OK : bad_value(err, row, value);
    case NAME:
        o->name = value;
        break;
    case TASK:
        o->task = value;
        break;
    case LICENCE:
        o->licence = value;
        break;
    case REVISION:
        o->revision = value;
        break;
    case HEADS:
        o->backbone.heads = value;
        break;
    case OUTPUT_BLOCKS:
        o->backbone.outputs = value;
        break;
    case NORM_EPS:
        o->backbone.norm_eps = value;
        break;
    case ROPE_BASE:
        o->backbone.rope_base = value;
        break;
    case ALLOW_OVERFLOW:
        o->allow_overflow = true;
        break;
    case KEY:
        o->key = value;
        break;
    case PREFIX:
        o->prefix = value;
        break;
    case AGAINST:
        o->against = value;
        break;
    case TENSORS:
        o->tensors = true;
        break;
    case JSON:
        o->json = true;
        break;
    case SEED:
        o->seed = strtoull(value, &end, 0);
        return end != value && *end == '\0' ? MB_OK : bad_value(err, row, value);
    case CHECKPOINT:
        o->checkpoint = true;
        break;
    case FORCE:
        o->force = true;
        break;
    case QUIET:
        o->quiet = true;
        break;
    case HELP:
        o->help = true;
        break;
    case VERSION:
        o->version = true;
        break;
    case MAN:
        o->man = true;
        break;
    case COMPLETION:
        o->completion = value;
        return chosen >= 0 ? MB_OK : bad_value(err, row, value);
    }
    return MB_OK;
}

/* ---- parsing */

/* Row of "--name", "--name=value" or "-x"; N_ROWS: none. */
static size_t find_row(const char *argument, const char **value)
{
    *value = NULL;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (argument[1] != '-') {
            if (rows[i].letter != 0 && argument[1] == rows[i].letter && argument[2] == '\0') {
                return i;
            }
            continue;
        }
        size_t n = strlen(rows[i].name);
        if (strncmp(argument + 2, rows[i].name, n) == 0 && (argument[2 + n] == '\0' || argument[2 + n] == '=')) {
            *value = argument[2 + n] == '=' ? argument + 3 + n : NULL;
            return i;
        }
    }
    return N_ROWS;
}

/* One option at argv[*at], as "--name=value" or "--name value"; *at moves past the value. */
static mb_status parse_option(tool_options *o, int argc, char **argv, int *at, mb_error *err)
{
    const char *value, *argument = argv[*at];
    size_t row = find_row(argument, &value);
    if (row == N_ROWS) {
        return mb_fail(err, MB_E_ARGUMENT, "%.60s: no such option\nmattebox-weights --help", argument);
    }
    if (o->command != COMMAND_NONE && rows[row].commands != 0 && (rows[row].commands & 1u << o->command) == 0) {
        return mb_fail(err, MB_E_ARGUMENT, "--%s does not go with %s\nmattebox-weights %s --help", rows[row].name,
                       commands[o->command].name, commands[o->command].name);
    }
    /* "--quiet=yes": a switch is on when it is there. */
    if (rows[row].argument == NULL && value != NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "--%s takes no value", rows[row].name);
    }
    if (rows[row].argument != NULL && value == NULL) {
        if (*at + 1 >= argc) {
            return mb_fail(err, MB_E_ARGUMENT, "--%s needs a value: %s", rows[row].name, rows[row].argument);
        }
        value = argv[++*at];
    }
    return set(o, row, value, err);
}

/* What a single option cannot tell: files that are missing, options that need another. */
static mb_status check(const tool_options *o, mb_error *err)
{
    const char *command = commands[o->command].name;
    if (o->source == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "%s: no file given\nmattebox-weights %s %s", command, command,
                       commands[o->command].usage);
    }
    if ((o->command == COMMAND_CONVERT || o->command == COMMAND_GENERATE) && o->output == NULL) {
        return mb_fail(err, MB_E_ARGUMENT, "-o FILE is missing\nmattebox-weights %s %s", command,
                       commands[o->command].usage);
    }
    if (o->command == COMMAND_VERIFY && o->against == NULL && (o->key != NULL || o->prefix != NULL)) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "--key and --prefix say where the model lies in the source: --against is missing");
    }
    return MB_OK;
}

/* The command comes first and decides which options are legal; options before it are checked for their values only.
 * "--" ends the options, and a lone "-" is a file name. */
mb_status options_parse(tool_options *o, int argc, char **argv, mb_error *err)
{
    *o = (tool_options){.dtype = -1, .seed = 1};
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i];
        if (!only_files && strcmp(a, "--") == 0) {
            only_files = true;
        } else if (!only_files && a[0] == '-' && a[1] != '\0') {
            mb_status status = parse_option(o, argc, argv, &i, err);
            if (status != MB_OK) {
                return status;
            }
        } else if (o->command == COMMAND_NONE) {
            for (size_t c = 1; c < N_COMMANDS; c++) {
                o->command = strcmp(a, commands[c].name) == 0 ? (tool_command)c : o->command;
            }
            if (o->command == COMMAND_NONE) {
                return mb_fail(err, MB_E_ARGUMENT, "%.60s: no such command\nmattebox-weights --help", a);
            }
        } else if (o->source == NULL) {
            o->source = a;
        } else {
            return mb_fail(err, MB_E_ARGUMENT, "%.60s: one file at a time", a);
        }
    }
    if (o->help || o->version || o->man || o->completion != NULL) {
        return MB_OK;
    }
    if (o->command == COMMAND_NONE) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "no command given: convert, inspect, verify or generate\nmattebox-weights --help");
    }
    return check(o, err);
}
