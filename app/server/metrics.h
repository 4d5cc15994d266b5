/* What /metrics says. Any thread may count. */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "server.h"

#include <stdio.h>

/* Why a connection was closed by the server. */
typedef enum closing { CLOSED_HEAD, CLOSED_IDLE, CLOSED_BODY, CLOSED_ANSWER, CLOSED_CROWD, CLOSINGS } closing;

struct work;
typedef struct metrics metrics;

metrics *metrics_create(void);
void metrics_free(metrics *m);
void metrics_request(metrics *m, const char *path, int status, double seconds, size_t received, size_t sent);
void metrics_work(metrics *m, const struct work *w); /* the stages of one that was done */
void metrics_dropped(metrics *m, closing why);
void metrics_write(metrics *m, server *s, FILE *out);

#endif
