/* The commands. Each prints its results to `out`, lists and warnings to `errors`, gives its failure in `err`, and says
 * how the program should end. */
#ifndef MB_WEIGHTS_TOOL_TOOL_H
#define MB_WEIGHTS_TOOL_TOOL_H

#include "options.h"

enum { EXIT_OK = 0, EXIT_USAGE = 2, EXIT_MODEL = 3, EXIT_MEMORY = 4, EXIT_OUTPUT = 5, EXIT_INTERRUPTED = 130 };

/* Exit code of a failure; `writing`: it happened to the output. */
int tool_exit_code(mb_status status, bool writing);

int tool_convert(const tool_options *o, FILE *out, FILE *errors, mb_error *err);
int tool_inspect(const tool_options *o, FILE *out, FILE *errors, mb_error *err);
int tool_verify(const tool_options *o, FILE *out, FILE *errors, mb_error *err);
int tool_generate(const tool_options *o, FILE *out, mb_error *err);

/* The whole program behind main: parse, run, report. Prints to `out` and `errors`. */
int tool_main(int argc, char **argv, FILE *out, FILE *errors);

#endif
