/* The backend of Triton, loaded as the server loads it: this program has the server's functions and plays its part. The real
 * server is outside CI: app/triton/try.sh. */
#include "harness/check.h"
#include "harness/process.h"

#include "../app/triton/triton_api.h"

#include <mattebox.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the server's side, as far as the backend sees it */

struct TRITONSERVER_Error {
    TRITONSERVER_Error_Code code;
    char text[600];
};
struct TRITONSERVER_Message {
    const char *json;
};
struct TRITONBACKEND_Model {
    const char *config;
    void *state;
};
struct TRITONBACKEND_ModelInstance {
    TRITONBACKEND_Model *model;
    void *state;
};
struct TRITONBACKEND_Input {
    const char *name;
    TRITONSERVER_DataType type;
    int64_t shape[4];
    uint32_t n_dims, n_buffers;
    const unsigned char *bytes;
    size_t n_bytes;
};
struct TRITONBACKEND_Output {
    char name[16];
    int64_t shape[4];
    uint32_t n_dims;
    unsigned char *bytes;
    size_t n_bytes;
};
struct TRITONBACKEND_Response {
    TRITONBACKEND_Request *request;
};
struct TRITONBACKEND_Request {
    TRITONBACKEND_Input input;
    const char *outputs[2];
    uint32_t n_outputs;
    int cancel_after; /* asked so many times, it is cancelled; 0: never */
    int n_asked;
    /* what came back */
    TRITONBACKEND_Response response;
    TRITONBACKEND_Output results[2];
    int n_results, n_sent, n_released, good;
    TRITONSERVER_Error_Code code;
    char text[600];
};

#define EXPORT __attribute__((visibility("default")))
static int n_errors; /* alive */
static uint32_t minor_version = 19;

EXPORT TRITONSERVER_Error *TRITONSERVER_ErrorNew(TRITONSERVER_Error_Code code, const char *message)
{
    TRITONSERVER_Error *e = calloc(1, sizeof *e);
    e->code = code;
    (void)snprintf(e->text, sizeof e->text, "%s", message);
    n_errors++;
    return e;
}

EXPORT void TRITONSERVER_ErrorDelete(TRITONSERVER_Error *error)
{
    n_errors--;
    free(error);
}

EXPORT TRITONSERVER_Error *TRITONSERVER_MessageSerializeToJson(TRITONSERVER_Message *message, const char **base,
                                                               size_t *bytes)
{
    *base = message->json;
    *bytes = strlen(message->json);
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONSERVER_MessageDelete(TRITONSERVER_Message *message)
{
    free(message);
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ApiVersion(uint32_t *major, uint32_t *minor)
{
    *major = 1;
    *minor = minor_version;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelConfig(TRITONBACKEND_Model *model, uint32_t version,
                                                     TRITONSERVER_Message **config)
{
    (void)version;
    *config = calloc(1, sizeof **config);
    (*config)->json = model->config;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelState(TRITONBACKEND_Model *model, void **state)
{
    *state = model->state;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelSetState(TRITONBACKEND_Model *model, void *state)
{
    model->state = state;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceModel(TRITONBACKEND_ModelInstance *instance,
                                                            TRITONBACKEND_Model **model)
{
    *model = instance->model;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceState(TRITONBACKEND_ModelInstance *instance, void **state)
{
    *state = instance->state;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceSetState(TRITONBACKEND_ModelInstance *instance, void *state)
{
    instance->state = state;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceReportStatistics(TRITONBACKEND_ModelInstance *instance,
                                                                       TRITONBACKEND_Request *request, bool success,
                                                                       uint64_t exec_start_ns,
                                                                       uint64_t compute_start_ns,
                                                                       uint64_t compute_end_ns, uint64_t exec_end_ns)
{
    (void)instance;
    request->good = success;
    CHECK(exec_start_ns <= compute_start_ns && compute_end_ns <= exec_end_ns && request->n_released == 0);
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ModelInstanceReportBatchStatistics(TRITONBACKEND_ModelInstance *instance,
                                                                            uint64_t batch_size, uint64_t exec_start_ns,
                                                                            uint64_t compute_start_ns,
                                                                            uint64_t compute_end_ns,
                                                                            uint64_t exec_end_ns)
{
    (void)instance;
    (void)batch_size;
    CHECK(exec_start_ns <= compute_start_ns && compute_start_ns <= compute_end_ns && compute_end_ns <= exec_end_ns);
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_RequestInput(TRITONBACKEND_Request *request, const char *name,
                                                      TRITONBACKEND_Input **input)
{
    *input = &request->input;
    return strcmp(request->input.name, name) == 0
               ? NULL
               : TRITONSERVER_ErrorNew(TRITONSERVER_ERROR_NOT_FOUND, "no such input");
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_RequestOutputCount(TRITONBACKEND_Request *request, uint32_t *count)
{
    *count = request->n_outputs;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_RequestOutputName(TRITONBACKEND_Request *request, uint32_t index,
                                                           const char **name)
{
    *name = request->outputs[index];
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_RequestIsCancelled(TRITONBACKEND_Request *request, bool *is_cancelled)
{
    request->n_asked++;
    *is_cancelled = request->cancel_after > 0 && request->n_asked >= request->cancel_after;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_RequestRelease(TRITONBACKEND_Request *request, uint32_t flags)
{
    CHECK(flags == TRITONSERVER_REQUEST_RELEASE_ALL);
    request->n_released++;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_InputProperties(TRITONBACKEND_Input *input, const char **name,
                                                         TRITONSERVER_DataType *datatype, const int64_t **shape,
                                                         uint32_t *n_dims, uint64_t *bytes, uint32_t *n_buffers)
{
    if (name != NULL) {
        *name = input->name;
    }
    *datatype = input->type;
    *shape = input->shape;
    *n_dims = input->n_dims;
    *bytes = input->n_bytes;
    *n_buffers = input->n_buffers;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_InputBuffer(TRITONBACKEND_Input *input, uint32_t index, const void **buffer,
                                                     uint64_t *bytes, TRITONSERVER_MemoryType *memory,
                                                     int64_t *memory_id)
{
    size_t from = input->n_bytes * index / input->n_buffers, to = input->n_bytes * (index + 1) / input->n_buffers;
    *buffer = input->bytes + from;
    *bytes = to - from;
    *memory = TRITONSERVER_MEMORY_CPU;
    *memory_id = 0;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ResponseNew(TRITONBACKEND_Response **response, TRITONBACKEND_Request *request)
{
    request->response.request = request;
    *response = &request->response;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ResponseOutput(TRITONBACKEND_Response *response, TRITONBACKEND_Output **output,
                                                        const char *name, TRITONSERVER_DataType datatype,
                                                        const int64_t *shape, uint32_t n_dims)
{
    CHECK(datatype == TRITONSERVER_TYPE_UINT8 && n_dims <= 4 && response->request->n_results < 2);
    TRITONBACKEND_Output *o = &response->request->results[response->request->n_results++];
    (void)snprintf(o->name, sizeof o->name, "%s", name);
    memcpy(o->shape, shape, n_dims * sizeof *shape);
    o->n_dims = n_dims;
    *output = o;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_OutputBuffer(TRITONBACKEND_Output *output, void **buffer, uint64_t bytes,
                                                      TRITONSERVER_MemoryType *memory, int64_t *memory_id)
{
    CHECK(*memory == TRITONSERVER_MEMORY_CPU && *memory_id == 0);
    output->bytes = malloc(bytes);
    output->n_bytes = bytes;
    *buffer = output->bytes;
    return NULL;
}

EXPORT TRITONSERVER_Error *TRITONBACKEND_ResponseSend(TRITONBACKEND_Response *response, uint32_t flags,
                                                      TRITONSERVER_Error *error)
{
    CHECK(flags == TRITONSERVER_RESPONSE_COMPLETE_FINAL && response->request->n_released == 0);
    response->request->n_sent++;
    if (error != NULL) { /* stays the backend's */
        response->request->code = error->code;
        (void)snprintf(response->request->text, sizeof response->request->text, "%s", error->text);
    }
    return NULL;
}

/* ---- the backend */

static TRITONSERVER_Error *(*initialize)(TRITONBACKEND_Backend *);
static TRITONSERVER_Error *(*model_begin)(TRITONBACKEND_Model *), *(*model_end)(TRITONBACKEND_Model *);
static TRITONSERVER_Error *(*instance_begin)(TRITONBACKEND_ModelInstance *),
    *(*instance_end)(TRITONBACKEND_ModelInstance *);
static TRITONSERVER_Error *(*execute)(TRITONBACKEND_ModelInstance *, TRITONBACKEND_Request **, uint32_t);

static mb_image photo, expected; /* RGB, and its cut-out as the library makes it */

#define CONFIG(more)                                                                                                   \
    "{\"name\":\"m\",\"platform\":\"\",\"max_batch_size\":4,\"input\":[{\"name\":\"image\",\"dims\":[-1,-1,3]}],"      \
    "\"parameters\":{\"segment\":{\"string_value\":\"saliency\"},\"detail\":{\"string_value\":\"guided\"}," more       \
    "\"threads\":{\"string_value\":\"2\"}},\"version_policy\":{\"latest\":{\"num_versions\":1}}}"

static void *symbol(void *library, const char *name)
{
    void *s = dlsym(library, name);
    CHECK_MSG(s != NULL, "%s is missing", name);
    return s;
}

SETUP
{
    mb_error err = {0};
    void *library = dlopen(MB_BUILD_DIR "/libtriton_mattebox.so", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        SKIP("the backend is not built here: %s", dlerror());
    }
    *(void **)&initialize = symbol(library, "TRITONBACKEND_Initialize");
    *(void **)&model_begin = symbol(library, "TRITONBACKEND_ModelInitialize");
    *(void **)&model_end = symbol(library, "TRITONBACKEND_ModelFinalize");
    *(void **)&instance_begin = symbol(library, "TRITONBACKEND_ModelInstanceInitialize");
    *(void **)&instance_end = symbol(library, "TRITONBACKEND_ModelInstanceFinalize");
    *(void **)&execute = symbol(library, "TRITONBACKEND_ModelInstanceExecute");
    CHECK(mb_image_load(&photo, NULL, MB_SOURCE_DIR "/docs/pictures/cat.jpg", NULL, &err) == MB_OK);
    mb_options o;
    mb_options_init(&o);
    CHECK(mb_options_preset(&o, "small", &err) == MB_OK); /* comes with the built-in default, as in the program */
    o.segment = MB_SEGMENT_SALIENCY;
    o.detail = MB_DETAIL_GUIDED;
    o.foreground = MB_FOREGROUND_ML;
    mb_context *context = NULL;
    mb_pipeline *pipeline = NULL;
    mb_result *result = NULL;
    CHECK(mb_context_create(&context, NULL, &err) == MB_OK &&
          mb_pipeline_create(&pipeline, context, NULL, NULL, &o, &err) == MB_OK &&
          mb_pipeline_run(&result, pipeline, &photo, &err) == MB_OK);
    expected = result->cutout;
    result->cutout = (mb_image){0};
    mb_result_free(result);
    mb_pipeline_free(pipeline);
    mb_context_free(context);
}

/* A request with the photo n times. */
static TRITONBACKEND_Request request_of(int n, const unsigned char *bytes, uint32_t n_buffers)
{
    return (TRITONBACKEND_Request){.input = {"image",
                                             TRITONSERVER_TYPE_UINT8,
                                             {n, photo.height, photo.width, 3},
                                             4,
                                             n_buffers,
                                             bytes,
                                             (size_t)n * (size_t)photo.width * (size_t)photo.height * 3},
                                   .outputs = {"alpha", "cutout"},
                                   .n_outputs = 2};
}

static void free_request(TRITONBACKEND_Request *r)
{
    free(r->results[0].bytes);
    free(r->results[1].bytes);
}

/* Answered once, well, with the library's bytes. */
static int is_right(const TRITONBACKEND_Request *r, int n)
{
    const size_t one = (size_t)photo.width * (size_t)photo.height * 4;
    int right = r->n_sent == 1 && r->n_released == 1 && r->good && r->n_results == 2 &&
                r->results[1].n_bytes == (size_t)n * one && r->results[0].n_bytes == (size_t)n * one / 4 &&
                r->results[1].shape[0] == n && r->results[1].shape[3] == 4;
    for (int k = 0; right && k < n; k++) {
        right = memcmp(r->results[1].bytes + (size_t)k * one, expected.data, one) == 0;
        for (size_t i = 0; right && i < one / 4; i++) {
            right = r->results[0].bytes[(size_t)k * one / 4 + i] == ((unsigned char *)expected.data)[4 * i + 3];
        }
    }
    return right;
}

static void run(TRITONBACKEND_Request **requests, uint32_t n, const char *config)
{
    TRITONBACKEND_Model model = {.config = config};
    TRITONBACKEND_ModelInstance instance = {.model = &model};
    CHECK(initialize(NULL) == NULL && model_begin(&model) == NULL && instance_begin(&instance) == NULL);
    CHECK(execute(&instance, requests, n) == NULL);
    CHECK(instance_end(&instance) == NULL && model_end(&model) == NULL);
    CHECK(n_errors == 0);
}

/* One request of two pictures, one in three pieces, one broken, one more: four answers, each its own. */
TEST(batch)
{
    const size_t one = (size_t)photo.width * (size_t)photo.height * 3;
    unsigned char *two = malloc(2 * one);
    memcpy(two, photo.data, one);
    memcpy(two + one, photo.data, one);
    TRITONBACKEND_Request r[4] = {request_of(2, two, 1), request_of(1, photo.data, 3), request_of(1, photo.data, 1),
                                  request_of(1, photo.data, 1)};
    r[2].input.shape[3] = 5;
    TRITONBACKEND_Request *all[4] = {&r[0], &r[1], &r[2], &r[3]};
    run(all, 4, CONFIG(""));
    CHECK(is_right(&r[0], 2) && is_right(&r[1], 1) && is_right(&r[3], 1));
    CHECK(r[2].n_sent == 1 && r[2].n_released == 1 && !r[2].good && r[2].code == TRITONSERVER_ERROR_INVALID_ARG &&
          strstr(r[2].text, "3 (RGB) or 4 (RGBA) channels") != NULL);
    for (int k = 0; k < 4; k++) {
        free_request(&r[k]);
    }
    free(two);
}

/* An encoded picture as an element of BYTES, and only alpha. */
TEST(file)
{
    size_t n = 0;
    char *file = file_read(MB_SOURCE_DIR "/docs/pictures/cat.jpg", &n);
    unsigned char *element = malloc(n + 4);
    for (int k = 0; k < 4; k++) {
        element[k] = (unsigned char)(n >> 8 * k);
    }
    memcpy(element + 4, file, n);
    TRITONBACKEND_Request r = {
        .input = {"file", TRITONSERVER_TYPE_BYTES, {1, 1}, 2, 1, element, n + 4}, .outputs = {"alpha"}, .n_outputs = 1};
    TRITONBACKEND_Request bad = r, *both[2] = {&r, &bad};
    bad.input.n_bytes = 3;
    run(both, 2, CONFIG(""));
    CHECK(r.good && r.n_results == 1 && strcmp(r.results[0].name, "alpha") == 0 &&
          r.results[0].shape[1] == photo.height);
    CHECK(!bad.good && bad.n_sent == 1 && strstr(bad.text, "one element") != NULL);
    free_request(&r);
    free(element);
    free(file);
}

/* Given up while it runs: that request ends as cancelled, the next one is right. */
TEST(cancel)
{
    TRITONBACKEND_Request r[2] = {request_of(1, photo.data, 1), request_of(1, photo.data, 1)};
    TRITONBACKEND_Request *both[2] = {&r[0], &r[1]};
    r[0].cancel_after = 2;
    run(both, 2, CONFIG(""));
    CHECK_MSG(!r[0].good && r[0].code == TRITONSERVER_ERROR_CANCELLED, "%d: %s", r[0].code, r[0].text);
    CHECK(is_right(&r[1], 1) && r[1].n_asked > 0);
    free_request(&r[0]);
    free_request(&r[1]);
}

/* What a configuration may say wrong, and that each is told by name. */
TEST(settings)
{
    static const struct {
        const char *config, *text;
    } rows[] = {
        {CONFIG("\"erode\":{\"string_value\":\"300\"},"), "erode 300: 1 to 255"},
        {CONFIG("\"eroded\":{\"string_value\":\"3\"},"), "parameter eroded: there is no option"},
        {CONFIG("\"erode\":{\"string_value\":\"3 \\\"px\\\"\"},"), "parameter erode: \"3 \"px\"\" is no value"},
        {CONFIG("\"device\":{\"string_value\":\"tpu\"},"), "parameter device: \"tpu\" is none of"},
        {CONFIG("\"threads\":{\"string_value\":\"nan\"},"), "parameter threads: \"nan\" is no number of its range"},
        {CONFIG("\"threads\":{\"string_value\":\"1025\"},"), "parameter threads: \"1025\" is no number of its range"},
        {CONFIG("\"max_memory\":{\"string_value\":\"-NaN\"},"),
         "parameter max_memory: \"-NaN\" is no number of its range"},
        {CONFIG("\"max_memory\":{\"string_value\":\"inf\"},"),
         "parameter max_memory: \"inf\" is no number of its range"},
        {CONFIG("\"erode\":{\"string_value\":\"nan\"},"), "parameter erode: \"nan\" is no whole number"},
        {CONFIG("\"feather\":{\"string_value\":\"nan\"},"), "feather"},
        {CONFIG("\"detail\":{\"string_value\":\"best\"},"), "parameter detail: \"best\" is no value"},
        {"{\"max_batch_size\":0,\"parameters\":{\"model\":{\"string_value\":\"nowhere/x.mbw\"}}}", "nowhere/x.mbw"},
        {"{\"parameters\":{\"erode\":3}}", "cannot be read"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        TRITONBACKEND_Model model = {.config = rows[i].config};
        TRITONSERVER_Error *error = model_begin(&model);
        CHECK_MSG(error != NULL && strstr(error->text, rows[i].text) != NULL, "%s: %s", rows[i].config,
                  error != NULL ? error->text : "accepted");
        if (error != NULL) {
            TRITONSERVER_ErrorDelete(error);
        }
    }
    minor_version = 3;
    TRITONSERVER_Error *old = initialize(NULL);
    minor_version = 19;
    CHECK(old != NULL && old->code == TRITONSERVER_ERROR_UNSUPPORTED &&
          strstr(old->text, "the server has 1.3") != NULL);
    TRITONSERVER_ErrorDelete(old);
    CHECK(n_errors == 0);
}
