/* The stand-in driver's streams, events and captured graphs. Streams do their work at once, or, lazily, not before
 * somebody waits for it: then a wait that is missing between two streams shows, because the work that should have come
 * before has not been done. */
#ifndef MB_STANDIN_STREAMS_H
#define MB_STANDIN_STREAMS_H

#include "standin.h"

#include <stdbool.h>

void standin_streams_start(int lazy); /* at cuInit: forgets the trace */
void standin_streams_finish(void);    /* all work of all streams */

struct CUstream_st *standin_stream_new(void);
void standin_stream_free(struct CUstream_st *s);
mb_cu_result standin_stream_wait(struct CUstream_st *s);
mb_cu_result standin_stream_wait_event(struct CUstream_st *s, struct CUevent_st *e);

struct CUevent_st *standin_event_new(bool measures);
void standin_event_free(struct CUevent_st *e);
mb_cu_result standin_event_record(struct CUevent_st *e, struct CUstream_st *s);
mb_cu_result standin_event_wait(struct CUevent_st *e);
float standin_event_between(const struct CUevent_st *from, const struct CUevent_st *to); /* on the clock */
void standin_clock_add(double ms);

mb_cu_result standin_submit(struct CUstream_st *s, mb_standin_work *work, void *argument, mb_standin_work *drop);

mb_cu_result standin_capture_begin(struct CUstream_st *s);
struct CUgraph_st *standin_capture_end(struct CUstream_st *s);
void standin_graph_use(struct CUgraph_st *g);
void standin_graph_release(struct CUgraph_st *g);
mb_cu_result standin_graph_launch(struct CUgraph_st *g, struct CUstream_st *s);

/* The host's calls in their order, a letter each: U to the device, D from it, M on it, Z a fill, G a graph, W a wait
 * for an event, S for a stream. */
void standin_trace(char what);
EXPORT const char *mb_standin_trace(void);
EXPORT void mb_standin_trace_clear(void);

#endif
