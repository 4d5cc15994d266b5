/* Which pictures to work on, and what their results are called: all decided and checked before any work. */
#ifndef APP_INPUTS_H
#define APP_INPUTS_H

#include "args.h"

#include <stdint.h>

typedef enum out_kind { OUT_CUTOUT = 0, OUT_MASK = 1, OUT_TRIMAP = 2, OUT_KINDS = 3 } out_kind;

typedef struct item {
    char *path;      /* as given, or found in a folder; "-" is stdin */
    char *below;     /* its folder below the given one, "" or "a/b": kept below -o DIR */
    int from_folder; /* found, not named */
    int exists;      /* a file that can be stat'ed */
    char *guide;     /* the mask or trimap that belongs to it; NULL: none was found, or none is used */
    int skip;        /* --no-clobber: every result is there */
    char *refused;   /* why it will not be worked on, with a hint behind a line feed; NULL: nothing */
    int elsewhere;   /* --shard: another run's; named, so that clashes show, and not worked on */
    uint64_t device; /* identity, when it exists */
    uint64_t inode;
    int frame, n_frames;  /* --frames: which of how many, from 1; 0: the file is one picture */
    int loops, animated;  /* of the animation: how often it is played (0: for ever), whether it has durations */
    int together;         /* the results of its frames become one animation */
    char *out[OUT_KINDS]; /* where results go; NULL: not wanted. "-" is stdout */
} item;

typedef struct item_list {
    item *v;
    int n, capacity;
    int not_pictures; /* files in folders that were left out */
    int missing;      /* named files that do not exist */
    int unread;       /* folders, and what is in them, that could not be looked at: nobody knows what was left out */
    int n_files;      /* inputs before --frames made several items of one; 0: as many as n */
} item_list;

/* The folder of a path, "." without one; a root keeps its separator. NULL: no memory. */
char *folder_of_path(const char *path);
const char *out_kind_name(out_kind kind, const args *a);
/* "cutout" ("composite" over a background), "mask" ("alpha" of refine), "trimap" */

/* Expands folders and lists of the command line. CODE_OK, CODE_USAGE (nothing to do) or CODE_MACHINE. */
int inputs_collect(item_list *list, const args *a);

/* Names the results of every item that exists (`wanted`: by kind), creates the output folder, and refuses clashes,
 * results that exist (--force, --no-clobber) and results that are inputs. Nothing has been worked on when this fails.
 */
int outputs_name(item_list *list, const args *a, const int wanted[OUT_KINDS]);

/* CODE_USAGE if two inputs would write one file, also where the folder's file system ignores the case of letters. */
int outputs_find_clashes(const item_list *list);
/* How a clash is said, here and by --watch: two inputs and the result. */
#define CLASH_TEXT "%s and %s would both write %s"
#define CLASH_HINT "--template '{dir}/{stem}.{ext}.{kind}.png' keeps them apart"

/* The same for one result of a command that reads `inputs` (n paths; NULL ones are left out). CODE_OK or CODE_USAGE;
 * *skip:
 * --no-clobber and it exists. */
int outputs_check_one(const char *output, const char *const *inputs, int n, const args *a, int *skip);

/* The format that a name asks for; AUTO if it says nothing. */
mb_format outputs_format_of(const char *path);

/* Can these results be written, as far as can be told before the work: folders, permissions, lengths of names, some
 * free space. False with a message otherwise. */
int outputs_writable(const item *it, double picture_bytes, mb_error *err);

/* Finds each item's mask or trimap: the file given, or one in the folder given. CODE_OK or CODE_USAGE. */
int inputs_attach_guides(item_list *list, const args *a);

/* --shard: marks the items of other shards. The frames of one animation stay together. */
int inputs_mark_shard(item_list *list, const args *a);

/* Leaves the items of this shard only. After the names, whose clashes concern all shards. */
void inputs_drop_elsewhere(item_list *list);

/* The names of masks that are looked for beside a photo, for a message. Returns dst. */
char *guide_names(char *dst, size_t dst_bytes, const char *photo, const char *kind);

/* One photo of a folder, for whoever finds them otherwise: its folder below the given one, "" or "a/b". */
int inputs_add(item_list *list, const char *path, const char *below);
int inputs_is_result(const char *name);  /* a result of an earlier run, by its name */
int inputs_is_picture(const char *path); /* by its first bytes; damaged ones are pictures */

void inputs_dispose(item_list *list);

/* The message for a file that is not there, with the likeliest reason. */
int report_missing(const char *path, const args *a);

/* printf into new memory; NULL when there is none. */
char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
