/* Hot loops of this folder are compiled twice, for the baseline and for AVX2; the loader picks one. Contraction to
 * fused multiply-adds is off in the whole build, so both give the same bits. Sanitizers that instrument the picking
 * function before they are initialised get the baseline alone. */
#ifndef MB_CORE_TARGET_CLONES_H
#define MB_CORE_TARGET_CLONES_H

#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&                       \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define MB_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define MB_CLONES
#endif

#endif
