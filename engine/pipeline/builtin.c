#include "pipeline/builtin.h"

#include <string.h>

#ifdef MB_DEMO_MODEL
/* On a page of its own, so that untouched weights cost no memory. */
#ifdef __ELF__
#define SECTION      ".pushsection .rodata.mb_demo_model,\"a\",@progbits\n.balign 4096\n"
#define HIDDEN(name) ".hidden " name "\n"
#define BACK         ".popsection\n"
#define MB_HIDDEN    __attribute__((visibility("hidden")))
#define NAME(name)   name
#elif defined(__MACH__)
#define SECTION      ".section __TEXT,__const\n.p2align 12\n"
#define HIDDEN(name) ".private_extern " name "\n"
#define BACK         ".text\n"
#define MB_HIDDEN    __attribute__((visibility("hidden")))
#define NAME(name)   "_" name
#else /* PE: what is not exported is hidden */
#define SECTION      ".section .rdata,\"dr\"\n.balign 4096\n"
#define HIDDEN(name) ""
#define BACK         ".text\n"
#define MB_HIDDEN
#define NAME(name) name
#endif
#define MODEL NAME("mb_demo_model")
#define END   NAME("mb_demo_model_end")
__asm__(SECTION HIDDEN(MODEL) ".globl " MODEL "\n" MODEL ": .incbin \"" MB_DEMO_MODEL
                              "\"\n" HIDDEN(END) ".globl " END "\n" END ": .byte 0\n" BACK);
extern const unsigned char mb_demo_model[] MB_HIDDEN;
extern const unsigned char mb_demo_model_end[] MB_HIDDEN;
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
