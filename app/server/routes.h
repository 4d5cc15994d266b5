/* The table of routes: what is answered, and what /openapi.json says of it. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "http.h"

/* Which fields a request has: for the form, and for its description. */
typedef enum route_fields {
    FIELDS_NONE,
    FIELDS_CUT,
    FIELDS_MATTE,
    FIELDS_TRIMAP,
    FIELDS_PHOTO,
    FIELDS_ESTIMATE,
    FIELDS_REMOVE_BACKGROUND,
    FIELDS_REMBG,
    FIELDS_REMBG_URL
} route_fields;

typedef struct route {
    const char *method, *path; /* {id} stands for one part of the path */
    void (*handle)(request *r);
    route_fields fields;
    int open;            /* needs no token */
    const char *answers; /* its type: "image/png" ... */
    const char *summary;
    const char *statuses; /* of errors: "400 413 422" */
} route;

extern const route routes[];
extern const int n_routes;

/* The route of a path; NULL: none, and *allow has the methods that it does know. Writes what stands for {id}. */
const route *route_find(const char *method, const char *path, char *argument, size_t argument_bytes, char *allow,
                        size_t allow_bytes);

/* openapi.c */
void openapi_write(server *s, FILE *out);
/* rembg.c */
void rembg_handle(request *r);
void rembg_url_handle(request *r);
/* page.c: the embedded page, and its Content-Security-Policy, which names the page's script and style by their hashes */
extern const char page_html[], page_policy[];
extern const unsigned page_bytes;

#endif
