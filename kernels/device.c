/* Choosing a device: the words of --device, and what is said when a GPU cannot be used. */
#include "device.h"

#include "core/os_process.h"

#include "cuda/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "cuda" alone means the first GPU. Numbers are decimal digits only. */
mb_status mb_device_parse(mb_device_wish *out, const char *text, mb_error *err)
{
    static const char *const words[] = {"auto", "cpu", "cuda"};
    *out = (mb_device_wish){MB_DEVICE_AUTO, 0};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, words[i]) == 0) {
            out->kind = (mb_device)i;
            return MB_OK;
        }
    }
    const char *digits = text + strlen("cuda:");
    size_t n = strncmp(text, "cuda:", strlen("cuda:")) == 0 ? strspn(digits, "0123456789") : 0;
    if (n == 0 || n > 3 || digits[n] != '\0') {
        return mb_fail(err, MB_E_ARGUMENT, "device \"%.32s\" is not known\nuse auto, cpu, cuda, or cuda:N for GPU N",
                       text);
    }
    *out = (mb_device_wish){MB_DEVICE_CUDA, atoi(digits)};
    return MB_OK;
}

/* The CPU needs no look. For `auto` a refusal becomes a note; for `cuda` it is the error. */
mb_status mb_device_probe(mb_device_report *out, mb_device_wish wish, mb_error *err)
{
    *out = (mb_device_report){.kind = MB_DEVICE_CPU};
    if (wish.kind == MB_DEVICE_CPU) {
        return MB_OK;
    }
    mb_device_refusal refusal = {"", ""};
    if (mb_cuda_probe(out, &refusal, wish.index)) {
        out->kind = MB_DEVICE_CUDA;
        out->index = wish.index;
        return MB_OK;
    }
    *out = (mb_device_report){.kind = MB_DEVICE_CPU};
    if (wish.kind == MB_DEVICE_CUDA) {
        return mb_fail(err, MB_E_DEVICE, "CUDA: %s\n%s, or use device=cpu", refusal.reason, refusal.cure);
    }
    (void)snprintf(out->note, sizeof out->note, "CUDA: %s; using the CPU. %s, or use device=cpu to silence this.",
                   refusal.reason, refusal.cure);
    return MB_OK;
}

/* Maps are f32 until mb_device_set_precision. */
mb_status mb_device_open(mb_backend *out, const mb_device_report *report, mb_error *err)
{
    return report->kind == MB_DEVICE_CUDA ? mb_backend_cuda_open(out, report->index, MB_F32, err)
                                          : mb_backend_cpu(out, err);
}

/* What a precision means for plans: the type of maps, and whether f32 gemms may round to TF32. */
typedef struct precision_row {
    const char *name;
    mb_precision precision;
    mb_dtype maps;
    bool tf32;
} precision_row;
static const precision_row precisions[] = {{"f32", MB_PRECISION_F32, MB_F32, false},
                                           {"tf32", MB_PRECISION_TF32, MB_F32, true},
                                           {"f16", MB_PRECISION_F16, MB_F16, false},
                                           {"bf16", MB_PRECISION_BF16, MB_BF16, false}};

/* The environment counts only where nothing was asked for. The CPU has nothing to set. */
mb_status mb_device_set_precision(mb_backend *b, mb_precision precision, mb_error *err)
{
    const char *wish = mb_os_env("MATTEBOX_PRECISION");
    const precision_row *row = &precisions[0];
    bool by_name = precision == MB_PRECISION_AUTO && wish != NULL && wish[0] != '\0', found = !by_name;
    for (size_t i = 0; i < sizeof precisions / sizeof precisions[0]; i++) {
        bool fits = by_name ? strcmp(wish, precisions[i].name) == 0 : precisions[i].precision == precision;
        row = fits ? &precisions[i] : row;
        found = found || fits;
    }
    if (!found) {
        return mb_fail(err, MB_E_ARGUMENT, "MATTEBOX_PRECISION is \"%.32s\", expected f32, tf32, f16 or bf16", wish);
    }
    if (b->memory != NULL) {
        return mb_backend_cuda_set_types(b, row->maps, row->tf32, err);
    }
    return row->maps == MB_BF16 ? mb_backend_cpu_bf16(b, err) : mb_backend_cpu(b, err);
}

/* The CPU's back end holds nothing. */
void mb_device_close(mb_backend *b)
{
    mb_backend_cuda_close(b);
}

/* For comparisons: the bytes are the same either way. */
bool mb_image_io_wanted(const mb_device_image_io *p)
{
    const char *wish = mb_os_env("MATTEBOX_CUDA_IMAGE_IO");
    return p != NULL && (wish == NULL || strcmp(wish, "off") != 0);
}
