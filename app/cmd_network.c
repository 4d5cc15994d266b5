/* The commands that look at the bare network: info and tensors.
 *
 * info answers what a model is and what a run would take; tensors runs it from file to file, which is how
 * our outputs are compared with those of the official code (docs/add-a-model.md). */
#include "builtin.h"
#include "commands.h"
#include "inputs.h"
#include "json.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>

/* The arguments of a command that takes exactly so many. */
static int need_paths(const args *a, int n, const char *what)
{
    if (a->n_paths == n) {
        return CODE_OK;
    }
    char hint[128];
    (void)snprintf(hint, sizeof hint, "mattebox %s %s", a->command->name, a->command->usage);
    return message_error(CODE_USAGE, hint, "%s needs %s", a->command->name, what);
}

/* A bad size on the command line is a usage error, a plan that does not fit a matter of the machine. */
static int network_failed(const mb_error *err, const char *subject)
{
    int code = code_of_status(err->code);
    return message_status(code == CODE_SOME ? CODE_MODEL : code, subject, err);
}

/* For people; print_info_json has the same figures for programs. */
static void print_info(const mb_model_info *info, const mb_plan_info *plan, const args *a)
{
    char size[4][32], line[512];
    (void)printf("%s\n  %s\n", model_place(info), info->summary);
    (void)printf("  name          %s\n", info->name[0] != '\0' ? escape_text(line, sizeof line, info->name) : "(none)");
    (void)printf("  licence       %s\n",
                 info->licence[0] != '\0' ? escape_text(line, sizeof line, info->licence) : "(not recorded)");
    (void)printf("  file          %s, %zu tensors\n", format_bytes(size[0], sizeof size[0], (double)info->file_bytes),
                 info->n_tensors);
    (void)printf("  input         %d channels, %dx%d recommended, multiples of %d\n", info->input_channels,
                 info->input_width, info->input_height, info->size_multiple);
    (void)printf("plan for %d x %dx%d\n", a->batch, plan->input_width, plan->input_height);
    (void)printf("  nodes         %d\n", plan->n_nodes);
    (void)printf("  work          %.1f GMAC\n", plan->macs * 1e-9);
    (void)printf("  weights       %s\n", format_bytes(size[1], sizeof size[1], (double)plan->weight_bytes));
    (void)printf("  arena         %s (no plan takes less than %s)\n",
                 format_bytes(size[2], sizeof size[2], (double)plan->arena_bytes),
                 format_bytes(size[3], sizeof size[3], (double)plan->lower_bound));
    (void)printf("  together      %s\n", format_bytes(size[0], sizeof size[0], (double)plan->total_bytes));
}

/* The object that docs/json.md describes. */
static void print_info_json(const mb_model_info *info, const mb_plan_info *plan, const args *a)
{
    json j = {stdout, 0};
    json_begin(&j, NULL, '{');
    json_text(&j, "model", model_place(info));
    json_text(&j, "name", info->name);
    json_text(&j, "architecture", info->architecture);
    json_text(&j, "summary", info->summary);
    json_text(&j, "licence", info->licence);
    json_int(&j, "file_bytes", (long long)info->file_bytes);
    json_int(&j, "tensors", (long long)info->n_tensors);
    json_int(&j, "parameters", (long long)info->n_parameters);
    json_int(&j, "input_channels", info->input_channels);
    json_int(&j, "size_multiple", info->size_multiple);
    json_begin(&j, "plan", '{');
    json_int(&j, "batch", a->batch);
    json_int(&j, "width", plan->input_width);
    json_int(&j, "height", plan->input_height);
    json_int(&j, "nodes", plan->n_nodes);
    json_real(&j, "gmac", plan->macs * 1e-9);
    json_int(&j, "weight_bytes", (long long)plan->weight_bytes);
    json_int(&j, "arena_bytes", (long long)plan->arena_bytes);
    json_int(&j, "lower_bound_bytes", (long long)plan->lower_bound);
    json_int(&j, "total_bytes", (long long)plan->total_bytes);
    json_end(&j, '}');
    json_end(&j, '}');
    json_line(&j);
}

/* Plans a run without running it: no weight is read, so the answer comes at once, for models larger than
 * the memory too. */
int cmd_info(args *a)
{
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_network *network = NULL;
    mb_error err = {0};
    int code = need_paths(a, 1, "one model");
    if (code == CODE_OK) {
        code = args_context(&context, a);
    }
    if (code == CODE_OK) {
        code = open_model(&model, context, a->paths[0]);
    }
    if (code == CODE_OK) {
        const mb_model_info *info = mb_model_get_info(model);
        int w = a->options.input_width > 0 ? a->options.input_width : info->input_width;
        int h = a->options.input_width > 0 ? a->options.input_height : info->input_height;
        mb_plan_info plan = {.size = sizeof plan};
        if (mb_network_create(&network, context, model, &err) != MB_OK ||
            mb_network_plan(&plan, network, a->batch, h, w, &err) != MB_OK) {
            code = network_failed(&err, NULL);
        } else if (a->json) {
            print_info_json(info, &plan, a);
        } else {
            print_info(info, &plan, a);
        }
    }
    mb_network_free(network);
    mb_model_free(model);
    mb_context_free(context);
    return code;
}

/* The progress line: the share that is done and the node in hand. */
static int show_node(void *user, const mb_progress *p)
{
    char text[160];
    (void)user;
    (void)snprintf(text, sizeof text, "%3.0f %%  %.100s", 100.0 * p->done, p->item);
    message_progress(text);
    return interrupted();
}

/* The library does it all, from file to file. Which of the two files an error is about decides the exit
 * code: a result that cannot be written is 5, not 1. */
int cmd_tensors(args *a)
{
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_network *network = NULL;
    mb_error err = {0};
    int code = need_paths(a, 3, "a model, an input and an output"), skip = 0;
    if (code == CODE_OK) {
        code = outputs_check_one(a->paths[2], a->paths, 2, a, &skip);
    }
    if (code == CODE_OK) {
        code = args_context(&context, a);
    }
    if (code == CODE_OK) {
        code = open_model(&model, context, a->paths[0]);
    }
    if (code == CODE_OK && !skip) {
        mb_status status = mb_network_create(&network, context, model, &err);
        if (status == MB_OK) {
            mb_network_set_progress(network, show_node, NULL);
            status = mb_network_run_file(network, a->paths[1], a->paths[2], a->taps.names, a->taps.n, &err);
        }
        if (status == MB_E_IO && strncmp(err.message, a->paths[2], strlen(a->paths[2])) == 0) {
            code = message_status(CODE_OUTPUT, NULL, &err);
        } else if (status != MB_OK) {
            int of_model = status == MB_E_FORMAT && strncmp(err.message, a->paths[1], strlen(a->paths[1])) != 0;
            code = of_model ? CODE_MODEL : code_of_status(status);
            (void)message_status(code, NULL, &err);
        } else if (mb_network_warning(network)[0] != '\0') {
            message_warning(a->paths[1], mb_network_warning(network));
        }
    }
    mb_network_free(network);
    mb_model_free(model);
    mb_context_free(context);
    return code;
}
