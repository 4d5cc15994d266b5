/* The command line: one table of options feeds the parser, the help pages and docs/cli.md. */
#ifndef APP_ARGS_H
#define APP_ARGS_H

#include <mattebox.h>
#include <stddef.h>
#include <stdio.h>

/* Commands are bits, so that an option names all it belongs to. */
enum {
    CMD_CUT = 1,
    CMD_MATTE = 2,
    CMD_TRIMAP = 4,
    CMD_TENSORS = 8,
    CMD_INFO = 16,
    CMD_BENCH = 32,
    CMD_MODELS = 64,
    CMD_VERSION = 128,
    CMD_HELP = 256,
    CMD_REFINE = 512,
    CMD_SERVE = 1024,
    CMD_FRAMES = 2048,
    CMD_COMPLETION = 4096,
    CMD_ALL = 8191
};

/* --threads of bench. */
enum { MAX_COUNTS = 16 };
typedef struct counts {
    int n, values[MAX_COUNTS];
} counts;

/* --icc and --metadata, by their choices. */
enum { ICC_KEEP, ICC_SRGB, ICC_DROP };
enum { METADATA_DROP, METADATA_KEEP };

typedef struct args args;

typedef struct name_list {
    const char **names; /* the texts are borrowed */
    int n;
} name_list;

typedef struct command {
    const char *name;
    unsigned bit;
    const char *usage;   /* what follows "mattebox NAME" */
    const char *summary; /* one line */
    const char *details; /* a few lines for its help page; may be NULL */
    int (*run)(args *a); /* the exit code */
} command;

typedef enum option_kind {
    KIND_FLAG,   /* int: 1 */
    KIND_INT,    /* int, in range */
    KIND_COUNTS, /* struct counts: ints in range, with commas between them */
    KIND_REAL,   /* double, in range */
    KIND_TEXT,   /* const char * */
    KIND_ENUM,   /* int: index of one of choices() */
    KIND_CODE,   /* int: one of choices() as a number, "auto" is 0 */
    KIND_SIZE,   /* two ints in range: "1024" or "1024x768" (width x height) */
    KIND_BYTES,  /* double: "6G", "512M" */
    KIND_MAYBE,  /* int, in range, or nothing: --crop, --crop=8 */
    KIND_DEVICE, /* two ints, kind and index: "cuda:1" */
    KIND_LIST,   /* name_list: may be given several times, or with commas */
    KIND_OTHER   /* a field of mb_options that is no number and has no option of its own */
} option_kind;

typedef struct option_range {
    double least, most; /* both included */
} option_range;

typedef struct option_row {
    const char *group; /* heading on the help page */
    const char *name;  /* NULL: a field of mb_options that has no option of its own */
    char letter;       /* 0: none */
    option_kind kind;
    unsigned commands;
    size_t field; /* offset in struct args */
    const char *argument;
    size_t library_bytes;      /* > 0: `field` lies in args.options, and so many bytes go to the library when given */
    const option_range *range; /* of numbers */
    const char *(*choices)(int i);
    const char *standard; /* the default in words; NULL: none, or what args_standard_options has */
    const char *zero;     /* NULL, "" or what the library's 0 stands for */
    const char *unit;     /* NULL, "" or that of a number */
    const char *alias;    /* another name, which works and is not listed; may be NULL */
    const char *library;  /* how the library's messages call it; may be NULL */
    const char *help;
} option_row;

#define MAX_OPTIONS 152
extern const option_row option_rows[];
extern const int n_option_rows;
extern const char *const option_groups[];               /* in the order of the help pages; ends with NULL */
extern const option_range *const background_blur_range; /* of --background blur:RADIUS */
extern const command commands[];
extern const int n_commands;

struct args {
    const command *command;
    int command_named; /* by the first word */
    const char **paths;
    int n_paths;
    unsigned char given[MAX_OPTIONS]; /* by row */
    /* what to do */
    const char *output, *model, *matting_model, *template, *files_from, *shard, *mask_from, *trimap_from;
    int mask, only_mask, trimap, null_separated, force, no_clobber, png_level, accept_partial;
    /* the library's options: defaults of the command, and what was given. args_library_options has the result */
    mb_options options;
    const char *background, *preset;
    mb_image background_picture; /* read by args_library_options */
    mb_metadata background_metadata;
    int opaque; /* the cut-out will be, likewise */
    int icc, metadata, mask_channel, mask_scale;
    int frames, max_frames;
    int no_detail, format, quality;
    int has_trimap; /* a request brought one; the commands have trimap_from */
    /* machine and feedback */
    struct {
        int kind, index; /* mb_device; which GPU, -1: all of them */
    } device;
    int threads, fast, color, json, quiet, verbose, help;
    double max_memory, max_megapixels_in;
    /* frames, cut --watch */
    struct {
        int width, height, pix, out, matrix;
    } raw;
    int watch, once_idle;
    /* tensors, bench */
    name_list taps;
    int runs, batch, profile, csv;
    counts thread_counts;
    /* models */
    const char *from, *sha256;
    int all, dtype, offline, timeout, retries;
    /* serve */
    struct {
        name_list listen, hosts, origins, models;
        const char *unix_path, *token_file;
        int jobs, queue, connections, seconds, drain, no_page, any_model, sandbox, keep_seconds, keep_count;
        double max_body, keep_bytes;
    } serve;
    int from_strangers; /* the options come with a request: no file is opened for them */
};

/* Fills *a; the texts point into argv. Returns CODE_OK or CODE_USAGE (two lines have been printed). */
int args_parse(args *a, int argc, char **argv);
void args_dispose(args *a);
const char *args_device_word(int i); /* what --device takes, NULL after the last */
const char *args_dtype_name(int i);  /* of --dtype, NULL after the last */
/* Sets one option of the command by its name, as if it had been on the command line; `text` NULL where none was given.
 * Returns CODE_OK, or CODE_USAGE with a message that speaks of `source`.  */
int args_set(args *a, int row, const char *source, char *text);
/* The defaults of everything but the library's options. */
void args_defaults(args *a);
int args_row_of(const char *name, unsigned bit); /* -1: the command has no such option */
/* Was this option on the command line? */
int args_given(const args *a, const char *name);
/* Reads the environment's twins (MATTEBOX_THREADS, _DEVICE, _MAX_MEMORY) where no option was given; an unusable value
 * is a usage error. */
int args_environment(args *a);

/* The options of a command before anything is given: the library's defaults, but for what the program does otherwise.
 */
void args_standard_options(mb_options *out, unsigned bit);
/* The library's options: those defaults, then --preset, then what was given. They borrow a->background_picture.
 * CODE_OK, CODE_USAGE or CODE_MACHINE. */
int args_library_options(mb_options *out, args *a);
/* The same where it is known already which model runs: with the built-in default comes the preset "small", with saliency
 * its way to find the mask. */
int args_options_with(mb_options *out, args *a, int builtin_default, int saliency);
int args_context(mb_context **out, const args *a); /* CODE_OK, CODE_USAGE or CODE_MACHINE */
/* The same on GPU `index`, for --device cuda:all; *out NULL and CODE_OK after the last one. */
int args_context_more(mb_context **out, const args *a, int index);

/* Help pages, as wide as the terminal. */
void help_overview(FILE *out);
void help_command(FILE *out, const command *c);
/* The reference of options, for docs/cli.md, and the JSON schema of mb_options, for docs/options.schema.json. */
void help_markdown(FILE *out);
void help_schema(FILE *out);
/* Manual pages: mattebox.1, and that of one command (0: there is none of this name). */
void help_man(FILE *out);
int help_man_command(FILE *out, const char *name);
/* The rows of a command in the order of its help page, at most MAX_OPTIONS; returns how many. */
int help_rows(int *rows, const command *c);
/* "1 to 255; default 6" and the like: values and default of an option of a command. */
void help_values(char *text, size_t bytes, const option_row *row, const command *c);
/* " FILE", "[=PIXELS]" or "": what follows an option's name. */
void help_argument(char *text, size_t bytes, const option_row *row);

/* The nearest of n names, for "did you mean"; NULL if none is near. */
const char *nearest_name(const char *word, const char *const *names, int n);

#endif
