/* Put in front of tests/cuda/standin when it is compiled for Windows (launches.c). */
#pragma once
#include <stddef.h>
int posix_memalign(void **out, size_t alignment, size_t bytes);
