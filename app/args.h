/* The command line: one table of options feeds the parser, the help, docs/cli.md and the README (a test compares). */
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
    CMD_ALL = 1023
};

/* --icc and --metadata, by their choices. */
enum { ICC_KEEP, ICC_SRGB, ICC_DROP };
enum { METADATA_DROP, METADATA_KEEP };

typedef struct args args;

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
    KIND_INT,    /* int, min .. max */
    KIND_REAL,   /* double, min .. max */
    KIND_TEXT,   /* const char * */
    KIND_CHOICE, /* int: index of one of choices() */
    KIND_SIZE,   /* two ints: "1024" or "1024x768" (width x height) */
    KIND_BYTES,  /* double: "6G", "512M" */
    KIND_MAYBE,  /* int, min .. max, or nothing: --crop, --crop=8 */
    KIND_DEVICE, /* two ints, kind and index: "cuda:1" */
    KIND_LIST    /* const char ** and count: may be given several times, or with commas */
} option_kind;

typedef struct option_row {
    const char *group; /* a heading starts where it changes */
    const char *name;
    char letter; /* 0: none */
    option_kind kind;
    unsigned commands;
    size_t field; /* offset in struct args */
    const char *argument;
    double min, max;
    const char *(*choices)(int i);
    const char *standard; /* the default, for the help; NULL: none to tell */
    const char *help;
} option_row;

#define MAX_OPTIONS 112
extern const option_row option_rows[];
extern const int n_option_rows;
extern const command commands[];
extern const int n_commands;

struct args {
    const command *command;
    const char **paths;
    int n_paths;
    unsigned char given[MAX_OPTIONS]; /* by row */
    /* what to do */
    const char *output, *model, *matting_model, *template, *files_from, *shard, *mask_from, *trimap_from;
    int mask, only_mask, trimap, null_separated, force, no_clobber, clean_transparent, png_level, accept_partial;
    /* what the results look like */
    const char *background;
    mb_image background_picture; /* read by args_library_options */
    mb_metadata background_metadata;
    int opaque; /* the cut-out will be, likewise */
    int linear, premultiplied, crop, invert, min_area, largest, depth, format, quality;
    /* edges and network */
    const char *preset;
    int segment, flip, grabcut;
    int icc, metadata, input_alpha, mask_channel, mask_scale, trimap_low, trimap_high;
    int detail, no_detail, erode, dilate, foreground, recipe, guided_radius;
    double black_point, white_point, max_megapixels, guided_eps, guided_scale, matting_epsilon;
    struct {
        int width, height;
    } input_size;
    /* machine and feedback */
    struct {
        int kind, index; /* mb_device; which GPU, -1: all of them */
    } device;
    int threads, precision, color, json, quiet, verbose, help;
    double max_memory, max_megapixels_in;
    /* tensors, bench */
    struct {
        const char **names;
        int n;
    } taps;
    int runs, batch, profile;
    /* models */
    const char *from, *sha256;
    int all, dtype, offline, timeout, retries;
};

/* Fills *a; the texts point into argv. Returns CODE_OK or CODE_USAGE (two lines have been printed). */
int args_parse(args *a, int argc, char **argv);
void args_dispose(args *a);
const char *args_device_word(int i); /* what --device takes, NULL after the last */
const char *args_dtype_name(int i);  /* of --dtype, NULL after the last */
/* Was this option on the command line? */
int args_given(const args *a, const char *name);
/* Reads the environment's twins (MATTEBOX_THREADS, _DEVICE, _MAX_MEMORY) where no option was given; an unusable value
 * is a usage error. */
int args_environment(args *a);

/* The library's options: its defaults, then --preset, then what was given. They borrow a->background_picture. CODE_OK,
 * CODE_USAGE or CODE_MACHINE. */
int args_library_options(mb_options *out, args *a);
int args_context(mb_context **out, const args *a); /* CODE_OK, CODE_USAGE or CODE_MACHINE */
/* The same on GPU `index`, for --device cuda:all; *out NULL and CODE_OK after the last one. */
int args_context_more(mb_context **out, const args *a, int index);

/* Help pages. */
void help_overview(FILE *out);
void help_command(FILE *out, const command *c);
void help_markdown(FILE *out, const command *c); /* the table of options; NULL: a chapter for every command */

/* The nearest of n names, for "did you mean"; NULL if none is near. */
const char *nearest_name(const char *word, const char *const *names, int n);

#endif
