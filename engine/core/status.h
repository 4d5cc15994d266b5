/* Errors are values: helpers around the public mb_status and mb_error. */
#ifndef MB_CORE_STATUS_H
#define MB_CORE_STATUS_H

#include "mattebox.h" /* the public vocabulary (mb_status, mb_error): the only public header, included from here */

/* Records the first error (later ones do not overwrite it; err may be NULL) and returns `code`. The message names
 * what was wrong with which file, tensor or option; what to do may follow after a '\n'. */
mb_status mb_fail(mb_error *err, mb_status code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts context in front of a recorded message: "weights 'a.mbw'" gives "weights 'a.mbw': tensor ...". */
void mb_error_prefix(mb_error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The failure of an allocation of `bytes` for `what`. */
mb_status mb_fail_memory(mb_error *err, size_t bytes, const char *what);

/* For functions with a local `mb_status status = MB_OK;` and one cleanup label `done:`. */
#define MB_TRY(call)                                                                                                   \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != MB_OK) {                                                                                         \
            goto done;                                                                                                 \
        }                                                                                                              \
    } while (0)

#endif
