/* Events of folders by inotify. Other systems: a clear refusal. */
#include "folder_events.h"

#include <errno.h>

#if defined(__linux__)

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define CLOSING_MS 20 /* most that a file which is being closed is waited for */

int folder_events_open(void)
{
    return inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
}

void folder_events_close(int events)
{
    if (events >= 0) {
        (void)close(events);
    }
}

/* A file is reported when it is whole for whoever wrote it: closed, or moved in under its final name. */
int folder_events_add(int events, const char *path)
{
    return inotify_add_watch(events, path,
                             IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF |
                                 IN_ONLYDIR);
}

static folder_event_kind kind_of(uint32_t mask)
{
    if ((mask & IN_Q_OVERFLOW) != 0) {
        return FOLDER_LOST;
    }
    int of_folder = (mask & (IN_ISDIR | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0;
    return of_folder ? FOLDER_CHANGED : FOLDER_FILE;
}

/* Signals are let in during ppoll alone: one that comes between the question and the wait ends the wait. */
int folder_events_wait(int events, int milliseconds, int (*stop)(void), folder_event_fn event, void *user)
{
    sigset_t held, before;
    struct pollfd p = {.fd = events, .events = POLLIN};
    const struct timespec limit = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGINT);
    (void)sigaddset(&held, SIGTERM);
    (void)sigaddset(&held, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &held, &before);
    int ready = stop() ? 0 : ppoll(&p, 1, &limit, &before), why = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (ready < 0) {
        errno = why;
        return why == EINTR ? 0 : -1;
    }
    int n = 0;
    _Alignas(struct inotify_event) char buffer[16384];
    for (ssize_t got; ready > 0 && (got = read(events, buffer, sizeof buffer)) > 0;) {
        for (char *at = buffer; at < buffer + got;) {
            struct inotify_event e;
            memcpy(&e, at, sizeof e);
            int new_file = (e.mask & IN_CREATE) != 0 && (e.mask & IN_ISDIR) == 0; /* it is closed later */
            int gone_file = (e.mask & IN_MOVED_FROM) != 0 && (e.mask & IN_ISDIR) == 0;
            if (!new_file && !gone_file && (e.mask & IN_IGNORED) == 0) {
                event(user, kind_of(e.mask), e.wd, e.len > 0 ? at + sizeof e : "");
                n++;
            }
            at += sizeof e + e.len;
        }
    }
    return n;
}

/* A lease for reading is given only while nobody has the file open for writing. */
int folder_events_is_open(const char *path)
{
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    /* the kernel tells of the end of writing a moment before it ends */
    int written = 1;
    for (int i = 0; i < CLOSING_MS && written; i++) {
        const struct timespec moment = {0, i > 0 ? 1000000 : 0};
        (void)nanosleep(&moment, NULL);
        written = fcntl(file, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
    }
    (void)fcntl(file, F_SETLEASE, F_UNLCK);
    (void)close(file);
    return written;
}

#else

int folder_events_open(void)
{
    errno = ENOSYS;
    return -1;
}

void folder_events_close(int events)
{
    (void)events;
}

int folder_events_add(int events, const char *path)
{
    (void)events;
    (void)path;
    errno = ENOSYS;
    return -1;
}

int folder_events_wait(int events, int milliseconds, int (*stop)(void), folder_event_fn event, void *user)
{
    (void)events;
    (void)milliseconds;
    (void)stop;
    (void)event;
    (void)user;
    errno = ENOSYS;
    return -1;
}

int folder_events_is_open(const char *path)
{
    (void)path;
    return 0;
}

#endif
