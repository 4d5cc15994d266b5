/* The small trained model that the program carries: the engine against PyTorch, with and without passes, by the fast
 * and the plain kernels. Skipped where the model's file is not there. */
#define _GNU_SOURCE
#include "harness/check.h"
#include "weights/safetensors.h"

#include <mattebox.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL  MB_MODEL_FILE
#define GOLDEN MB_SOURCE_DIR "/tests/data/goldens/demo_64x96.safetensors"

static mb_error err;

static void set(const char *name, const char *value)
{
    if (value[0] != '\0') {
        (void)setenv(name, value, 1);
    } else {
        (void)unsetenv(name);
    }
}

/* Largest difference from the golden's logits under these settings. */
static double difference(const mb_safetensors *golden, const char *passes, const char *isa)
{
    const mb_st_tensor *in = mb_safetensors_find(golden, "input"), *want = mb_safetensors_find(golden, "logits");
    mb_context *context = NULL;
    mb_model *model = NULL;
    mb_network *network = NULL;
    static float got[64 * 96];
    double worst = HUGE_VAL;
    set("MATTEBOX_PASSES", passes);
    set("MATTEBOX_ISA", isa);
    mb_context_options o;
    mb_context_options_init(&o);
    o.device = MB_DEVICE_CPU;
    CHECK_OK(mb_context_create(&context, &o, &err), err);
    CHECK_OK(mb_model_open(&model, context, MODEL, &err), err);
    CHECK_OK(mb_network_create(&network, context, model, &err), err);
    if (network != NULL && in != NULL && want != NULL) {
        const char *digest = mb_model_meta(model, "source.sha256"), *of = mb_safetensors_meta(golden, "weights_sha256");
        CHECK_MSG(digest != NULL && of != NULL && strcmp(digest, of) == 0, "the golden is of other weights: %s", of);
        mb_array input = {in->data, {1, 3, 64, 96}};
        CHECK_OK(mb_network_run(network, &input, NULL, 0, &err), err);
        CHECK_OK(mb_network_read(got, sizeof got / sizeof got[0], network, mb_network_output_name(network, 0), &err),
                 err);
        worst = 0;
        for (size_t i = 0; i < sizeof got / sizeof got[0]; i++) {
            worst = fmax(worst, fabs((double)got[i] - (double)((const float *)want->data)[i]));
        }
    }
    mb_network_free(network);
    mb_model_free(model);
    mb_context_free(context);
    return worst;
}

static mb_safetensors *stored;

SETUP
{
    if (access(MODEL, R_OK) != 0) {
        SKIP("no %s", MODEL);
    }
    REQUIRE_OK(mb_safetensors_open(&stored, GOLDEN, &err), err);
}

TEARDOWN
{
    mb_safetensors_free(stored);
}

static const struct {
    const char *name, *passes, *isa;
} rows[] = {{"as built", "", ""},
            {"no passes", "none", ""},
            {"no passes, plain kernels", "none", "ref"},
            {"generic kernels", "", "generic"},
            {"without drop_zero_offsets", "-drop_zero_offsets", ""}};

TEST_ROWS(as_pytorch, rows)
{
    const double d = difference(stored, row->passes, row->isa);
    CHECK_LE(d, 1e-3);
    (void)printf("off by %.2g\n", d);
}
