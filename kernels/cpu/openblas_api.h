/* OpenBLAS, opened at run time by those who use it, so that a program without it starts, and one with it has no threads
 * or buffers of OpenBLAS until its products are needed. */
#ifndef MB_CPU_OPENBLAS_API_H
#define MB_CPU_OPENBLAS_API_H

#include <stdbool.h>

/* Values of cblas.h. */
enum { MB_CBLAS_ROW_MAJOR = 101, MB_CBLAS_NO_TRANS = 111, MB_CBLAS_TRANS = 112 };

typedef struct mb_openblas_api {
    void (*sgemm)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float *a, int lda,
                  const float *b, int ldb, float beta, float *c, int ldc);
    void (*set_num_threads)(int n);
    char *(*get_corename)(void);
    char *(*get_config)(void);
} mb_openblas_api;

/* The library's functions, told to run in the calling thread alone; NULL where it is missing. The first call opens it,
 * for the rest of the process. */
const mb_openblas_api *mb_openblas_open(void);

/* Whether to use it unasked: not under a limit on the address space. Its allocator then tries again without end instead
 * of failing (seen with 0.3.21; reported to its authors as issue 5289), which no caller can stop. */
bool mb_openblas_suits(void);

#endif
