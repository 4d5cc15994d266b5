/* What a run will hold, before any work, and the refusal of what does not fit (mb_pipeline_check_memory):
 *
 *   weights and arenas of the networks       from their plans, exact (none is built for it, see mb_runner_stats)
 *   the caller's pictures, the photo in RGB  bytes of their pixels
 *   finding, refining, composing             the most of what each stage has beside those: they follow each other
 *
 * The stages' own ..._bytes follow what their code allocates; tests/fault/memory_plan.c holds the sums against the heap. The
 * refusal names what would fit instead (suggest). */
#include "core/alloc.h"
#include "core/sized.h"
#include "image/convert.h"
#include "pipeline/compose_stage.h"
#include "pipeline/pipeline.h"
#include "pipeline/segment_stage.h"

#include <stdio.h>
#include <string.h>

#define FIXED       ((double)(3 << 20)) /* tables, trees of components, rows in hand */
#define EACH_WORKER ((double)(1 << 19)) /* scratch: tiles and rows */
#define HOLES       1.1                 /* between blocks: what the heap holds beyond them */

/* The options' size, or the one that the model recommends. */
int mb_pipeline_input_width(const mb_pipeline *p)
{
    return p->options.input_width > 0 ? p->options.input_width : p->model->info.input_width;
}

int mb_pipeline_input_height(const mb_pipeline *p)
{
    return p->options.input_height > 0 ? p->options.input_height : p->model->info.input_height;
}

/* The mask network's stats: the same for every photo, so they are worked out once. */
static mb_status network_stats(mb_pipeline *p, mb_error *err)
{
    if (p->stats_known || p->network == NULL) {
        return MB_OK;
    }
    p->stats = (mb_plan_info){.size = sizeof p->stats};
    mb_status status =
        mb_network_plan(&p->stats, p->network, 1, mb_pipeline_input_height(p), mb_pipeline_input_width(p), err);
    p->stats_known = status == MB_OK;
    return status;
}

/* Pictures that a run is given, and what it makes of them. */
typedef struct pictures {
    int width, height;
    int depth;      /* of the results: 8 or 16 */
    double callers; /* bytes of the caller's own: photo, and mask or trimap */
    bool own_alpha; /* the photo's, which is kept */
    bool given;     /* a mask or trimap of the caller's */
    bool deep_mask; /* the mask is kept in f32 as well */
} pictures;

/* A photo that is not there yet: 8 bits, RGB. */
static pictures expected(const mb_options *o, int width, int height)
{
    const int depth = o->depth == 16 ? 16 : 8;
    return (pictures){.width = width,
                      .height = height,
                      .depth = depth,
                      .callers = 3.0 * width * height,
                      .deep_mask = depth == 16 && mb_segment_keeps_f32(o)};
}

static pictures of_request(const mb_options *o, const mb_image *photo, const mb_image *given)
{
    const bool alpha = photo->pixels == MB_PIXELS_RGBA || photo->pixels == MB_PIXELS_BGRA;
    const int depth = mb_compose_stage_depth(o, photo);
    return (pictures){.width = photo->width,
                      .height = photo->height,
                      .depth = depth,
                      .callers = mb_image_bytes(photo) + (given != NULL ? mb_image_bytes(given) : 0),
                      .own_alpha = alpha && o->input_alpha == MB_INPUT_ALPHA_KEEP,
                      .given = given != NULL,
                      .deep_mask = depth == 16 && (given == NULL ? mb_segment_keeps_f32(o)
                                                                 : given->depth != MB_DEPTH_U8 && !o->grabcut)};
}

/* A network runs in such a run, or is held from an earlier one. */
static bool counts_network(const mb_pipeline *p, const mb_options *o, const pictures *s)
{
    const bool runs = !s->given && o->segment != MB_SEGMENT_SALIENCY;
    return p->network != NULL && (runs || p->network->plan != NULL);
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Bytes of pictures alive at once; *beside_refine: those that are there while the mask is refined. */
static mb_status picture_bytes(size_t *out, double *beside_refine, const mb_pipeline *p, const mb_options *o,
                               const pictures *s, mb_error *err)
{
    const int width = s->width, height = s->height;
    const double pixels = (double)width * (double)height, plane = pixels * sizeof(float);
    const bool fine = s->depth == 16;
    if (width < 1 || height < 1) {
        return mb_fail(err, MB_E_ARGUMENT, "a picture of %d x %d pixels", width, height);
    }
    const double always = s->callers + (s->own_alpha ? 4 : 3) * pixels;
    const double scratch = FIXED + EACH_WORKER * p->context->threads;
    const double mask = pixels + (s->deep_mask ? plane : 0);
    const double read = s->given ? (s->deep_mask ? 0 : plane) : 0; /* the caller's mask on its way to 8 bits */
    const double finding =
        o->segment == MB_SEGMENT_NETWORK && !o->grabcut ? 0 : mb_segment_bytes(o, width, height, p->context->threads);
    const double refined = mb_matte_result_bytes(o, width, height, fine);
    double most = larger(read, finding);
    most = larger(most, refined + mb_matte_stage_scratch(o, width, height, fine));
    most = larger(most, refined + mb_compose_stage_bytes(o, s->depth, width, height));
    const double all = HOLES * (always + mask + most) + scratch;
    if (!(all < 0.5 * (double)SIZE_MAX)) {
        return mb_fail(err, MB_E_MEMORY, "a picture of %d x %d pixels exceeds the address space", width, height);
    }
    *out = (size_t)all;
    *beside_refine = HOLES * (always + mask + refined) + scratch;
    return MB_OK;
}

/* What a run with these options takes: the pipeline's own, or others with the same size of the mask network. */
static mb_status plan(mb_plan_info *out, double *beside_refine, mb_pipeline *p, const mb_options *o, const pictures *s,
                      mb_error *err)
{
    mb_status status = MB_OK;
    mb_plan_stats matting;
    *out = (mb_plan_info){.size = sizeof *out};
    if (counts_network(p, o, s)) {
        MB_TRY(network_stats(p, err));
        *out = p->stats;
    }
    MB_TRY(picture_bytes(&out->picture_bytes, beside_refine, p, o, s, err));
    MB_TRY(mb_matte_stage_stats(&matting, &p->matte, o, s->width, s->height, err));
    out->n_nodes += matting.n_nodes;
    out->macs += matting.macs;
    out->weight_bytes += matting.weight_bytes;
    out->arena_bytes += matting.arena_bytes;
    out->lower_bound = out->lower_bound > matting.lower_bound ? out->lower_bound : matting.lower_bound;
    out->total_bytes = out->weight_bytes + out->arena_bytes + out->picture_bytes;
    *beside_refine += (double)(out->weight_bytes + out->arena_bytes);
done:
    return status;
}

/* Photos of 16 bits are not known yet: planned as 8 unless the options ask for 16. */
mb_status mb_pipeline_plan(mb_plan_info *out, mb_pipeline *pipeline, int width, int height, mb_error *err)
{
    mb_plan_info info;
    double beside_refine;
    mb_status status = mb_check_sized(out, "mb_plan_info", err);
    if (status == MB_OK) {
        const pictures s = expected(&pipeline->options, width, height);
        status = plan(&info, &beside_refine, pipeline, &pipeline->options, &s, err);
    }
    if (status == MB_OK) {
        mb_return_sized(out, &info, sizeof info);
    }
    return status;
}

/* What would fit: options that make the plan smaller, each with what it then takes. */
static void suggest(char *text, size_t bytes, mb_pipeline *p, const pictures *s, size_t limit)
{
    const mb_options *o = &p->options;
    mb_options smaller = *o, guided = *o, plain = *o;
    smaller.max_megapixels = 1.0;
    guided.detail = MB_DETAIL_GUIDED;
    plain.foreground = MB_FOREGROUND_NONE;
    const struct {
        const char *option;
        const mb_options *o;
        bool differs;
    } rows[] = {{"max_megapixels=1", &smaller, mb_matte_needs_network(o) && o->max_megapixels > 1.0},
                {"detail=guided", &guided, mb_matte_stage_needed(o) && o->detail != MB_DETAIL_GUIDED},
                {"foreground=none", &plain, o->want_cutout && o->foreground != MB_FOREGROUND_NONE}};
    text[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mb_plan_info info;
        double beside_refine;
        bool fits =
            rows[i].differs && plan(&info, &beside_refine, p, rows[i].o, s, NULL) == MB_OK && info.total_bytes <= limit;
        size_t at = strlen(text);
        if (fits && at < bytes) {
            (void)snprintf(text + at, bytes - at, "%s (%.2f GB), or ", rows[i].option, (double)info.total_bytes * 1e-9);
        }
    }
}

/* Against the caller's limit, or against what the machine has free now plus what is there already: the caller's pictures,
 * and what this pipeline holds. A device checks its own memory when a plan is made ready. */
mb_status mb_pipeline_check_memory(mb_run_memory *out, mb_pipeline *p, const mb_image *photo, const mb_image *given,
                                   mb_error *err)
{
    mb_plan_info info;
    double beside_refine;
    const pictures s = of_request(&p->options, photo, given);
    mb_status status = plan(&info, &beside_refine, p, &p->options, &s, err);
    if (status != MB_OK) {
        return status;
    }
    /* Without a limit of the caller's the device's own memory is the device's affair; pictures are the host's. */
    if (p->backend.memory != NULL && p->context->options.max_memory == 0) {
        beside_refine -= (double)(info.weight_bytes + info.arena_bytes);
        info.weight_bytes = info.arena_bytes = 0; /* on the device, which looks after its own memory */
        info.total_bytes = info.picture_bytes;
    }
    *out = (mb_run_memory){info.total_bytes, (size_t)beside_refine};
    size_t limit = p->context->options.max_memory;
    if (limit == 0) {
        /* What earlier runs of this pipeline hold is not free any more, but will be used again. */
        limit = mb_memory_limit(p->context);
        size_t again = (size_t)s.callers + (p->n_pending > 1 ? 0 : p->held_bytes);
        limit = limit > 0 && !mb_add_size(&limit, limit, again) ? SIZE_MAX : limit;
    }
    if (limit > 0 && info.total_bytes > limit) {
        double need = (double)info.total_bytes, unit = need < 1e9 ? 1e6 : 1e9;
        char hint[200];
        suggest(hint, sizeof hint, p, &s, limit);
        const char *name = need < 1e9 ? "MB" : "GB";
        return mb_fail(
            err, MB_E_MEMORY,
            "this needs %.1f %s (networks %.1f, weights %.1f, pictures and refinement %.1f), %.1f %s %s\n%sa smaller "
            "input size or picture, or a larger max_memory",
            need / unit, name, (double)info.arena_bytes / unit, (double)info.weight_bytes / unit,
            (double)info.picture_bytes / unit, (double)limit / unit, name,
            p->context->options.max_memory > 0 ? "are allowed" : "are free", hint);
    }
    return MB_OK;
}
