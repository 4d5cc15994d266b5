/* Who may ask: by Host (DNS rebinding), Origin (pages of others) and token. */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "mhd.h"
#include "server.h"

typedef struct guard guard;

/* Reads the token file. CODE_OK, or the message has been printed. */
int guard_create(guard **out, const args *a);
void guard_free(guard *g);
int guard_has_tokens(const guard *g);

typedef enum guard_verdict { GUARD_PASS, GUARD_HOST, GUARD_ORIGIN, GUARD_TOKEN } guard_verdict;
/* open: the route needs no token. over_unix: no browser can come this way with a name of its own. */
guard_verdict guard_check(const guard *g, struct MHD_Connection *c, int open, int over_unix);
/* The origin that the answer may be read by, NULL: none but our own. */
const char *guard_cors(const guard *g, struct MHD_Connection *c);

#endif
