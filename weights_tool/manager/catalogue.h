/* The catalogue of published checkpoints: a text file in the source (catalogue.txt, built in), and one of the user's.
 */
#ifndef MB_MANAGER_CATALOGUE_H
#define MB_MANAGER_CATALOGUE_H

#include "core/status.h"

#include <stdbool.h>
#include <stddef.h>

#define CATALOGUE_NAME_MAX 64

/* Texts belong to the catalogue; those that an entry does not state are "". */
typedef struct catalogue_entry {
    const char *name;    /* of the installed file, without .mbw */
    const char *address; /* http or https */
    const char *file;    /* name of the checkpoint on this machine */
    const char *sha256;  /* 64 lower-case hexadecimal digits, or "" */
    const char *licence, *task, *page, *alias;
    const char *revision;      /* of the repository that the address names */
    const char *note;          /* what people should know before they use it */
    const char *family;        /* "birefnet" or "vitmatte" */
    double size;               /* of the checkpoint, about, in bytes; 0: unknown */
    int width, height;         /* of the network's input; 0: any */
    bool gated, noncommercial; /* terms to accept first; not for commercial use */
} catalogue_entry;

typedef struct catalogue {
    catalogue_entry *v;
    size_t n, capacity;
    char *texts[2];
} catalogue;

/* The built-in entries, then those of `user_file` (NULL or missing: none), which replace entries of the same name. A
 * mistake in that file is MB_E_FORMAT with its line. Dispose of it in every case. */
MB_MUST_CHECK mb_status catalogue_load(catalogue *c, const char *user_file, mb_error *err);
/* A catalogue of `text` alone, which it takes over and frees (mb_free). */
MB_MUST_CHECK mb_status catalogue_parse(catalogue *c, char *text, mb_error *err);
void catalogue_dispose(catalogue *c);
/* By name or alias; letters' case does not count, and '_' is '-'. NULL: unknown. */
const catalogue_entry *catalogue_find(const catalogue *c, const char *name);

/* Can it name a file: 1 to 64 letters, digits, '.', '_', '-', not beginning with '.' or '-'. */
bool catalogue_is_name(const char *name);
/* Names of what is built into the program: no model may be installed under them, in whatever case. */
bool catalogue_is_reserved(const char *name);
/* MB_E_ARGUMENT, with the reason, for such a name. `what` is the file or model that was to get it. */
mb_status catalogue_refuse_reserved(const char *name, const char *what, mb_error *err);
/* 64 hexadecimal digits in `text` (n characters) as lower case in `out`; false if it is something else. */
bool catalogue_read_sha256(char out[65], const char *text, size_t n);

extern const char catalogue_text[]; /* catalogue.txt, made into a source file by the build */

#endif
