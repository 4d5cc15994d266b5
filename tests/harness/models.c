#define _GNU_SOURCE
#include "harness/models.h"

#include "generate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *test_model(const char *variant)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = paths[next++ % 4];
    (void)mkdir(MB_BUILD_DIR "/test-files", 0777);
    (void)snprintf(path, PATH_MAX, "%s/test-files/%s.mbw", MB_BUILD_DIR, variant);
    if (access(path, R_OK) == 0) {
        return path;
    }
    mb_error err = {0};
    generator *g = NULL;
    /* Written under another name and renamed by the writer, so that tests may run side by side. */
    if (generator_create(&g, variant, 1, &err) != MB_OK || generate_file(g, path, true, MB_F32, &err) != MB_OK) {
        fprintf(stderr, "no model %s: %s\n", variant, err.message);
        exit(1);
    }
    generator_free(g);
    return path;
}
