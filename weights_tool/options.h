/* The command line of mattebox-weights: one table feeds the parser and --help. */
#ifndef MB_WEIGHTS_TOOL_OPTIONS_H
#define MB_WEIGHTS_TOOL_OPTIONS_H

#include "backbone.h"
#include "patch_order.h"

#include "core/status.h"
#include "core/tensor.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum tool_command {
    COMMAND_NONE,
    COMMAND_CONVERT,
    COMMAND_INSPECT,
    COMMAND_VERIFY,
    COMMAND_GENERATE
} tool_command;

typedef struct tool_options {
    tool_command command;
    bool help, version, man;
    const char *completion; /* bash, zsh or fish: print the shell's script */
    const char *source;     /* file, folder, or the variant to generate */
    const char *output;
    int dtype; /* mb_dtype; -1: as the source */
    patch_order order;
    int width, height; /* 0: by known name, else 1024 */
    const char *name, *task, *licence, *recipe, *revision;
    const char *note;       /* of the catalogue: recorded beside the licence */
    backbone_told backbone; /* what no shape tells; NULL: by the rules */
    bool imagenet;          /* VITMatte: record ImageNet's mean and deviation instead of 0.5 */
    bool allow_overflow, force, quiet;
    const char *against;
    const char *key, *prefix; /* where the model lies in a checkpoint; NULL: found by its names */
    bool tensors, json;
    uint64_t seed;
    bool checkpoint; /* generate: a safetensors checkpoint instead of a model */
} tool_options;

MB_MUST_CHECK mb_status options_parse(tool_options *o, int argc, char **argv, mb_error *err);
/* Of the program, or of one command. */
void options_help(FILE *out, tool_command command);
/* mattebox-weights.1, for the build. */
void options_man(FILE *out, const char *version);
/* completion.c: the script that completes command lines in a shell, made of the same table. */
void options_completion(FILE *out, const char *shell);

/* The table, for completion.c: option i, false past the last; name and help of a command. */
typedef struct tool_option_row {
    const char *name;
    char letter;          /* 0: none */
    const char *argument; /* NULL: a switch; "a|b" are its values */
    unsigned commands;    /* bit 1 << tool_command; 0: of the program itself */
    const char *help;
} tool_option_row;
bool options_row_at(size_t i, tool_option_row *row);
const char *options_command_name(tool_command command);
const char *options_command_help(tool_command command);

#endif
