/* The parts of the kit: one program with everything that a machine with a GPU is asked (tests/cuda/on_device.sh). */
#ifndef MB_KIT_H
#define MB_KIT_H

#include "cuda/driver/context.h"

/* Each: an exit code, a line of JSON or the test's report on stdout. */
int kit_rates(void);                /* copies and products: what this card can do */
int kit_describe(const char *path); /* cuDNN's description of the device, for tests/data/gpus */
int kit_input(const char *path, char **dims, const char *scale); /* `input` of four dims: noise times scale */
int kit_compare(const char *got, const char *wanted); /* largest and mean difference of each tensor of both */
int kit_repeat(char **args);                          /* model, precision, side, runs: the same bits every time? */
int kit_plans(const char *folder);    /* what the plan caches of a folder have chosen, and how long it took */
int kit_fault(void);                  /* a kernel that writes to address 8: what is said afterwards */
int kit_graph(int argc, char **argv); /* tests/cuda/harness/graphs.c */

/* Writes to address 8; 0 or the code of the launch. Absent in the emulated kit. */
int mb_kit_launch_fault(mb_cu_stream stream);

#endif
