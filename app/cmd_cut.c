/* The commands that make pictures: cut, matte, trimap.
 *
 * A session goes from what costs nothing to what costs time: options, names of inputs and results,
 * context, models, and only then pictures. Whatever is wrong with the command line is found in the first
 * milliseconds, before a result exists. */
#include "batch.h"
#include "builtin.h"
#include "commands.h"
#include "frames.h"
#include "message.h"
#include "session.h"
#include "watch.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* NULL when the options need none: a model that is not used is not opened, so that it cannot be missing. */
static const char *choose_matting_model(const args *a, const mb_options *o)
{
    if (a->matting_model != NULL) {
        return a->matting_model;
    }
    if (!o->process_detail || o->detail < MB_DETAIL_VITMATTE) {
        return NULL;
    }
    return o->detail == MB_DETAIL_VITMATTE_BASE ? "vitmatte-b" : "vitmatte-s";
}

/* Pipelines before their models, models before their contexts: each keeps pointers to the next. */
void session_dispose(session *s)
{
    for (int i = 0; i < MAX_DEVICES; i++) {
        mb_pipeline_free(s->pipelines[i]);
        mb_model_free(s->mattings[i]);
        mb_model_free(s->models[i]);
        mb_context_free(s->contexts[i]);
    }
    inputs_dispose(&s->list);
}

/* Options and names first: they are checked in no time, before a model is opened. */
static int session_prepare(session *s, args *a, const int wanted[OUT_KINDS])
{
    int code = args_library_options(&s->options, a);
    if (code == CODE_OK && a->force && a->no_clobber) {
        code = message_error(CODE_USAGE, NULL, "--force and --no-clobber exclude each other");
    }
    if (code == CODE_OK && a->watch && a->frames != FRAMES_FIRST) {
        code = message_error(CODE_USAGE, "run it on the files by hand", "--watch takes the first frame of each file");
    }
    if (code == CODE_OK && a->watch) {
        return watch_check(a, wanted);
    }
    if (code == CODE_OK && a->once_idle > 0) {
        code = message_error(CODE_USAGE, "--watch --once-idle N", "--once-idle goes with --watch");
    }
    if (code == CODE_OK) {
        code = inputs_collect(&s->list, a);
    }
    if (code == CODE_OK) {
        code = frames_expand(&s->list, a);
    }
    if (code == CODE_OK) {
        code = inputs_mark_shard(&s->list, a);
    }
    if (code == CODE_OK && (a->mask_from != NULL || a->trimap_from != NULL)) {
        code = inputs_attach_guides(&s->list, a);
    }
    if (code == CODE_OK && s->list.missing < s->list.n) {
        code = outputs_name(&s->list, a, wanted);
    }
    return code;
}

/* Models and pipeline of one device. */
static int session_add_device(session *s, const args *a, const char *model, mb_context *context)
{
    mb_error err = {0};
    int i = s->n, code = CODE_OK;
    s->contexts[i] = context;
    if (model != NULL) {
        code = open_model(&s->models[i], context, model);
    }
    const char *matting = choose_matting_model(a, &s->options);
    if (code == CODE_OK && matting != NULL) {
        code = open_model(&s->mattings[i], context, matting);
    }
    if (code == CODE_OK &&
        mb_pipeline_create(&s->pipelines[i], context, s->models[i], s->mattings[i], &s->options, &err) != MB_OK) {
        code = err.code == MB_E_MISMATCH || err.code == MB_E_FORMAT ? CODE_MODEL : code_of_status(err.code);
        code = code == CODE_SOME ? CODE_USAGE : code;
        (void)message_status(code, NULL, &err);
    }
    s->n += code == CODE_OK;
    return code;
}

/* Opens the first device, then as many more as cuda:all finds. Everything that can be wrong with models
 * and device is found here, before the first photo is decoded. */
int session_open(session *s, const args *a, int with_model)
{
    mb_context *context = NULL;
    const char *name = NULL;
    int code = args_context(&context, a);
    s->contexts[0] = context;
    if (code == CODE_OK && s->list.n > 0 && s->list.missing == s->list.n) {
        return CODE_OK; /* nothing will run: each is reported without asking for a model first */
    }
    if (code == CODE_OK && mb_context_device_note(context)[0] != '\0') {
        message_note("%s", mb_context_device_note(context));
    }
    if (code == CODE_OK && with_model) {
        const model_choice choice = model_choose(a->model);
        if (choice.saliency && s->options.segment != MB_SEGMENT_SALIENCY) {
            return message_error(CODE_USAGE, "--model demo has one", "--segment %s needs a model",
                                 mb_segmenter_name((int)s->options.segment));
        }
        name = choice.name;
        if (choice.standard) {
            builtin_hint();
        }
    }
    if (code == CODE_OK) {
        code = session_add_device(s, a, name, context);
    }
    while (code == CODE_OK && a->device.index < 0 && s->n < MAX_DEVICES) { /* cuda:all */
        code = args_context_more(&context, a, s->n);
        if (code != CODE_OK || context == NULL) {
            break;
        }
        code = session_add_device(s, a, name, context);
    }
    return code;
}

/* All inputs are missing: say so for each, without asking for a model first. */
static int all_missing(const item_list *list, const args *a)
{
    for (int i = 0; i < list->n; i++) {
        (void)report_missing(list->v[i].path, a);
    }
    return CODE_USAGE;
}

/* What cut, matte and refine have in common: options, names, models, the batch. */
static int run_session(args *a, int with_model)
{
    session s = {0};
    const int alone = a->only_mask || a->command->bit == CMD_REFINE;
    const int wanted[OUT_KINDS] = {!alone, a->mask || alone, a->trimap};
    int code = session_prepare(&s, a, wanted);
    if (code == CODE_OK) {
        code = session_open(&s, a, with_model);
        if (code == CODE_OK) {
            frame_reader reader = {0}, guide_reader = {0};
            frame_writer writer = {0};
            batch b = {.a = a,
                       .reader = &reader,
                       .guide_reader = &guide_reader,
                       .writer = &writer,
                       .list = &s.list,
                       .options = &s.options,
                       .pipelines = s.pipelines,
                       .n_pipelines = s.n,
                       .context = s.contexts[0],
                       .model_path = s.models[0] != NULL ? model_place(mb_model_get_info(s.models[0])) : NULL,
                       .detail = mb_detail_name(s.options.process_detail ? (int)s.options.detail : 0),
                       .refine_only = !with_model};
            code = a->watch ? watch_run(&b, a, wanted) : batch_run(&b);
            frame_reader_close(&reader);
            frame_reader_close(&guide_reader);
            frame_writer_drop(&writer);
        }
    }
    session_dispose(&s);
    return code;
}

/* "mattebox photo.jpg --mask m.png": --mask is a flag here, and m.png would be cut out as a second photo. What follows
 * the flag on the command line is not known any more, so a grey picture beside a photo gives it away. */
static int looks_like_matte(const args *a)
{
    for (int i = 0; (a->mask || a->trimap) && a->n_paths == 2 && i < 2; i++) {
        mb_image_source seen[2] = {{.size = sizeof seen[0]}, {.size = sizeof seen[1]}};
        if (mb_image_probe(&seen[0], a->paths[i], NULL) == MB_OK &&
            mb_image_probe(&seen[1], a->paths[1 - i], NULL) == MB_OK && seen[0].channels == 1 &&
            strcmp(seen[0].format, "PNG") == 0 && seen[1].channels >= 3) {
            const char *option = a->mask ? "mask" : "trimap";
            char hint[700];
            (void)snprintf(hint, sizeof hint,
                           "mattebox matte %.200s --%s %.200s cuts out by a %s of yours; here --%s writes "
                           "one. For two photos: two commands",
                           a->paths[1 - i], option, a->paths[i], option, option);
            (void)message_error(CODE_USAGE, hint, "%s is a %s, not a photo", a->paths[i], option);
            return 1;
        }
    }
    return 0;
}

int cmd_cut(args *a)
{
    if (looks_like_matte(a)) {
        return CODE_USAGE;
    }
    return run_session(a, 1);
}

/* Exactly one of mask and trimap: with both there would be two answers to where the edge is. */
int cmd_matte(args *a)
{
    if (a->mask_from != NULL && a->trimap_from != NULL) {
        return message_error(CODE_USAGE, NULL, "%s takes --mask or --trimap, not both", a->command->name);
    }
    if (a->mask_from == NULL && a->trimap_from == NULL) {
        char hint[100];
        (void)snprintf(hint, sizeof hint, "mattebox %s PHOTO --mask MASK --detail guided", a->command->name);
        return message_error(CODE_USAGE, hint, "%s needs one of --mask and --trimap", a->command->name);
    }
    return run_session(a, 0);
}

int cmd_refine(args *a)
{
    return cmd_matte(a); /* the options of the command say what is written */
}

/* Needs neither model nor context, and works on one mask after the other: a trimap takes less time than
 * its PNG. */
int cmd_trimap(args *a)
{
    static const int wanted[OUT_KINDS] = {0, 0, 1};
    item_list list = {0};
    int code = inputs_collect(&list, a);
    if (code == CODE_OK && list.missing == list.n) {
        code = all_missing(&list, a);
    }
    if (code == CODE_OK) {
        code = outputs_name(&list, a, wanted);
    }
    for (int i = 0; i < list.n && (code == CODE_OK || code == CODE_SOME) && !interrupted(); i++) {
        mb_image mask = {0}, trimap = {0};
        mb_error err = {0};
        const mb_mask_options how = mask_options(a);
        char note[200] = "";
        int bad = CODE_OK;
        if (!list.v[i].exists) {
            bad = report_missing(list.v[i].path, a);
        } else if (!list.v[i].skip) {
            if (load_mask(&mask, note, sizeof note, list.v[i].path, a, &how, &err) != MB_OK ||
                mb_trimap_make(&trimap, &mask, a->options.erode, a->options.dilate, &err) != MB_OK) {
                bad = message_status(failure_code(err.code, CODE_SOME), NULL, &err);
            } else if ((bad = save_image(&trimap, list.v[i].out[OUT_TRIMAP], a, NULL, list.n == 1, &err)) != CODE_OK) {
                (void)message_status(bad, NULL, &err);
            }
        }
        if (note[0] != '\0' && bad == CODE_OK) {
            message_warning(list.v[i].path, note);
        }
        if (trimap.data != NULL && bad == CODE_OK && trimap_note(&trimap)[0] != '\0') {
            message_warning(list.v[i].path, trimap_note(&trimap));
        }
        mb_image_dispose(&mask);
        mb_image_dispose(&trimap);
        code = bad != CODE_OK ? bad : code;
    }
    inputs_dispose(&list);
    return interrupted() ? CODE_INTERRUPTED : code;
}
