/* Parsing the command line by the table of options. getopt_long does the splitting: --opt=value, clusters
 * of letters, options after files, "--".
 *
 * From a word to a value: getopt_long gives the number of a row, the row's kind says how its text is read,
 * and `field` where the value goes in struct args. Whether an option was given at all is kept beside it
 * (`given`), because a default and the same value given by hand mean different things to presets.
 *
 * A wrong value ends the parse with one message and the exit code 2; nothing has been opened or printed
 * before that. */
#include "args.h"
#include "message.h"

#include "core/os_process.h"
#include "core/os_file.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define LONG_BASE 1000 /* getopt's value of row i is LONG_BASE + i */

/* Levenshtein distance to each name, with one row of the table at a time. Only names within two edits
 * count, and never one that replaces the whole word: "did you mean" must not be a guess. */
const char *nearest_name(const char *word, const char *const *names, int n)
{
    enum { MOST = 40 };
    const char *best = NULL;
    size_t best_distance = 3, length = strlen(word);
    for (int k = 0; k < n && length < MOST; k++) {
        size_t width = strlen(names[k]), row[MOST + 1];
        if (width >= MOST || width == 0) {
            continue;
        }
        for (size_t j = 0; j <= width; j++) {
            row[j] = j;
        }
        for (size_t i = 1; i <= length; i++) { /* Levenshtein, one row at a time */
            size_t diagonal = row[0];
            row[0] = i;
            for (size_t j = 1; j <= width; j++) {
                size_t change = diagonal + (word[i - 1] != names[k][j - 1]);
                diagonal = row[j];
                size_t shift = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
                row[j] = change < shift ? change : shift;
            }
        }
        if (row[width] < best_distance && row[width] < length) {
            best_distance = row[width];
            best = names[k];
        }
    }
    return best;
}

/* A usage error that points to the command's help page; `what` fills the one %s of the format. */
static int usage_hint(const args *a, const char *format, const char *what)
{
    char hint[160];
    (void)snprintf(hint, sizeof hint, "mattebox %s --help shows all options", a->command->name);
    return message_error(CODE_USAGE, hint, format, what);
}

/* "1024" or "1024x768"; 0 if it is neither. */
static int read_size(int out[2], const char *text, const option_row *row)
{
    char *end;
    errno = 0;
    long w = strtol(text, &end, 10);
    long h = w;
    if (end == text || errno != 0) {
        return 0;
    }
    if (*end == 'x' || *end == 'X') {
        const char *second = end + 1;
        h = strtol(second, &end, 10);
        if (end == second) {
            return 0;
        }
    }
    const option_range *r = row->range;
    if (*end != '\0' || errno != 0 || (double)w < r->least || (double)w > r->most || (double)h < r->least ||
        (double)h > r->most) {
        return 0;
    }
    out[0] = (int)w;
    out[1] = (int)h;
    return 1;
}

/* "512M", "6G", "1.5GB": decimal units, as the messages print them. */
static int read_bytes(double *out, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    static const char units[] = "kMGT";
    if (end == text || !isfinite(v) || v <= 0.0) {
        return 0;
    }
    if (*end != '\0' && *end != 'B') {
        const char *u = *end == 'K' ? units : strchr(units, *end);
        if (u == NULL) {
            return 0;
        }
        v *= pow(1000.0, (double)(u - units + 1));
        end++;
    }
    end += *end == 'B';
    *out = v;
    return *end == '\0' && v < 1e18;
}

/* The names of a row's values with commas between them, for the message that refuses another one. */
static void list_choices(char *text, size_t bytes, const option_row *row)
{
    text[0] = '\0';
    for (int i = 0; row->choices(i) != NULL; i++) {
        size_t at = strlen(text);
        (void)snprintf(text + at, bytes - at, "%s%s", i > 0 ? ", " : "", row->choices(i));
    }
}

/* Reads an int or a double and checks its range. A fraction where an int is wanted, text behind the
 * number, and NaN are refused with the same message as a number out of range: it says what is possible. */
static int set_number(void *field, const option_row *row, const char *source, const char *text)
{
    char *end;
    double v = strtod(text, &end);
    int whole = row->kind == KIND_INT || row->kind == KIND_MAYBE;
    if (end == text || *end != '\0' || !(v >= row->range->least && v <= row->range->most) || (whole && v != floor(v))) {
        return message_error(CODE_USAGE, NULL, "%s %s: %.10g to %.10g", source, text, row->range->least,
                             row->range->most);
    }
    if (whole) {
        *(int *)field = (int)v;
    } else {
        *(double *)field = v;
    }
    return CODE_OK;
}

/* Compares with the names as they are: no prefixes, no other case, so that a script means the same with
 * every later version. */
static int set_choice(int *field, const option_row *row, const char *source, const char *text)
{
    for (int i = 0; row->choices(i) != NULL; i++) {
        if (strcmp(row->choices(i), text) == 0) {
            *field = row->kind == KIND_CODE ? (int)strtol(text, NULL, 10) : i; /* "auto" is 0 */
            return CODE_OK;
        }
    }
    char names[256];
    list_choices(names, sizeof names, row);
    return message_error(CODE_USAGE, NULL, "%s %s: one of %s", source, text, names);
}

/* "cuda:2" is kind and index, "cuda:all" has index -1 (cmd_cut.c opens every GPU), and a bare name means
 * the first device of its kind. Whether there is such a device is found out by the context. */
static int set_device(int field[2], const option_row *row, const char *source, const char *text)
{
    char names[256], *end = NULL;
    for (int i = 0; mb_device_name(i) != NULL; i++) {
        if (strcmp(mb_device_name(i), text) == 0) {
            field[0] = i;
            field[1] = 0;
            return CODE_OK;
        }
    }
    const char *which = strncmp(text, "cuda:", 5) == 0 ? text + 5 : "";
    long n = which[0] >= '0' && which[0] <= '9' ? strtol(which, &end, 10) : -1;
    if (strcmp(which, "all") == 0 || (n >= 0 && n < 1000 && *end == '\0')) {
        field[0] = MB_DEVICE_CUDA;
        field[1] = (int)n;
        return CODE_OK;
    }
    list_choices(names, sizeof names, row);
    return message_error(CODE_USAGE, NULL, "%s %s: one of %s", source, text, names);
}

/* Cuts the text at its commas, in place: argv is ours to write to, and the names point into it. */
static int add_to_list(name_list *list, char *text)
{
    for (char *name = strtok(text, ","); name != NULL; name = strtok(NULL, ",")) {
        const char **names = realloc(list->names, ((size_t)list->n + 1) * sizeof *names);
        if (names == NULL) {
            return message_error(CODE_MACHINE, NULL, "out of memory");
        }
        list->names = names;
        list->names[list->n++] = name;
    }
    return CODE_OK;
}

/* "1,2,4". */
static int set_counts(counts *to, const option_row *row, const char *source, const char *text)
{
    to->n = 0;
    for (const char *at = text; to->n < MAX_COUNTS;) {
        char *end;
        errno = 0;
        long v = strtol(at, &end, 10);
        if (end == at || errno != 0 || (double)v < row->range->least || (double)v > row->range->most ||
            (*end != ',' && *end != '\0')) {
            break;
        }
        to->values[to->n++] = (int)v;
        if (*end == '\0') {
            return CODE_OK;
        }
        at = end + 1;
    }
    return message_error(CODE_USAGE, NULL, "%s %s: %.0f to %.0f, or up to %d such numbers with commas between them",
                         source, text, row->range->least, row->range->most, MAX_COUNTS);
}

/* Stores an option's value; `source` is how the user wrote the option ("--erode", "MATTEBOX_THREADS"). */
static int set_option(args *a, const option_row *row, const char *source, char *text)
{
    void *field = (char *)a + row->field;
    int size[2];
    switch (row->kind) {
    case KIND_FLAG:
        *(int *)field = 1;
        return CODE_OK;
    case KIND_TEXT:
        *(const char **)field = mb_os_tidy_path(text);
        return CODE_OK;
    case KIND_MAYBE:
        return text != NULL ? set_number(field, row, source, text) : CODE_OK;
    case KIND_INT:
    case KIND_REAL:
        return set_number(field, row, source, text);
    case KIND_ENUM:
    case KIND_CODE:
        return set_choice(field, row, source, text);
    case KIND_DEVICE:
        return set_device(field, row, source, text);
    case KIND_COUNTS:
        return set_counts(field, row, source, text);
    case KIND_LIST:
        return add_to_list(field, text);
    case KIND_SIZE:
        if (!read_size(size, text, row)) {
            return message_error(CODE_USAGE, NULL, "%s %s: a size like 1024 or 1024x768, %.0f to %.0f", source, text,
                                 row->range->least, row->range->most);
        }
        memcpy(field, size, sizeof size);
        return CODE_OK;
    case KIND_BYTES:
        if (!read_bytes(field, text)) {
            return message_error(CODE_USAGE, NULL, "%s %s: a number of bytes like 512M or 6G", source, text);
        }
        return CODE_OK;
    case KIND_OTHER:
        break;
    }
    return CODE_OK;
}

/* A name may stand for different things in different commands. */
int args_row_of(const char *name, unsigned bit)
{
    for (int i = 0; i < n_option_rows; i++) {
        if ((option_rows[i].commands & bit) != 0 && option_rows[i].name != NULL &&
            strcmp(option_rows[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

int args_set(args *a, int row, const char *source, char *text)
{
    int code = set_option(a, &option_rows[row], source, text);
    a->given[row] = code == CODE_OK ? 1 : a->given[row];
    return code;
}

#define MAX_ALIASES MAX_OPTIONS

/* What getopt wants, made from the rows of the command. */
typedef struct getopt_tables {
    struct option longs[MAX_OPTIONS + MAX_ALIASES];
    char shorts[2 * MAX_OPTIONS + 4];
    const char *names[MAX_OPTIONS + MAX_ALIASES];
    int n;
} getopt_tables;

/* Rows of other commands are left out, so that getopt refuses them and bad_option can tell that they exist
 * elsewhere. An alias is a second long name with the same number. */
static void fill_tables(getopt_tables *t, unsigned bit)
{
    size_t at = 0;
    t->n = 0;
    t->shorts[at++] = ':'; /* tells a missing argument from an unknown option */
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        if ((row->commands & bit) == 0) {
            continue;
        }
        int takes = row->kind == KIND_FLAG    ? no_argument
                    : row->kind == KIND_MAYBE ? optional_argument
                                              : required_argument;
        t->names[t->n] = row->name;
        t->longs[t->n++] = (struct option){row->name, takes, NULL, LONG_BASE + i};
        if (row->alias != NULL) {
            t->names[t->n] = row->alias;
            t->longs[t->n++] = (struct option){row->alias, takes, NULL, LONG_BASE + i};
        }
        if (row->letter != 0) {
            t->shorts[at++] = row->letter;
            if (takes == required_argument) {
                t->shorts[at++] = ':';
            }
        }
    }
    t->shorts[at] = '\0';
    t->longs[t->n] = (struct option){0};
}

/* Says what is wrong with the option that getopt stopped at: no value, an unwanted value, an option of
 * another command, a misspelling (the nearest name is offered), or nothing of the kind. */
static int bad_option(const args *a, const getopt_tables *t, int c, char **argv)
{
    char word[128];
    if (optopt >= LONG_BASE) {
        (void)snprintf(word, sizeof word, "--%s", option_rows[optopt - LONG_BASE].name);
    } else if (optopt != 0) {
        (void)snprintf(word, sizeof word, "-%c", optopt);
    } else {
        (void)snprintf(word, sizeof word, "%s", argv[optind - 1]);
    }
    word[strcspn(word, "=")] = '\0'; /* the option without its value */
    bool takes_none = optopt >= LONG_BASE && option_rows[optopt - LONG_BASE].kind == KIND_FLAG;
    if (c == ':' && !takes_none) { /* MinGW's getopt says ':' of a value too many as well */
        return usage_hint(a, "%s needs a value", word);
    }
    if (optopt >= LONG_BASE && a->command->bit == CMD_CUT &&
        (strcmp(word, "--mask") == 0 || strcmp(word, "--trimap") == 0)) {
        return message_error(CODE_USAGE, "to use one of yours: mattebox matte PHOTO --mask MASK",
                             "%s writes one and takes no value", word);
    }
    if (optopt >= LONG_BASE) {
        return usage_hint(a, "%s takes no value", word);
    }
    int elsewhere = word[1] == '-' ? args_row_of(word + 2, CMD_ALL) : -1;
    if (elsewhere >= 0) {
        return usage_hint(a, "%s does not belong to this command", word);
    }
    const char *near = word[1] == '-' ? nearest_name(word + 2, t->names, t->n) : NULL;
    if (near != NULL) {
        char hint[160];
        (void)snprintf(hint, sizeof hint, "did you mean --%s?", near);
        return message_error(CODE_USAGE, hint, "unknown option %s", word);
    }
    return usage_hint(a, "unknown option %s", word);
}

/* Defaults of the program's own options that are not 0; those of the library come with
 * args_standard_options. */
void args_defaults(args *a)
{
    a->png_level = 3;
    a->max_megapixels_in = 500.0;
    a->runs = 5;
    a->batch = 1;
    a->timeout = 30;
    a->max_frames = 10000;
    a->retries = 3;
    a->serve.jobs = 1;
    a->serve.queue = 16;
    a->serve.connections = 64;
    a->serve.seconds = 120;
    a->serve.drain = 30;
    a->serve.keep_seconds = 600;
    a->serve.keep_count = 16;
    a->serve.keep_bytes = 512e6;
    a->serve.max_body = 50e6;
}

/* The first word names the command; without one it is "cut". "mattebox --version" and "--help" work as well. */
static int choose_command(args *a, int *argc, char ***argv)
{
    const char *word = *argc > 1 ? (*argv)[1] : NULL;
    a->command = &commands[0];
    for (int i = 0; word != NULL && i < n_commands; i++) {
        int dashed = (commands[i].bit & (CMD_VERSION | CMD_HELP)) != 0 && strncmp(word, "--", 2) == 0 &&
                     strcmp(word + 2, commands[i].name) == 0 && !(commands[i].bit == CMD_HELP && *argc > 2);
        if (strcmp(word, commands[i].name) == 0 || dashed) {
            a->command = &commands[i];
            (*argv)++;
            (*argc)--;
            return 1;
        }
    }
    return 0;
}

/* The command first, since it decides which options there are, then getopt_long. A letter is looked up among the rows
 * of the command. */
/* A number behind an option whose value may be left out, unless a file is called that. */
static int is_separate_value(const option_row *row, const char *next)
{
    char *end;
    if (next == NULL || next[0] < '0' || next[0] > '9' || mb_os_exists(next)) {
        return 0;
    }
    double v = strtod(next, &end);
    return *end == '\0' && v >= row->range->least && v <= row->range->most;
}

int args_parse(args *a, int argc, char **argv)
{
    *a = (args){0};
    args_defaults(a);
    a->command_named = choose_command(a, &argc, &argv);
    args_standard_options(&a->options, a->command->bit);
    getopt_tables t;
    fill_tables(&t, a->command->bit);
    opterr = 0; /* the messages are ours */
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1;) {
        int i = c - LONG_BASE;
        if (c == '?' || c == ':') {
            return bad_option(a, &t, c, argv);
        }
        for (int k = 0; c < LONG_BASE && k < n_option_rows; k++) {
            if (option_rows[k].letter == c && (option_rows[k].commands & a->command->bit) != 0) {
                i = k;
            }
        }
        char source[64];
        (void)snprintf(source, sizeof source, "--%s", option_rows[i].name);
        if (option_rows[i].kind == KIND_MAYBE && optarg == NULL && is_separate_value(&option_rows[i], argv[optind])) {
            optarg = argv[optind++]; /* "--crop 20" is understood as "--crop=20" */
        }
        int code = args_set(a, i, source, optarg);
        if (code != CODE_OK) {
            return code;
        }
    }
    a->n_paths = argc - optind;
    a->paths = (const char **)(argv + optind);
    for (int i = 0; i < a->n_paths; i++) {
        (void)mb_os_tidy_path(argv[optind + i]);
    }
    return CODE_OK;
}

void args_dispose(args *a)
{
    free(a->taps.names);
    free(a->serve.listen.names);
    free(a->serve.hosts.names);
    free(a->serve.origins.names);
    free(a->serve.models.names);
    mb_image_dispose(&a->background_picture);
    mb_metadata_dispose(&a->background_metadata);
    *a = (args){0};
}

/* By the name that the command knows: "mask" is a flag of cut and a file of matte. */
int args_given(const args *a, const char *name)
{
    int i = args_row_of(name, a->command->bit);
    return i >= 0 && a->given[i];
}

/* After args_parse, so that an option beats its variable; variables of options that the command lacks are
 * ignored, and a bad value is an error as it would be on the command line. */
int args_environment(args *a)
{
    static const struct {
        const char *variable, *row;
    } twins[] = {{"MATTEBOX_THREADS", "threads"},
                 {"MATTEBOX_DEVICE", "device"},
                 {"MATTEBOX_MAX_MEMORY", "max-memory"},
                 {"MATTEBOX_PRECISION", "precision"}};
    for (size_t i = 0; i < sizeof twins / sizeof twins[0]; i++) {
        const char *value = mb_os_env(twins[i].variable);
        int row = args_row_of(twins[i].row, a->command->bit);
        if (value == NULL || value[0] == '\0' || row < 0 || args_given(a, twins[i].row)) {
            continue;
        }
        int code = set_option(a, &option_rows[row], twins[i].variable, (char *)(uintptr_t)value);
        if (code != CODE_OK) {
            return code;
        }
    }
    return CODE_OK;
}
