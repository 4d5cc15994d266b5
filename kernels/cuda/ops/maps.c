/* Ops on maps alone: no weights to prepare, one launch each (cuda/<op>.cu). */
#include "cuda/ops/host.h"

static bool same_type(const mb_call *c)
{
    for (int i = 0; i < c->n_in; i++) {
        bool constant = c->constants >> i & 1u; /* prepare rounds it */
        if (mb_view_present(&c->in[i]) && !constant && c->in[i].dtype != c->out.dtype) {
            return false;
        }
    }
    return mb_cuda_fits(c, c->constants & 1u);
}

/* Some inputs may be f32 among 16-bit ones. */
static bool mixed_types(const mb_call *c)
{
    return mb_cuda_fits(c, true);
}
static bool supports_scale_by_map(const mb_call *c)
{
    return mb_cuda_fits(c, false);
}

static mb_status done(const mb_call *c, int code, const char *what, mb_error *err)
{
    return mb_cuda_launched(mb_cuda_of(c), code, what, err);
}

static mb_status run_unary(const mb_call *c, mb_error *err)
{
    const mb_unary_attrs *a = c->attrs;
    mb_view x = mb_cuda_input(c, 0);
    return done(c, mb_cuda_launch_unary(&c->out, &x, (int)a->act, mb_cuda_of(c)->compute), "unary", err);
}
const mb_kernel mb_cuda_unary = {
    .name = "own", .supports = same_type, .prepare = mb_cuda_prepare_maps, .run = run_unary, .in_place_input = 1 + 0};

static mb_status run_add(const mb_call *c, mb_error *err)
{
    mb_view a = mb_cuda_input(c, 0), b = mb_cuda_input(c, 1);
    return done(c, mb_cuda_launch_add(&c->out, &a, &b, mb_cuda_of(c)->compute), "add", err);
}
const mb_kernel mb_cuda_add = {
    .name = "own", .supports = same_type, .prepare = mb_cuda_prepare_maps, .run = run_add, .in_place_input = 1 + 0};

static mb_status run_scale_by_map(const mb_call *c, mb_error *err)
{
    mb_view x = mb_cuda_input(c, 0), map = mb_cuda_input(c, 1);
    return done(c, mb_cuda_launch_scale_by_map(&c->out, &x, &map, mb_cuda_of(c)->compute), "scale_by_map", err);
}
const mb_kernel mb_cuda_scale_by_map = {.name = "own",
                                        .supports = supports_scale_by_map,
                                        .prepare = mb_cuda_prepare_maps,
                                        .run = run_scale_by_map,
                                        .in_place_input = 1 + 0};

static mb_status run_concat(const mb_call *c, mb_error *err)
{
    int code = 0;
    mb_view slice = c->out;
    for (int i = 0; i < c->n_in && code == 0; i++) {
        mb_view x = mb_cuda_input(c, i);
        slice.dims[1] = x.dims[1];
        code = mb_cuda_launch_copy(&slice, &x, mb_cuda_of(c)->compute);
        slice.data = (unsigned char *)slice.data + (size_t)x.dims[1] * mb_dtype_size(slice.dtype);
    }
    return done(c, code, "concat", err);
}
const mb_kernel mb_cuda_concat = {
    .name = "own", .supports = mixed_types, .prepare = mb_cuda_prepare_maps, .run = run_concat};

static mb_status run_patch_merge(const mb_call *c, mb_error *err)
{
    mb_view x = mb_cuda_input(c, 0);
    return done(c, mb_cuda_launch_patch_merge(&c->out, &x, mb_cuda_of(c)->compute), "patch_merge", err);
}
const mb_kernel mb_cuda_patch_merge = {
    .name = "own", .supports = same_type, .prepare = mb_cuda_prepare_maps, .run = run_patch_merge};

static mb_status run_image_to_tiles(const mb_call *c, mb_error *err)
{
    mb_view x = mb_cuda_input(c, 0);
    return done(c, mb_cuda_launch_image_to_tiles(&c->out, &x, mb_cuda_of(c)->compute), "image_to_tiles", err);
}
const mb_kernel mb_cuda_image_to_tiles = {
    .name = "own", .supports = same_type, .prepare = mb_cuda_prepare_maps, .run = run_image_to_tiles};

static mb_status run_resize_bilinear(const mb_call *c, mb_error *err)
{
    const mb_resize_attrs *a = c->attrs;
    mb_view x = mb_cuda_input(c, 0), addend = mb_cuda_input(c, 1);
    return done(c, mb_cuda_launch_resize_bilinear(&c->out, &x, &addend, a->align_corners, mb_cuda_of(c)->compute),
                "resize_bilinear", err);
}
const mb_kernel mb_cuda_resize_bilinear = {.name = "own",
                                           .supports = same_type,
                                           .prepare = mb_cuda_prepare_maps,
                                           .run = run_resize_bilinear,
                                           .in_place_input = 1 + 1};

static bool supports_global_mean(const mb_call *c)
{
    return same_type(c) && c->in[0].dims[0] <= 65535; /* items are the third axis of the grid */
}
static size_t workspace_global_mean(const mb_call *c)
{
    return sizeof(float) * MB_CUDA_MEAN_SLICES * (size_t)(c->in[0].dims[0] * c->in[0].dims[1]);
}
static mb_status run_global_mean(const mb_call *c, mb_error *err)
{
    mb_view x = mb_cuda_input(c, 0);
    return done(c, mb_cuda_launch_global_mean(&c->out, &x, c->workspace, mb_cuda_of(c)->compute), "global_mean", err);
}
const mb_kernel mb_cuda_global_mean = {.name = "own",
                                       .supports = supports_global_mean,
                                       .prepare = mb_cuda_prepare_maps,
                                       .workspace = workspace_global_mean,
                                       .run = run_global_mean};
