/* The model manager: what `mattebox models` does beyond looking. The program includes this header and no other of the
 * weights tool. Functions that return int give the program's exit code (EXIT_* of tool.h, 0 is success) and the reason
 * in `err`. Nothing here touches the network but manager_get. */
#ifndef MB_MANAGER_MANAGER_H
#define MB_MANAGER_MANAGER_H

#include "manager/catalogue.h"

#include <stdio.h>

typedef struct manager_options {
    const char *folder;           /* where models are installed */
    const char *address, *sha256; /* instead of the catalogue's; NULL */
    const char *dtype;            /* "f32", "f16", "bf16"; NULL: as published */
    bool force, quiet, offline;
    int timeout, retries;
    FILE *out; /* what the converter says */
    /* Lines for the user, and progress: `stage` is "fetching", "checking", "copying"; non-zero cancels. */
    void (*on_text)(void *user, const char *text);
    int (*on_progress)(void *user, const char *stage, double done, double total);
    void *user;
} manager_options;

typedef struct manager_result {
    char path[4096]; /* of the installed model */
    char sha256[65]; /* of the download or copy; "" where nothing told what it should be */
    bool was_there;  /* already, and left alone */
} manager_result;

/* Fetches, checks, converts and installs the model of that name or alias; a name that is not in the catalogue needs an
 * address. What has come of an interrupted download is continued. */
int manager_get(const manager_options *o, const catalogue *c, const char *name, manager_result *out, mb_error *err);
/* What is kept of an unfinished download of it; true if there was something. */
bool manager_forget(const catalogue *c, const char *name);

/* Installs a model file (checked whole), or a checkpoint (converted). SHA256SUMS beside it counts. */
int manager_import(const manager_options *o, const catalogue *c, const char *from, manager_result *out, mb_error *err);
/* Copies a model file, checked whole, to a folder, with its line in SHA256SUMS there, or to a file whose name ends in .mbw
 * where it is the only one of n. */
int manager_export(const manager_options *o, const char *model, int n, const char *to, manager_result *out,
                   mb_error *err);

bool manager_user_catalogue(char *out, size_t bytes); /* its path */
/* What downloads with, or why nothing does. */
void manager_describe(char *text, size_t bytes);
/* From a signal handler: a conversion in progress ends soon. */
void manager_interrupt(void);

#endif
