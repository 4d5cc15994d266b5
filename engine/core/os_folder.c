/* What folders need of no particular system (os_file.h). */
#include "core/os_file.h"

#include "core/alloc.h"

#include <errno.h>
#include <string.h>

/* From the top down; what exists is fine, links to folders included. The last error counts only where no folder is
 * there afterwards, so that two programs may do it at once. */
int mb_os_make_folders(const char *path)
{
    char made[MB_OS_PATH_BYTES];
    size_t n = strlen(path);
    int code = 0;
    if (n >= sizeof made) {
        return ENAMETOOLONG;
    }
    for (size_t i = 1; i <= n; i++) {
        if ((path[i] != '/' && path[i] != '\0') || (path[i] == '\0' && path[i - 1] == '/' && i > 1)) {
            continue;
        }
        memcpy(made, path, i);
        made[i] = '\0';
        code = mb_os_make_folder(made, false);
    }
    return code == 0 || mb_os_is_folder(path) ? 0 : code;
}

void mb_os_free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        mb_free(names[i]);
    }
    mb_free(names);
}
