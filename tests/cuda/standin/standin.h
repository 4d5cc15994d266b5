/* What the stand-in libraries share: work goes to a stream of the stand-in driver, which does it at once, or records it
 * while the stream is being captured and does it at each launch of the graph. */
#ifndef MB_STANDIN_H
#define MB_STANDIN_H

#include "cuda/nvapi.h"

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

/* What a test asks of a stand-in, through the environment. */
static inline int standin_number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? atoi(text) : otherwise;
}

typedef void mb_standin_work(void *argument);
/* argument: copied. 0, or an error of the driver. */
EXPORT mb_cu_result mb_standin_submit(mb_cu_stream s, mb_standin_work *work, const void *argument, size_t bytes);
/* For work with an owner (the emulator's launches): drop(argument) when it is done with, at once or with the graph. */
EXPORT mb_cu_result mb_standin_submit_owned(mb_cu_stream s, mb_standin_work *work, void *argument,
                                            mb_standin_work *drop);
/* What is open: memory, streams, contexts, events, graphs, and what the other stand-ins count here. */
EXPORT int mb_standin_open(void);
EXPORT void mb_standin_count(int more);
/* How many graphs were launched, how many works were recorded, since the driver was initialised. */
EXPORT int mb_standin_graph_launches(void);
EXPORT int mb_standin_recorded(void);

#endif
