/* Networks as narrow as they can be: every op of every backbone, of the decoder and of the matting network, in some 50 kB of
 * weights each. For tests that run a network thousands of times; their values mean nothing, and are the same everywhere. */
#ifndef MB_TEST_NARROW_H
#define MB_TEST_NARROW_H

#include <stddef.h>

/* BiRefNet of the first generation on Swin; then of the second on Swin, PVTv2, DINOv3, ResNet, VGG; VITMatte. */
#define NARROW_NETWORKS 7
#define NARROW_V1       0
#define NARROW_VITMATTE 6

/* A model file in memory, *n bytes, freed by mb_free_aligned; NULL: no memory. */
void *narrow_network(size_t *n, int which);

#endif
