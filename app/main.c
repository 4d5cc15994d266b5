/* mattebox: the program. It uses the public header, and so proves that the header is enough; and for
 * `models` the weights tool's manager.
 *
 * Order of a run: hold the standard streams, parse, set up messages, read the environment, set up signals,
 * run the command, flush. Each step needs only those before it. */
#include "commands.h"
#include "json.h"
#include "message.h"

#include "manager/manager.h"

#include "core/os_process.h"
#include "core/os_file.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_int n_interrupts, was_terminated; /* asked for by threads of the batch, too */

/* The first signal asks running work to stop, which it does within some 50 ms; the second one ends the
 * program at once. */
static void on_interrupt(bool terminated)
{
    was_terminated |= terminated;
    if (++n_interrupts > 1) {
        mb_os_exit_now(was_terminated ? CODE_TERMINATED : CODE_INTERRUPTED);
    }
    manager_interrupt();
}

void interrupt_setup(void)
{
    mb_os_on_interrupt(on_interrupt);
}

int interrupted(void)
{
    return n_interrupts > 0;
}

/* With --verbose all that a report of a problem needs: build, device, what each variable is set to, where
 * models are searched. */
int cmd_version(args *a)
{
    char info[2048];
    (void)printf("mattebox %s\n", mb_version());
    if (!a->verbose) {
        return CODE_OK;
    }
    mb_build_info(info, sizeof info);
    (void)fputs(info, stdout);
    mb_context *context = NULL;
    int code = args_context(&context, a);
    if (code == CODE_OK) {
        (void)printf("device: %s\nthreads: %d\n", mb_context_device(context), mb_context_threads(context));
        if (mb_context_device_note(context)[0] != '\0') {
            (void)printf("device note: %s\n", mb_context_device_note(context));
        }
    }
    char downloads[256];
    manager_describe(downloads, sizeof downloads);
    (void)printf("downloads: %s\n", downloads);
    char server[256];
    serve_describe(server, sizeof server);
    (void)printf("server: %s\n", server);
    static const char *const variables[] = {"MATTEBOX_MODELS",    "MATTEBOX_THREADS",    "MATTEBOX_DEVICE",
                                            "MATTEBOX_PRECISION", "MATTEBOX_MAX_MEMORY", "MATTEBOX_OFFLINE",
                                            "MATTEBOX_MIRROR",    "MATTEBOX_ISA",        "MATTEBOX_PASSES"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = mb_os_env(variables[i]);
        (void)printf("%s: %s\n", variables[i], value != NULL ? value : "(not set)");
    }
    char folder[MB_OS_PATH_BYTES];
    for (int i = 0; mb_model_folder(folder, sizeof folder, i); i++) {
        (void)printf("models: %s\n", folder);
    }
    mb_context_free(context);
    return code;
}

/* Options are checked before signals are handled or files opened: --help and a usage error end here in a
 * few milliseconds. Output that could not be written is an error even when everything else went well. */
int main(int argc, char **argv)
{
    args a;
    if (argc == 3 && strcmp(argv[1], "decode-worker") == 0) { /* of `serve`, not for people */
        return decode_worker_main(argv[2]);
    }
    mb_os_keep_memory(256 << 20); /* `serve` returns that of a large picture all the same (stage_run.c) */
    mb_os_standard_streams();
    if (!mb_os_arguments(&argc, &argv)) {
        return CODE_MACHINE;
    }
    mb_os_set_env_if_missing("OPENBLAS_NUM_THREADS", "1"); /* should it ever be opened: our own threads use it */
    message_setup(0, 0, 0);
    int wants_json = 0;
    for (int i = 1; i < argc; i++) { /* also where the command line is wrong */
        wants_json |= strcmp(argv[i], "--json") == 0;
    }
    int code = args_parse(&a, argc, argv);
    if (code == CODE_OK) {
        message_setup(a.quiet, a.verbose, a.color);
        if (a.help) {
            help_command(stdout, a.command);
        } else if ((code = args_environment(&a)) == CODE_OK) {
            interrupt_setup();
            mb_os_on_lost_file("mattebox: a file became shorter while it was in use\n  run it again\n", CODE_MODEL);
            if (a.json) {
                mb_os_ignore_pipe(); /* likewise a reader of the report that went away */
            }
            mb_os_ignore_file_limit(); /* a file that may not grow is an error of the write, not the end */
            code = a.command->run(&a);
        }
    }
    args_dispose(&a);
    code = code == CODE_INTERRUPTED && was_terminated ? CODE_TERMINATED : code;
    if (wants_json && code != CODE_OK && !json_report_begun()) { /* nothing was worked on: the reason is the report */
        json j = {stdout, 0};
        json_begin(&j, NULL, '{');
        json_begin(&j, "error", '{');
        json_int(&j, "code", code);
        json_text(&j, "message", message_first_error());
        json_end(&j, '}');
        json_end(&j, '}');
        json_line(&j);
    }
    if (fflush(stdout) != 0 ||
        ferror(stdout)) { /* a report that is not whole counts, whatever became of the pictures */
        if (errno != EPIPE) {
            (void)message_error(CODE_OUTPUT, NULL, "standard output could not be written");
        }
        code = n_interrupts > 0 ? code : CODE_OUTPUT;
    }
    return code;
}
