/* In a build without libcurl: says so. */
#include "manager/download.h"
#include "manager/part.h"

#include <stdio.h>

mb_status download_file(const download_request *r, download_result *out, bool *output_failed, mb_error *err)
{
    (void)r;
    *out = (download_result){0};
    *output_failed = false;
    return mb_fail(err, MB_E_UNSUPPORTED,
                   "this build cannot download: it was made without libcurl\nbuild it with libcurl4-openssl-dev "
                   "installed, or copy the file by hand and run mattebox models import FILE");
}

bool download_forget(const char *path)
{
    return part_remove(path);
}

void download_describe(char *text, size_t bytes)
{
    (void)snprintf(text, bytes, "not in this build (it was made without libcurl)");
}
