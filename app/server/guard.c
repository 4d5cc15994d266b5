/* Names are compared as browsers send them; addresses always pass, because no name that is rebound to us is one. */
#include "guard.h"

#include "../message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TOKENS      64
#define TOKEN_BYTES     256
#define MIN_TOKEN_CHARS 16

struct guard {
    const args *a;
    char tokens[MAX_TOKENS][TOKEN_BYTES]; /* zero-filled */
    int n_tokens;
};

/* `whole`: the line ends where the buffer does not. */
static int add_token(guard *g, char *line, int whole, const char *path, int number)
{
    line[strcspn(line, "\r\n")] = '\0';
    line += strspn(line, " \t");
    if (line[0] == '\0' || line[0] == '#') {
        return CODE_OK;
    }
    size_t n = whole ? strlen(line) : TOKEN_BYTES;
    if (n < MIN_TOKEN_CHARS || n >= TOKEN_BYTES || g->n_tokens == MAX_TOKENS) {
        return message_error(CODE_USAGE, "head -c 24 /dev/urandom | base64 makes one",
                             "%s: line %d: a token has %d to %d characters, a file at most %d", path, number,
                             MIN_TOKEN_CHARS, TOKEN_BYTES - 1, MAX_TOKENS);
    }
    memcpy(g->tokens[g->n_tokens++], line, n);
    return CODE_OK;
}

/* Comments may be longer than the buffer; what is left of one is no token. */
static int is_whole(const char *line, FILE *f)
{
    if (strchr(line, '\n') != NULL || feof(f)) {
        return 1;
    }
    for (int c = getc(f); c != '\n' && c != EOF;) {
        c = getc(f);
    }
    return 0;
}

int guard_create(guard **out, const args *a)
{
    guard *g = calloc(1, sizeof *g);
    const char *path = a->serve.token_file;
    *out = g;
    if (g == NULL) {
        return message_error(CODE_MACHINE, NULL, "out of memory");
    }
    g->a = a;
    if (path == NULL) {
        return CODE_OK;
    }
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return message_error(CODE_USAGE, NULL, "--token-file %s: %s", path, strerror(errno));
    }
    struct stat s;
    if (fstat(fileno(f), &s) == 0 && (s.st_mode & 077) != 0) {
        message_warning(path, "others than its owner may read the tokens: chmod 600");
    }
    char line[TOKEN_BYTES + 64];
    int code = CODE_OK;
    for (int number = 1; code == CODE_OK && fgets(line, sizeof line, f) != NULL; number++) {
        code = add_token(g, line, is_whole(line, f), path, number);
    }
    if (code == CODE_OK && ferror(f)) {
        code = message_error(CODE_USAGE, NULL, "--token-file %s: %s", path, strerror(errno));
    }
    (void)fclose(f);
    if (code == CODE_OK && g->n_tokens == 0) {
        code = message_error(CODE_USAGE, "one token a line", "--token-file %s: no token in it", path);
    }
    return code;
}

void guard_free(guard *g)
{
    if (g != NULL) {
        explicit_bzero(g->tokens, sizeof g->tokens);
        free(g);
    }
}

int guard_has_tokens(const guard *g)
{
    return g->n_tokens > 0;
}

/* In the same time whatever is wrong: every byte of every token is looked at. */
static int token_passes(const guard *g, const char *given)
{
    char padded[TOKEN_BYTES] = {0};
    size_t n = strlen(given);
    if (n >= TOKEN_BYTES) {
        return 0;
    }
    memcpy(padded, given, n);
    unsigned any = 0;
    for (int i = 0; i < g->n_tokens; i++) {
        unsigned differs = 0;
        for (size_t k = 0; k < TOKEN_BYTES; k++) {
            differs |= (unsigned)(padded[k] ^ g->tokens[i][k]);
        }
        any |= differs == 0;
    }
    return any != 0;
}

/* "name:7000", "[::1]:7000" -> the name or address. 0: too long. */
static int host_name(char *to, size_t bytes, const char *host)
{
    size_t n;
    if (host[0] == '[') {
        host++;
        n = strcspn(host, "]");
    } else {
        n = strcspn(host, ":");
    }
    if (n >= bytes) {
        return 0;
    }
    memcpy(to, host, n);
    to[n] = '\0';
    return 1;
}

static int host_passes(const guard *g, const char *host)
{
    char name[256];
    unsigned char address[16];
    if (!host_name(name, sizeof name, host)) {
        return 0;
    }
    if (strcasecmp(name, "localhost") == 0 || inet_pton(AF_INET, name, address) == 1 ||
        inet_pton(AF_INET6, name, address) == 1) {
        return 1;
    }
    for (int i = 0; i < g->a->serve.hosts.n; i++) {
        if (strcasecmp(name, g->a->serve.hosts.names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int origin_is_listed(const guard *g, const char *origin)
{
    for (int i = 0; i < g->a->serve.origins.n; i++) {
        if (strcasecmp(origin, g->a->serve.origins.names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Our own pages name the host that they asked. */
static int origin_passes(const guard *g, const char *origin, const char *host)
{
    const char *rest = strncasecmp(origin, "http://", 7) == 0    ? origin + 7
                       : strncasecmp(origin, "https://", 8) == 0 ? origin + 8
                                                                 : NULL;
    return (rest != NULL && host != NULL && strcasecmp(rest, host) == 0) || origin_is_listed(g, origin);
}

guard_verdict guard_check(const guard *g, struct MHD_Connection *c, int open, int over_unix)
{
    const char *host = mhd.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    const char *origin = mhd.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin");
    if (!over_unix && host != NULL && !host_passes(g, host)) {
        return GUARD_HOST;
    }
    if (origin != NULL && !origin_passes(g, origin, host)) {
        return GUARD_ORIGIN;
    }
    if (!open && g->n_tokens > 0) {
        const char *bearer = mhd.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
        const char *key = mhd.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Api-Key");
        int passes = bearer != NULL && strncasecmp(bearer, "Bearer ", 7) == 0 && token_passes(g, bearer + 7);
        passes = passes || (key != NULL && token_passes(g, key));
        return passes ? GUARD_PASS : GUARD_TOKEN;
    }
    return GUARD_PASS;
}

const char *guard_cors(const guard *g, struct MHD_Connection *c)
{
    const char *origin = mhd.MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin");
    return origin != NULL && origin_is_listed(g, origin) ? origin : NULL;
}
