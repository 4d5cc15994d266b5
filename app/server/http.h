/* HTTP by libmicrohttpd, driven by one thread: connections, their time limits, requests and their answers. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include "queue.h"
#include "mhd.h"
#include "work.h"

typedef enum phase { PHASE_IDLE, PHASE_BODY, PHASE_WORK, PHASE_ANSWER } phase;

/* One per socket. */
typedef struct peer {
    struct peer *next, *previous;
    server *s;
    int fd;
    phase phase;
    double since_ms; /* of the phase */
    double heard_ms; /* the body's last bytes came */
    size_t received; /* of the body that is coming */
    size_t to_send;
    int over_unix, is_loopback;
    unsigned char address[16]; /* IPv6, or IPv4 in its first bytes */
    int closing;               /* it has been shut down */
    int surplus;               /* beyond a limit of connections: the status of its answers to POST; 0: it is not */
    int has_asked;             /* a request has come over it */
} peer;

struct route;

typedef struct request {
    struct request *next, *previous; /* all that are not answered yet */
    server *s;
    struct MHD_Connection *c;
    peer *p;
    const struct route *route;
    char id[WORK_ID_BYTES];
    char argument[80];         /* what stands for {id} in the route */
    char method[12], path[64]; /* the route's, for the log */
    form form;
    work *work;
    int suspended, answered, refused;
    int is_last;  /* of its connection, since others wait for one */
    answer early; /* what is known to be wrong before the body is there */
    char allow[32];
    int retry_after;
    size_t body_bytes, counted_bytes, sent_bytes;
    int status;
    double started_ms;
} request;

/* Adds a listening socket; its requests are answered until http_stop. 0: the message has been printed. */
int http_add(server *s, int socket, int is_unix);
/* One turn of the loop: waits for sockets, signals and finished work, at most some 200 ms. */
void http_turn(server *s);
/* No new connections from here on. */
void http_quiesce(server *s);
int http_open_requests(void); /* being received, worked on, or answered */
void http_stop(void);

/* ---- for handlers of routes; answers.h has more */
int http_id_is_usable(const char *id); /* as the id of a request */
request *http_find(const char *id);    /* a request that is under way, NULL: none */
/* Gives the work to the queue; the answer comes later. always: it takes no place there. */
void request_submit(request *r, work *w, int always);

#endif
