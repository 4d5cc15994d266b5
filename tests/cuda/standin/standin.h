/* What the stand-in libraries share: work goes to a stream of the stand-in driver, which does it at once, or records it
 * while the stream is being captured and does it at each launch of the graph. */
#ifndef MB_STANDIN_H
#define MB_STANDIN_H

#include "cuda/vendor/nvapi.h"

#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

/* What a test asks of a stand-in, through the environment. */
static inline int standin_number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? atoi(text) : otherwise;
}

/* "5,3,-1": the times of the ways, as many as there are; a negative one fails. How many were read. */
static inline int standin_times(double out[], int most, const char *name)
{
    const char *text = getenv(name);
    int n = 0;
    while (text != NULL && *text != '\0' && n < most) {
        char *end = NULL;
        out[n++] = strtod(text, &end);
        text = *end == ',' ? end + 1 : "";
    }
    return n;
}

typedef void mb_standin_work(void *argument);
/* argument: copied. 0, or an error of the driver. */
EXPORT mb_cu_result mb_standin_submit(mb_cu_stream s, mb_standin_work *work, const void *argument, size_t bytes);
/* For launches of the emulator: drop(argument) when it is done with, at once or with the graph. */
EXPORT mb_cu_result mb_standin_submit_launch(mb_cu_stream s, const char *kernel, mb_standin_work *work, void *argument,
                                             mb_standin_work *drop);
/* What is open: memory, streams, contexts, events, graphs, and what the other stand-ins count here. */
EXPORT int mb_standin_open(void);
EXPORT void mb_standin_count(int more);
/* The ways of a library to serve a call (algorithms, engines): one was used and took so long; how often it was. */
typedef enum mb_standin_library { MB_STANDIN_LT, MB_STANDIN_DNN } mb_standin_library;
#define MB_STANDIN_WAYS 8
EXPORT void mb_standin_use(mb_standin_library library, int way, double ms);
EXPORT int mb_standin_used(mb_standin_library library, int way);
/* How many graphs were launched, how many works were recorded, since the driver was initialised. */
EXPORT int mb_standin_graph_launches(void);
EXPORT int mb_standin_recorded(void);

#endif
