/* The op harness for products in bf16: every set of loops of this machine, and the models of AVX512_BF16 and AMX,
 * against kernels/ref on operands that are rounded to bf16 first. Sums are f32 on both sides, so where the operands are
 * inputs the tolerance of f32 holds; what is rounded on the way (samples, softmax weights) has one of its own. */
#include "core/alloc.h"
#include "core/cpu.h"
#include "cpu/cpu_kernels.h"
#include "cpu/isa/isa.h"
#include "harness/check.h"
#include "harness/op_run.h"

#include <math.h>
#include <string.h>

typedef struct row {
    uint32_t rounded; /* bit i: input i is an operand */
    float tolerance;  /* 0: no product in bf16 */
} row;

static const row rows[MB_OP_COUNT] = {
    [MB_OP_linear] = {3, 8e-6f},
    [MB_OP_conv2d] = {3, 8e-6f},
    [MB_OP_upsample_conv2d] = {3, 2e-5f},
    [MB_OP_deform_conv2d] = {1u << 3, 4e-3f},
    [MB_OP_window_attention] = {1u << 0 | 1u << 2, 4e-3f},
    [MB_OP_vit_attention] = {0, 8e-3f},
};

int op_bf16_kernels(op_kernel out[OP_MOST_KERNELS], mb_op op)
{
    static const struct {
        mb_bf16_set set;
        mb_isa isa;
#if defined(__aarch64__) /* the models of AVX512_BF16 and AMX are proven where those are compiled */
    } sets[] = {{MB_BF16_GENERIC, MB_ISA_GENERIC},
                {MB_FIXED16_GENERIC, MB_ISA_GENERIC},
                {MB_BF16_NEON, MB_ISA_NEON},
                {MB_BF16_NEON_NATIVE, MB_ISA_NEON_BF16}};
#else
    } sets[] = {{MB_BF16_GENERIC, MB_ISA_GENERIC},
                {MB_FIXED16_GENERIC, MB_ISA_GENERIC},
                {MB_FIXED16_AVX2, MB_ISA_AVX2},
                {MB_FIXED16_VNNI, MB_ISA_AVX512_VNNI},
                {MB_BF16_NATIVE_MODEL, MB_ISA_GENERIC},
                {MB_BF16_AMX_MODEL, MB_ISA_GENERIC},
                {MB_BF16_AVX2, MB_ISA_AVX2},
                {MB_BF16_AVX512, MB_ISA_AVX512},
                {MB_BF16_NATIVE, MB_ISA_AVX512_BF16},
                {MB_BF16_AMX, MB_ISA_AMX}};
#endif
    mb_isa best = mb_cpu_best_isa();
    mb_backend plain;
    mb_backend_ref(&plain);
    int n = 0;
    for (size_t i = 0; rows[op].tolerance > 0 && i < sizeof sets / sizeof sets[0]; i++) {
        mb_backend b = plain;
        mb_error err = {0};
#if defined(__aarch64__) /* nothing on Arm takes these */
        const bool wanted = sets[i].set != MB_FIXED16_GENERIC || !test_short();
#else
        const bool wanted = true;
#endif
        if (sets[i].isa <= best && wanted) {
            CHECK_OK(mb_backend_cpu_use_bf16(&b, sets[i].set, &err), err);
            if (b.kernels[op][0] != plain.kernels[op][0]) {
                out[n++] = (op_kernel){b.name, b.kernels[op][0], sets[i].set >= MB_FIXED16_GENERIC};
            }
        }
    }
    return n;
}

/* Products of few columns stay in f32 (cpu/gemm.h). */
static bool stays_f32(mb_op op, const op_contents *data)
{
    return (op == MB_OP_linear || op == MB_OP_conv2d || op == MB_OP_deform_conv2d) &&
           data->out_dims[1] <= MB_NARROW_COLUMNS;
}

bool op_bf16_begin(op_contents *rounded, mb_op op, const op_contents *data)
{
    *rounded = *data;
    uint32_t which = stays_f32(op, data) ? 0 : rows[op].rounded;
    for (int i = 0; i < data->n_in; i++) {
        size_t n = (size_t)(data->dims[i][0] * data->dims[i][1] * data->dims[i][2] * data->dims[i][3]);
        if (data->in[i] == NULL || (which >> i & 1) == 0) {
            continue;
        }
        rounded->in[i] = mb_alloc_array(n, sizeof(float));
        uint16_t *narrow = mb_alloc_array(n, sizeof *narrow);
        if (!CHECK(rounded->in[i] != NULL && narrow != NULL)) {
            return false;
        }
        mb_from_f32(narrow, data->in[i], MB_BF16, n);
        mb_to_f32(rounded->in[i], narrow, MB_BF16, n);
        mb_free(narrow);
    }
    rounded->expected = mb_alloc_array(data->n_out, sizeof(float));
    return CHECK(rounded->expected != NULL);
}

void op_bf16_end(op_contents *rounded, const op_contents *data)
{
    for (int i = 0; i < data->n_in; i++) {
        if (rounded->in[i] != data->in[i]) {
            mb_free(rounded->in[i]);
        }
    }
    mb_free(rounded->expected);
}

double op_bf16_tolerance(mb_op op)
{
    return (double)rows[op].tolerance;
}

/* Attention: a weighted sum may be small beside the values in it, whose scale is that of the largest. */
double op_fixed16_tolerance(mb_op op)
{
    return op == MB_OP_vit_attention ? 2.5e-3 : 1e-3;
}
