/* What happens in folders, as the system reports it: the one part of --watch that is not portable. */
#ifndef APP_FOLDER_EVENTS_H
#define APP_FOLDER_EVENTS_H

#include <stddef.h>

typedef enum folder_event_kind {
    FOLDER_FILE,    /* a file was closed by its writer, or moved in */
    FOLDER_CHANGED, /* a folder came, went or moved */
    FOLDER_LOST     /* more happened than was kept: the folders must be read again */
} folder_event_kind;

typedef void (*folder_event_fn)(void *user, folder_event_kind kind, int folder, const char *name);

/* A number for the following calls, or -1 with a reason in errno; ENOSYS: this system has none of this. */
int folder_events_open(void);
void folder_events_close(int events);
/* From now on, events of this folder are reported with the number that is returned: the same for the same folder,
 * whatever its path. -1: errno; ENOSPC: the system watches no more folders. */
int folder_events_add(int events, const char *path);
/* Waits for events, at most so many milliseconds, and less when a signal comes; `stop` is asked in a way that no signal is
 * missed. Returns how many events were handed to `event`, or -1: errno. */
int folder_events_wait(int events, int milliseconds, int (*stop)(void), folder_event_fn event, void *user);
/* Is somebody writing this file now? 0 where that cannot be known. */
int folder_events_is_open(const char *path);

#endif
