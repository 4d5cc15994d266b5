/* What is said about each picture and at the end: lines for people, JSON Lines for programs
 * (docs/json.md).
 *
 * The same facts go to people (stderr, in words) and to programs (stdout, in JSON Lines); keys and their
 * meanings are in docs/json.md and do not change within a major version. */
#include "batch.h"
#include "commands.h"
#include "message.h"

#include "core/os_process.h"

#include <string.h>

static const char *const state_names[] = {"cancelled", "cancelled", "ok", "failed", "skipped", "cancelled"};

long long peak_bytes(void)
{
    return (long long)mb_os_peak_bytes();
}

/* The message is in the words of the program, as on stderr. */
static void json_error(json *j, const job *job_)
{
    char words[2 * sizeof job_->err.message];
    json_begin(j, "error", '{');
    json_int(j, "code", job_->code);
    json_text(j, "status", mb_status_name(job_->err.code));
    json_text(j, "message", option_words(words, sizeof words, job_->err.message, job_->err.code));
    json_end(j, '}');
}

/* x, y, width, height. */
static void json_box(json *j, const char *key, const int box[4])
{
    json_begin(j, key, '[');
    for (int i = 0; i < 4; i++) {
        json_int(j, NULL, box[i]);
    }
    json_end(j, ']');
}

/* What only a picture that was done has: sizes, times, what alpha looks like. */
static void json_result(json *j, const job *job_)
{
    const mb_result *r = job_->result;
    json_begin(j, "size", '[');
    json_int(j, NULL, r->alpha.width);
    json_int(j, NULL, r->alpha.height);
    json_end(j, ']');
    json_begin(j, "ms", '{');
    json_real(j, "decode", job_->ms_decode);
    json_real(j, "network", r->ms_network);
    json_real(j, "refine", r->ms_refine);
    json_real(j, "compose", r->ms_compose);
    json_real(j, "encode", job_->ms_encode);
    json_end(j, '}');
    json_int(j, "peak_bytes", (long long)r->peak_bytes);
    json_box(j, "foreground_box", (const int[4]){r->box_x, r->box_y, r->box_width, r->box_height});
    json_real(j, "coverage", r->coverage);
    if (r->confidence >= 0) {
        json_real(j, "confidence", r->confidence);
        json_text(j, "confidence_basis", r->confidence_basis);
    } else {
        json_text(j, "confidence", NULL);
        json_text(j, "confidence_basis", NULL);
    }
    json_box(j, "crop", (const int[4]){r->crop_x, r->crop_y, r->crop_width, r->crop_height});
    json_int(j, "depth", r->alpha.depth == MB_DEPTH_U16 ? 16 : 8);
}

/* One line for each picture, whatever became of it. Keys that would have no meaning are left out, so that
 * a reader sees by `status` which to expect. */
static void report_json(const job *job_, const batch *b)
{
    json j = {stdout, 0};
    json_begin(&j, NULL, '{');
    json_path(&j, "input", job_->it->path);
    if (job_->it->frame > 0) {
        json_int(&j, "frame", job_->it->frame);
        json_int(&j, "frames", job_->it->n_frames);
        json_real(&j, "duration_ms", job_->duration_ms);
    }
    json_text(&j, "status", state_names[job_->state]);
    json_begin(&j, "outputs", '{');
    /* An animation is there when its last frame is. */
    const int written = job_->state == JOB_DONE && (!job_->it->together || job_->it->frame == job_->it->n_frames);
    for (int k = 0; k < OUT_KINDS && written; k++) {
        if (job_->it->out[k] != NULL) {
            json_path(&j, out_kind_name((out_kind)k, b->a), job_->it->out[k]);
        }
    }
    json_end(&j, '}');
    if (job_->state == JOB_DONE) {
        json_text(&j, "model", b->model_path);
        json_text(&j, "detail", b->detail);
        json_text(&j, "device", mb_context_device(b->context));
        json_result(&j, job_);
    }
    json_begin(&j, "warnings", '[');
    if (job_->warning[0] != '\0') {
        json_text(&j, NULL, job_->warning);
    }
    json_end(&j, ']');
    if (job_->state == JOB_FAILED) {
        json_error(&j, job_);
    }
    json_end(&j, '}');
    json_line(&j);
}

/* Errors and warnings always, the line on a finished picture only with --verbose, the JSON line on stdout
 * beside them. */
void report_job(const job *j, const batch *b)
{
    if (j->state == JOB_FAILED) {
        if (!j->it->exists) {
            (void)report_missing(j->it->path, b->a);
        } else {
            const char *subject = strcmp(j->it->path, "-") == 0 ? "stdin" : j->it->path;
            (void)message_status(j->code, j->code == CODE_OUTPUT || j->code == CODE_SOME ? NULL : subject, &j->err);
        }
    } else if (j->warning[0] != '\0') {
        message_warning(j->it->path, j->warning);
    }
    if (j->state == JOB_DONE) {
        const mb_result *r = j->result;
        const char *out = NULL;
        for (int k = OUT_KINDS - 1; k >= 0; k--) {
            out = j->it->out[k] != NULL ? j->it->out[k] : out;
        }
        message_note("%s -> %s  %dx%d  decode %.0f, network %.0f, refine %.0f, compose %.0f, encode %.0f ms",
                     j->it->path, out, r->alpha.width, r->alpha.height, j->ms_decode, r->ms_network, r->ms_refine,
                     r->ms_compose, j->ms_encode);
    } else if (j->state == JOB_SKIPPED && j->warning[0] == '\0') {
        message_note("%s: skipped, its results exist", j->it->path);
    }
    if (b->a->json) {
        report_json(j, b);
    }
}

/* The last line for people and the last object for programs: counts that are 0 are left out of the line,
 * not out of the object. */
void report_summary(const batch *b, int code)
{
    double seconds = (clock_ms() - b->started_ms) / 1e3;
    long long peak = peak_bytes();
    if (b->a->json) {
        json j = {stdout, 0};
        json_begin(&j, NULL, '{');
        json_begin(&j, "summary", '{');
        json_int(&j, "processed", b->n_done);
        json_int(&j, "failed", b->n_failed);
        json_int(&j, "skipped", b->n_skipped);
        json_int(&j, "cancelled", b->n_cancelled);
        json_int(&j, "not_pictures", b->list->not_pictures);
        json_real(&j, "seconds", seconds);
        json_int(&j, "peak_bytes", peak);
        json_text(&j, "device", mb_context_device(b->context));
        json_text(&j, "device_note", mb_context_device_note(b->context));
        json_int(&j, "exit_code", code);
        json_end(&j, '}');
        json_end(&j, '}');
        json_line(&j);
    }
    /* "Processed 12 image(s), 1 failed, 3.4 s, peak memory 540 MB" */
    char text[256], size[32];
    int n = snprintf(text, sizeof text, "Processed %d image(s)", b->n_done);
    const struct {
        int n;
        const char *what;
    } parts[] = {{b->n_failed, "failed"},
                 {b->n_skipped, "skipped"},
                 {b->n_cancelled, "not done"},
                 {b->list->not_pictures, "files are not pictures"}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].n > 0 && n > 0 && (size_t)n < sizeof text) {
            n += snprintf(text + n, sizeof text - (size_t)n, ", %d %s", parts[i].n, parts[i].what);
        }
    }
    message_closing("%s, %.1f s, peak memory %s", text, seconds, format_bytes(size, sizeof size, (double)peak));
}
