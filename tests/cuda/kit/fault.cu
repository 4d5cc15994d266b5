/* A kernel with a fault, to see what the host says afterwards. */
#include "dialect.h"

__global__ void write_to_eight(int *p)
{
    *p = 1;
}

extern "C" int mb_kit_launch_fault(cudaStream_t stream)
{
    MB_LAUNCH(write_to_eight, dim3(1), dim3(1), 0, stream, (int *)8);
    return MB_LAUNCHED();
}
