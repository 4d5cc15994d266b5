/* What the C host side needs to know of launches. A launch function returns 0, or a code for mb_cuda_launch_text when
 * the launch itself was refused; faults of the kernel show at the next synchronisation. */
#ifndef MB_CUDA_LANG_LAUNCH_H
#define MB_CUDA_LANG_LAUNCH_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CUstream_st *mb_stream;

const char *mb_cuda_launch_text(int code);

#ifdef __cplusplus
}
#endif
#endif
