/* `mattebox serve` of a build without libmicrohttpd and cJSON. */
#include "../commands.h"
#include "../message.h"

int cmd_serve(args *a)
{
    (void)a;
    return message_error(CODE_MACHINE, "apt-get install libmicrohttpd-dev libcjson-dev, then build again",
                         "this build has no server");
}

void serve_describe(char *text, size_t bytes)
{
    (void)snprintf(text, bytes, "not in this build");
}

int decode_worker_main(const char *megapixels)
{
    (void)megapixels;
    return CODE_USAGE;
}
