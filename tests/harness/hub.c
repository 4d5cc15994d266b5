#include "harness/hub.h"

#include "core/hash.h"
#include "harness/check.h"

#include <stdio.h>
#include <string.h>

bool hub_start(process *p, const char *test_name, http_script *good, int *port)
{
    static char sha256[65], etag[80], linked[160];
    mb_sha256 h;
    uint8_t digest[32];
    (void)process_folder(test_name);
    process_run(p, "mattebox version --verbose");
    if (strstr(p->out, "downloads: libcurl/") == NULL) {
        printf("no downloads in this build, or no libcurl on this machine\n");
        process_run(p, "mattebox models get vitmatte-s");
        CHECK_RUN(p, 3, "download");
        return false;
    }
    process_run(p, "mattebox-weights generate vitmatte-tiny4 --checkpoint -o hub.safetensors");
    CHECK_RUN(p, 0, "");
    *good = (http_script){0};
    good->data = file_read("hub.safetensors", &good->bytes);
    mb_sha256_init(&h);
    mb_sha256_update(&h, good->data, good->bytes);
    mb_sha256_final(&h, digest);
    mb_hex(sha256, digest, sizeof digest);
    (void)snprintf(etag, sizeof etag, "\"%.32s\"", sha256); /* not a checksum: a name */
    (void)snprintf(linked, sizeof linked, "X-Linked-ETag: \"%s\"\r\nX-Linked-Size: %zu\r\n", sha256, good->bytes);
    good->etag = etag;
    good->headers = linked;
    *port = http_server_start();
    return true;
}

void hub_check_installed(process *p)
{
    process_run(p, "mattebox-weights verify " HUB_MODELS "vitmatte-s.mbw --against hub.safetensors");
    CHECK_RUN(p, 0, "");
    CHECK(!file_exists(HUB_PART) && !file_exists(HUB_PART ".info"));
    CHECK(!file_exists(HUB_FILE));
}
