/* The commands: each takes parsed options and returns the exit code. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include "args.h"

int cmd_cut(args *a);
int cmd_matte(args *a);
int cmd_refine(args *a);
int cmd_trimap(args *a);
int cmd_frames(args *a);
int cmd_completion(args *a);
int cmd_models(args *a);
int cmd_info(args *a);
int cmd_bench(args *a);
int cmd_tensors(args *a);
int cmd_serve(args *a);
/* What a process of `serve` runs that decodes pictures, of at most so many megapixels; never returns. */
int decode_worker_main(const char *megapixels);
/* What `serve` runs on, or why it cannot, for `version --verbose`. */
void serve_describe(char *text, size_t bytes);
int cmd_version(args *a);
int cmd_help(args *a);

/* Opens a model given by path or name; on failure prints the message and returns CODE_MODEL. */
int open_model(mb_model **out, mb_context *context, const char *name);

/* The most memory this process has held. */
long long peak_bytes(void);

/* Ctrl-C: the first asks running work to stop (see interrupted), the second ends the program at once. */
void interrupt_setup(void);
int interrupted(void);

#endif
