/* memfd_create, write, seal. */
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int upload_begin(upload *u)
{
    u->bytes = 0;
    u->fd = memfd_create("mattebox-upload", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return u->fd >= 0;
}

int upload_add(upload *u, const void *data, size_t n)
{
    const char *from = data;
    while (n > 0) {
        ssize_t got = write(u->fd, from, n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return 0;
        }
        from += got;
        n -= (size_t)got;
        u->bytes += (size_t)got;
    }
    return 1;
}

int upload_seal(upload *u)
{
    return fcntl(u->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

void upload_dispose(upload *u)
{
    if (u->fd >= 0) {
        (void)close(u->fd);
    }
    *u = UPLOAD_NONE;
}
