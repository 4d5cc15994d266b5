/* What a hub of models would serve, on the loopback interface: a generated VITMatte checkpoint with its checksum. */
#ifndef MB_TEST_HUB_H
#define MB_TEST_HUB_H

#include "harness/http_server.h"
#include "harness/process.h"

#define HUB_MODELS ".local/share/mattebox/models/"
#define HUB_CACHE  ".cache/mattebox/"
#define HUB_FILE   HUB_CACHE "vitmatte-small-composition-1k.safetensors"
#define HUB_PART   HUB_FILE ".part"

/* In an empty folder of this test: hub.safetensors, the script that serves it, and the server. False where this build
 * or machine cannot download (the test then reports that it was skipped: 77). */
bool hub_start(process *p, const char *test_name, http_script *good, int *port);
/* The installed model is whole and nothing of the download is left. */
void hub_check_installed(process *p);

#endif
