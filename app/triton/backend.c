/* libtriton_mattebox.so: a backend of Triton Inference Server.
 *
 * A model of the repository is a network, a matting method and options (settings.c); its weights are opened once and shared
 * by all instances, each of which has a pipeline of its own. The server's dynamic batcher hands several requests over at
 * once: they run through the pipeline two at a time, so that a GPU works on the next photo while the CPU refines the last.
 * Inputs, one of them: `image` UINT8 [H,W,3] or [H,W,4], `file` BYTES (an encoded picture). Outputs, those that the
 * request asks for: `alpha` UINT8 [H,W], `cutout` UINT8 [H,W,4]. With max_batch_size a first dimension comes before all. */
#include "settings.h"
#include "triton_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct model_state {
    settings s;
    mb_context *context;
    mb_model *model, *matting;
} model_state;

typedef struct instance_state {
    model_state *m;
    mb_pipeline *pipeline;
    TRITONBACKEND_Request *current; /* whose picture is computed: asked whether it is still wanted */
} instance_state;

/* A request on its way. */
typedef struct work {
    TRITONBACKEND_Request *request;
    TRITONBACKEND_Response *response;
    int wants_alpha, wants_cutout;
    void *joined; /* the input, if it came in several pieces */
    const unsigned char *bytes;
    size_t n_bytes;
    int is_file, channels, width, height;
    int n;                         /* pictures in it */
    unsigned char *alpha, *cutout; /* the server's buffers, after the first picture of a file */
    TRITONSERVER_Error *error;     /* NULL: fine so far */
    uint64_t start_ns, end_ns;
    int done;
} work;

/* One picture of a request. */
typedef struct picture {
    work *w;
    int index;
    mb_image image;
    mb_pending *pending;
} picture;

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- errors */

static TRITONSERVER_Error_Code code_of(mb_status status)
{
    switch (status) {
    case MB_E_ARGUMENT:
    case MB_E_FORMAT:
    case MB_E_MISMATCH:
        return TRITONSERVER_ERROR_INVALID_ARG;
    case MB_E_UNSUPPORTED:
        return TRITONSERVER_ERROR_UNSUPPORTED;
    case MB_E_MEMORY:
    case MB_E_DEVICE:
        return TRITONSERVER_ERROR_UNAVAILABLE;
    case MB_E_IO:
        return TRITONSERVER_ERROR_NOT_FOUND;
    case MB_E_CANCELLED:
        return TRITONSERVER_ERROR_CANCELLED;
    default:
        return TRITONSERVER_ERROR_INTERNAL;
    }
}

static TRITONSERVER_Error *error_of(const mb_error *err)
{
    return TRITONSERVER_ErrorNew(code_of(err->code), err->message);
}

static TRITONSERVER_Error *refuse(const char *text)
{
    return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_INVALID_ARG, text);
}

/* Errors that change nothing. */
static void ignore(TRITONSERVER_Error *error)
{
    if (error != NULL) {
        TRITONSERVER_ErrorDelete(error);
    }
}

/* ---- models and instances */

TRITONSERVER_Error *TRITONBACKEND_Initialize(TRITONBACKEND_Backend *backend)
{
    uint32_t major = 0, minor = 0;
    (void)backend;
    TRITONSERVER_Error *error = TRITONBACKEND_ApiVersion(&major, &minor);
    if (error == NULL && (major != MB_TRITON_MAJOR || minor < MB_TRITON_MINOR)) {
        char text[120];
        (void)snprintf(text, sizeof text, "mattebox needs backend interface %d.%d or later; the server has %u.%u",
                       MB_TRITON_MAJOR, MB_TRITON_MINOR, major, minor);
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNSUPPORTED, text);
    }
    return error;
}

static void free_model(model_state *m)
{
    mb_model_free(m->matting);
    mb_model_free(m->model);
    mb_context_free(m->context);
    free(m);
}

static mb_status open_models(model_state *m, mb_error *err)
{
    const mb_options *o = &m->s.options;
    mb_status status = mb_context_create(&m->context, &m->s.context, err);
    if (status == MB_OK && o->segment != MB_SEGMENT_SALIENCY) {
        status = mb_model_open(&m->model, m->context, m->s.model[0] != '\0' ? m->s.model : "default", err);
    }
    if (status == MB_OK && o->process_detail && o->detail >= MB_DETAIL_VITMATTE) {
        const char *usual = o->detail == MB_DETAIL_VITMATTE_BASE ? "vitmatte-b" : "vitmatte-s";
        status = mb_model_open(&m->matting, m->context, m->s.matting[0] != '\0' ? m->s.matting : usual, err);
    }
    return status;
}

TRITONSERVER_Error *TRITONBACKEND_ModelInitialize(TRITONBACKEND_Model *model)
{
    TRITONSERVER_Message *message = NULL;
    const char *json = NULL;
    size_t bytes = 0;
    mb_error err = {0};
    model_state *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "out of memory");
    }
    TRITONSERVER_Error *error = TRITONBACKEND_ModelConfig(model, 1, &message);
    if (error == NULL) {
        error = TRITONSERVER_MessageSerializeToJson(message, &json, &bytes);
    }
    if (error == NULL && (settings_read(&m->s, json, bytes, &err) != MB_OK || open_models(m, &err) != MB_OK)) {
        error = error_of(&err);
    }
    if (message != NULL) {
        ignore(TRITONSERVER_MessageDelete(message));
    }
    if (error == NULL) {
        error = TRITONBACKEND_ModelSetState(model, m);
    }
    if (error != NULL) {
        free_model(m);
    }
    return error;
}

TRITONSERVER_Error *TRITONBACKEND_ModelFinalize(TRITONBACKEND_Model *model)
{
    void *state = NULL;
    TRITONSERVER_Error *error = TRITONBACKEND_ModelState(model, &state);
    if (state != NULL) {
        free_model(state);
    }
    return error;
}

/* Ten times a second and more often: a request that was given up stops its computing. */
static int on_progress(void *user, const mb_progress *progress)
{
    const instance_state *i = user;
    bool cancelled = false;
    (void)progress;
    if (i->current != NULL) {
        ignore(TRITONBACKEND_RequestIsCancelled(i->current, &cancelled));
    }
    return cancelled;
}

TRITONSERVER_Error *TRITONBACKEND_ModelInstanceInitialize(TRITONBACKEND_ModelInstance *instance)
{
    TRITONBACKEND_Model *model = NULL;
    void *state = NULL;
    mb_error err = {0};
    TRITONSERVER_Error *error = TRITONBACKEND_ModelInstanceModel(instance, &model);
    if (error == NULL) {
        error = TRITONBACKEND_ModelState(model, &state);
    }
    if (error != NULL) {
        return error;
    }
    model_state *m = state;
    instance_state *i = calloc(1, sizeof *i);
    if (i == NULL) {
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "out of memory");
    }
    i->m = m;
    if (mb_pipeline_create(&i->pipeline, m->context, m->model, m->matting, &m->s.options, &err) != MB_OK) {
        free(i);
        return error_of(&err);
    }
    mb_pipeline_set_progress(i->pipeline, on_progress, i);
    error = TRITONBACKEND_ModelInstanceSetState(instance, i);
    if (error != NULL) {
        mb_pipeline_free(i->pipeline);
        free(i);
    }
    return error;
}

TRITONSERVER_Error *TRITONBACKEND_ModelInstanceFinalize(TRITONBACKEND_ModelInstance *instance)
{
    void *state = NULL;
    TRITONSERVER_Error *error = TRITONBACKEND_ModelInstanceState(instance, &state);
    if (state != NULL) {
        instance_state *i = state;
        mb_pipeline_free(i->pipeline);
        free(i);
    }
    return error;
}

/* ---- inputs */

/* The bytes of an input: where they lie, if in one piece, else joined. */
static TRITONSERVER_Error *input_bytes(work *w, TRITONBACKEND_Input *input, uint64_t bytes, uint32_t n_buffers)
{
    size_t at = 0;
    if (n_buffers != 1 && (w->joined = malloc(bytes > 0 ? bytes : 1)) == NULL) {
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "out of memory");
    }
    for (uint32_t k = 0; k < n_buffers; k++) {
        const void *piece = NULL;
        uint64_t n = 0;
        TRITONSERVER_MemoryType memory = TRITONSERVER_MEMORY_CPU;
        int64_t memory_id = 0;
        TRITONSERVER_Error *error = TRITONBACKEND_InputBuffer(input, k, &piece, &n, &memory, &memory_id);
        if (error != NULL) {
            return error;
        }
        if (memory == TRITONSERVER_MEMORY_GPU || n > bytes - at) {
            return refuse("mattebox takes inputs in the CPU's memory");
        }
        if (n_buffers == 1) {
            w->bytes = piece;
        } else {
            memcpy((unsigned char *)w->joined + at, piece, n);
            w->bytes = w->joined;
        }
        at += n;
    }
    w->n_bytes = at;
    return at == bytes ? NULL : refuse("the input is shorter than its shape says");
}

/* `image`: [N,]H,W,C. */
static TRITONSERVER_Error *read_shape(work *w, const model_state *m, const int64_t *shape, uint32_t n_dims)
{
    const uint32_t first = m->s.has_batch ? 1 : 0;
    if (n_dims != 3 + first) {
        return refuse("image: a tensor [H,W,3] or [H,W,4] of UINT8, with a dimension for the batch before it");
    }
    int64_t n = first ? shape[0] : 1, height = shape[first], width = shape[first + 1], channels = shape[first + 2];
    if (n < 1 || n > 65536 || height < 1 || width < 1 || height > 65535 || width > 65535 ||
        (channels != 3 && channels != 4)) {
        return refuse("image: 1 to 65535 rows and columns, and 3 (RGB) or 4 (RGBA) channels");
    }
    if ((uint64_t)(n * channels) * (uint64_t)(height * width) != w->n_bytes) {
        return refuse("image: its bytes do not fit its shape");
    }
    w->n = (int)n;
    w->height = (int)height;
    w->width = (int)width;
    w->channels = (int)channels;
    return NULL;
}

static TRITONSERVER_Error *read_request(work *w, const model_state *m)
{
    TRITONBACKEND_Input *input = NULL;
    TRITONSERVER_DataType type = TRITONSERVER_TYPE_INVALID;
    const int64_t *shape = NULL;
    uint32_t n_dims = 0, n_buffers = 0, n_outputs = 0;
    uint64_t bytes = 0;
    TRITONSERVER_Error *error = TRITONBACKEND_RequestInput(w->request, "image", &input);
    if (error != NULL) {
        ignore(error);
        error = TRITONBACKEND_RequestInput(w->request, "file", &input);
        w->is_file = 1;
    }
    if (error == NULL) {
        error = TRITONBACKEND_InputProperties(input, NULL, &type, &shape, &n_dims, &bytes, &n_buffers);
    }
    if (error == NULL && type != (w->is_file ? TRITONSERVER_TYPE_BYTES : TRITONSERVER_TYPE_UINT8)) {
        error = refuse(w->is_file ? "file: an element of BYTES" : "image: elements of UINT8");
    }
    error = error == NULL ? input_bytes(w, input, bytes, n_buffers) : error;
    if (error == NULL && !w->is_file) {
        error = read_shape(w, m, shape, n_dims);
    } else if (error == NULL) { /* one element: its length in 4 bytes, little-endian, then itself */
        w->n = 1;
        uint32_t length = 0;
        for (int k = 0; k < 4 && w->n_bytes >= 4; k++) {
            length |= (uint32_t)w->bytes[k] << 8 * k;
        }
        if (w->n_bytes < 4 || length != w->n_bytes - 4) {
            error = refuse("file: one element, an encoded picture, in each request");
        }
    }
    error = error == NULL ? TRITONBACKEND_RequestOutputCount(w->request, &n_outputs) : error;
    for (uint32_t k = 0; error == NULL && k < n_outputs; k++) {
        const char *name = "";
        error = TRITONBACKEND_RequestOutputName(w->request, k, &name);
        w->wants_alpha |= strcmp(name, "alpha") == 0;
        w->wants_cutout |= strcmp(name, "cutout") == 0;
    }
    return error;
}

/* ---- outputs */

static TRITONSERVER_Error *open_output(unsigned char **out, const work *w, const model_state *m, const char *name,
                                       int channels)
{
    int64_t shape[4];
    uint32_t n = 0;
    void *buffer = NULL;
    TRITONBACKEND_Output *output = NULL;
    TRITONSERVER_MemoryType memory = TRITONSERVER_MEMORY_CPU;
    int64_t memory_id = 0;
    if (m->s.has_batch) {
        shape[n++] = w->n;
    }
    shape[n++] = w->height;
    shape[n++] = w->width;
    if (channels > 1) {
        shape[n++] = channels;
    }
    const uint64_t bytes = (uint64_t)w->n * (uint64_t)w->height * (uint64_t)w->width * (uint64_t)channels;
    TRITONSERVER_Error *error =
        TRITONBACKEND_ResponseOutput(w->response, &output, name, TRITONSERVER_TYPE_UINT8, shape, n);
    if (error == NULL) {
        error = TRITONBACKEND_OutputBuffer(output, &buffer, bytes, &memory, &memory_id);
    }
    if (error == NULL && memory == TRITONSERVER_MEMORY_GPU) {
        error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNSUPPORTED, "mattebox writes outputs to the CPU's memory");
    }
    *out = buffer;
    return error;
}

/* One picture's results, straight into the server's buffers. */
static TRITONSERVER_Error *write_result(picture *p, const model_state *m, const mb_result *result)
{
    work *w = p->w;
    mb_error err = {0};
    TRITONSERVER_Error *error = NULL;
    if (result->alpha.width != w->width || result->alpha.height != w->height) { /* crop: one picture for each request */
        if (w->n > 1) {
            return refuse("with crop, one picture for each request");
        }
        w->width = result->alpha.width;
        w->height = result->alpha.height;
    }
    if (p->index == 0 && w->wants_alpha) {
        error = open_output(&w->alpha, w, m, "alpha", 1);
    }
    if (error == NULL && p->index == 0 && w->wants_cutout) {
        error = open_output(&w->cutout, w, m, "cutout", 4);
    }
    const size_t n = (size_t)w->width * (size_t)w->height, at = (size_t)p->index * n;
    if (error == NULL && w->alpha != NULL) {
        const mb_image to = {.data = w->alpha + at, .width = w->width, .height = w->height, .pixels = MB_PIXELS_GRAY};
        error = mb_image_convert(&to, &result->alpha, &err) != MB_OK ? error_of(&err) : NULL;
    }
    if (error == NULL && w->cutout != NULL) {
        const mb_image to = {
            .data = w->cutout + 4 * at, .width = w->width, .height = w->height, .pixels = MB_PIXELS_RGBA};
        error = mb_image_convert(&to, &result->cutout, &err) != MB_OK ? error_of(&err) : NULL;
    }
    return error;
}

/* ---- the work */

static void start_picture(picture *p, instance_state *i)
{
    work *w = p->w;
    mb_error err = {0};
    mb_status status = MB_OK;
    if (w->error != NULL) {
        return;
    }
    if (w->is_file) {
        mb_load_options o;
        mb_load_options_init(&o);
        o.keep_alpha = 1;
        status = mb_image_load_memory(&p->image, NULL, w->bytes + 4, w->n_bytes - 4, &o, &err);
        w->width = p->image.width;
        w->height = p->image.height;
    } else {
        const size_t bytes = (size_t)w->width * (size_t)w->height * (size_t)w->channels;
        /* Read only: the library does not write to its input. */
        p->image = (mb_image){.data = (unsigned char *)(size_t)(w->bytes + (size_t)p->index * bytes),
                              .width = w->width,
                              .height = w->height,
                              .pixels = w->channels == 4 ? MB_PIXELS_RGBA : MB_PIXELS_RGB};
    }
    i->current = w->request;
    status = status == MB_OK ? mb_pipeline_start(&p->pending, i->pipeline, &p->image, &err) : status;
    if (status != MB_OK) {
        w->error = error_of(&err);
    }
}

static void finish_picture(picture *p, instance_state *i)
{
    work *w = p->w;
    mb_error err = {0};
    mb_result *result = NULL;
    if (p->pending != NULL && w->error != NULL) { /* an earlier picture of the request failed */
        mb_pending_free(p->pending);
    } else if (p->pending != NULL) {
        i->current = w->request;
        if (mb_pipeline_finish(&result, p->pending, &err) != MB_OK) {
            w->error = error_of(&err);
        } else {
            w->error = write_result(p, i->m, result);
        }
        mb_result_free(result);
    }
    p->pending = NULL;
    mb_image_dispose(&p->image);
    w->end_ns = now_ns();
}

/* The answer goes out as soon as the last picture of the request is there; the batch goes on. */
static void send(work *w, TRITONBACKEND_ModelInstance *instance, uint64_t compute_start)
{
    const bool good = w->error == NULL;
    if (w->response != NULL) {
        ignore(TRITONBACKEND_ResponseSend(w->response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, w->error));
    }
    ignore(w->error);
    ignore(TRITONBACKEND_ModelInstanceReportStatistics(instance, w->request, good, w->start_ns, compute_start,
                                                       w->end_ns, now_ns()));
    ignore(TRITONBACKEND_RequestRelease(w->request, TRITONSERVER_REQUEST_RELEASE_ALL));
    free(w->joined);
    w->done = 1;
}

/* All pictures of all requests, two in hand. */
static void run_pictures(picture *p, size_t n, instance_state *i, TRITONBACKEND_ModelInstance *instance, uint64_t start)
{
    for (size_t k = 0; k < n + 1; k++) {
        if (k < n) {
            start_picture(&p[k], i);
        }
        if (k > 0) {
            finish_picture(&p[k - 1], i);
            if (p[k - 1].index == p[k - 1].w->n - 1) {
                send(p[k - 1].w, instance, start);
            }
        }
    }
    i->current = NULL;
}

TRITONSERVER_Error *TRITONBACKEND_ModelInstanceExecute(TRITONBACKEND_ModelInstance *instance,
                                                       TRITONBACKEND_Request **requests, uint32_t n_requests)
{
    void *state = NULL;
    TRITONSERVER_Error *error = TRITONBACKEND_ModelInstanceState(instance, &state);
    if (error != NULL) {
        return error;
    }
    instance_state *i = state;
    const uint64_t start = now_ns();
    size_t n_pictures = 0;
    work *works = calloc(n_requests > 0 ? n_requests : 1, sizeof *works);
    if (works == NULL) {
        return TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "out of memory"); /* the server answers them */
    }
    for (uint32_t k = 0; k < n_requests; k++) {
        work *w = &works[k];
        w->request = requests[k];
        w->start_ns = w->end_ns = start;
        w->error = TRITONBACKEND_ResponseNew(&w->response, requests[k]);
        w->error = w->error == NULL ? read_request(w, i->m) : w->error;
        n_pictures += w->error == NULL ? (size_t)w->n : 0;
    }
    picture *pictures = calloc(n_pictures > 0 ? n_pictures : 1, sizeof *pictures);
    size_t n = 0;
    for (uint32_t k = 0; k < n_requests; k++) {
        for (int index = 0; pictures != NULL && works[k].error == NULL && index < works[k].n; index++) {
            pictures[n++] = (picture){.w = &works[k], .index = index};
        }
        if (pictures == NULL && works[k].error == NULL) {
            works[k].error = TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_UNAVAILABLE, "out of memory");
        }
    }
    const uint64_t compute_start = now_ns();
    run_pictures(pictures, n, i, instance, compute_start);
    const uint64_t compute_end = now_ns();
    for (uint32_t k = 0; k < n_requests; k++) { /* those that could not be read */
        if (!works[k].done) {
            send(&works[k], instance, compute_start);
        }
    }
    ignore(TRITONBACKEND_ModelInstanceReportBatchStatistics(instance, n > 0 ? n : 1, start, compute_start, compute_end,
                                                            now_ns()));
    free(pictures);
    free(works);
    return NULL;
}
