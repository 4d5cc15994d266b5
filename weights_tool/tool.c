/* Dispatch, messages, exit codes. */
#include "tool.h"

#include "generate.h"

#include "core/text.h"

#include <string.h>

/* An I/O error counts as the output's only while writing; a checkpoint that cannot be read is a matter of the
 * model. */
int tool_exit_code(mb_status status, bool writing)
{
    switch (status) {
    case MB_OK:
        return EXIT_OK;
    case MB_E_ARGUMENT:
        return EXIT_USAGE;
    case MB_E_MEMORY:
        return EXIT_MEMORY;
    case MB_E_CANCELLED:
        return EXIT_INTERRUPTED;
    case MB_E_IO:
        return writing ? EXIT_OUTPUT : EXIT_MODEL;
    default:
        return EXIT_MODEL;
    }
}

/* A model file, or with --checkpoint a safetensors file as the official code saves it. Every failure behind the
 * creation is one of the output, hence `writing`. */
int tool_generate(const tool_options *o, FILE *out, mb_error *err)
{
    generator *g;
    mb_dtype dtype = o->dtype >= 0 ? (mb_dtype)o->dtype : MB_F32;
    mb_status status = generator_create(&g, o->source, o->seed, err);
    if (status != MB_OK) {
        return tool_exit_code(status, false);
    }
    status = o->checkpoint ? generate_safetensors(g, o->output, o->force, dtype, err)
                           : generate_file(g, o->output, o->force, dtype, err);
    generator_free(g);
    if (status == MB_OK && !o->quiet) {
        (void)fprintf(out, "%s: generated weights of %s, seed %llu: they exercise the program, they cut nothing out\n",
                      o->output, o->source, (unsigned long long)o->seed);
    }
    return tool_exit_code(status, true);
}

/* "mattebox-weights: WHAT", hints on lines of their own, two spaces in. */
static void report(FILE *errors, const mb_error *err)
{
    const char *line = err->message;
    char shown[4 * sizeof err->message + 8]; /* names of files and of what is in them: a terminal must not obey them */
    (void)fprintf(errors, "mattebox-weights: ");
    for (;;) {
        size_t n = strcspn(line, "\n");
        /* The library's own name of the option is `overwrite`. */
        const size_t skip = strncmp(line, "overwrite=1 ", strlen("overwrite=1 ")) == 0 ? strlen("overwrite=1") : 0;
        (void)fprintf(errors, "%s%s\n", skip > 0 ? "--force" : "",
                      mb_printable(shown, sizeof shown, line + skip, n - skip));
        if (line[n] == '\0') {
            return;
        }
        line += n + 1;
        (void)fprintf(errors, "  ");
    }
}

/* Also called in-process by tests. Gives the exit code. Output that could not be flushed (a full disk, a closed pipe)
 * is an error of its own. */
int tool_main(int argc, char **argv, FILE *out, FILE *errors)
{
    tool_options o;
    mb_error err = {0};
    if (options_parse(&o, argc, argv, &err) != MB_OK) {
        report(errors, &err);
        return EXIT_USAGE;
    }
    if (o.version) {
        (void)fprintf(out, "mattebox-weights %d.%d.%d, model format 1\n", MB_VERSION_MAJOR, MB_VERSION_MINOR,
                      MB_VERSION_PATCH);
        return EXIT_OK;
    }
    if (o.man) {
        char version[32];
        (void)snprintf(version, sizeof version, "%d.%d.%d", MB_VERSION_MAJOR, MB_VERSION_MINOR, MB_VERSION_PATCH);
        options_man(out, version);
        return EXIT_OK;
    }
    if (o.completion != NULL) {
        options_completion(out, o.completion);
        return EXIT_OK;
    }
    if (o.help) {
        options_help(out, o.command);
        return EXIT_OK;
    }
    int code = EXIT_USAGE;
    switch (o.command) {
    case COMMAND_CONVERT:
        code = tool_convert(&o, out, errors, &err);
        break;
    case COMMAND_INSPECT:
        code = tool_inspect(&o, out, errors, &err);
        break;
    case COMMAND_VERIFY:
        code = tool_verify(&o, out, errors, &err);
        break;
    case COMMAND_GENERATE:
        code = tool_generate(&o, out, &err);
        break;
    case COMMAND_NONE:
        break;
    }
    if (code != EXIT_OK && err.message[0] != '\0') {
        report(errors, &err);
    }
    if (code == EXIT_OK && fflush(out) != 0) {
        (void)fprintf(errors, "mattebox-weights: standard output cannot be written\n");
        return EXIT_OUTPUT;
    }
    return code;
}
