/* Launches through the driver alone, for Windows, where nvcc cannot be the host's compiler here: nvcc compiles each .cu
 * file to a fat binary, and g++ compiles the same file against emulate.h, of which only types and arithmetic count. Kernels
 * are found by their mangled names, which both compilers make by the same rules; the linker drops the kernels' bodies that
 * g++ has made, since nothing refers to them. check_names.py beside this file compares names and sizes of arguments.
 *
 *   MB_CUDA_FATBIN   the file's fat binary (set by kernels/cuda/cuda.cmake)
 */
#ifndef MB_CUDA_LANG_DRIVER_LAUNCH_H
#define MB_CUDA_LANG_DRIVER_LAUNCH_H

#include "cuda/lang/driver_module.h"
#include "cuda/lang/launch.h"

#include <tuple>
#include <utility>

#undef MB_LAUNCH
#undef MB_LAUNCHED
#undef MB_LAUNCH_TEXT

/* The fat binary is data of this object. */
asm(".section .rdata,\"dr\"\n"
    ".balign 64\n"
    "mb_this_image:\n"
    ".incbin \"" MB_CUDA_FATBIN "\"\n"
    ".text\n");
extern "C" const unsigned char mb_this_image[] asm("mb_this_image");
static mb_driver_module mb_this_module = {mb_this_image, NULL};

template <class F> struct mb_signature;

/* Bytes of the arguments as the device lays them out: each at the next multiple of its alignment. */
template <class... P> constexpr size_t mb_argument_bytes()
{
    size_t at = 0;
    ((at = (at + alignof(P) - 1) / alignof(P) * alignof(P) + sizeof(P)), ...);
    return at;
}

template <class... P> struct mb_signature<void (*)(P...)> {
    static constexpr size_t bytes = mb_argument_bytes<P...>();

    /* Arguments become the types of the kernel's parameters, as in a call. */
    template <class... A>
    static void launch(mb_driver_kernel *kernel, const char *name, dim3 grid, dim3 block, size_t smem, mb_stream stream,
                       A... arguments)
    {
        std::tuple<P...> values(static_cast<P>(arguments)...);
        const unsigned sizes[6] = {grid.x, grid.y, grid.z, block.x, block.y, block.z};
        std::apply(
            [&](P &...value) {
                void *pointers[] = {static_cast<void *>(&value)...};
                mb_driver_launch(&mb_this_module, kernel, name, sizes, smem, stream, pointers);
            },
            values);
    }
};

/* The assembler writes the kernel's name down, in front of the code that takes its address: this assembler has no way back
 * to a section that it left. check_names.py finds "mb-kernel", the name and the bytes of the arguments there. */
#define MB_LAUNCH(kernel, grid, block, smem, stream, ...)                                                              \
    do {                                                                                                               \
        constexpr auto *mb_kernel = kernel;                                                                            \
        typedef mb_signature<std::remove_const_t<decltype(mb_kernel)>> mb_form;                                        \
        static mb_driver_kernel mb_site;                                                                               \
        const char *mb_name;                                                                                           \
        asm("jmp 2f\n"                                                                                                 \
            ".asciz \"mb-kernel\"\n"                                                                                   \
            "1: .asciz \"%c1\"\n"                                                                                      \
            ".asciz \"%c2\"\n"                                                                                         \
            "2: leaq 1b(%%rip), %0"                                                                                    \
            : "=r"(mb_name)                                                                                            \
            : "i"(mb_kernel), "i"(mb_form::bytes));                                                                    \
        mb_form::launch(&mb_site, mb_name, (grid), (block), (smem), (stream), __VA_ARGS__);                            \
    } while (0)
#define MB_LAUNCHED()        mb_driver_launched()
#define MB_LAUNCH_TEXT(code) mb_driver_launch_text(code)

#endif
