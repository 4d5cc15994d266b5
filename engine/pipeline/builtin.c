#include "pipeline/builtin.h"

#include <string.h>

#ifdef MB_DEMO_MODEL
/* On a page of its own, so that untouched weights cost no memory. */
__asm__(".pushsection .rodata.mb_demo_model,\"a\",@progbits\n"
        ".balign 4096\n"
        ".hidden mb_demo_model\n"
        ".globl mb_demo_model\n"
        "mb_demo_model: .incbin \"" MB_DEMO_MODEL "\"\n"
        ".hidden mb_demo_model_end\n"
        ".globl mb_demo_model_end\n"
        "mb_demo_model_end: .byte 0\n"
        ".popsection\n");
extern const unsigned char mb_demo_model[] __attribute__((visibility("hidden")));
extern const unsigned char mb_demo_model_end[] __attribute__((visibility("hidden")));
#else
static const unsigned char mb_demo_model[1], *const mb_demo_model_end = mb_demo_model;
#endif

bool mb_builtin_model(const void **bytes, size_t *n_bytes)
{
    *bytes = mb_demo_model;
    *n_bytes = (size_t)(mb_demo_model_end - mb_demo_model);
    return *n_bytes > 0;
}

bool mb_builtin_is_named(const char *name)
{
    return strcmp(name, "demo") == 0 || strcmp(name, "default") == 0;
}
