/* mattebox: cut the foreground out of a picture. The one public header of libmattebox. */
#ifndef MATTEBOX_H
#define MATTEBOX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MB_API        __attribute__((visibility("default")))
#define MB_MUST_CHECK __attribute__((warn_unused_result))
#else
#define MB_API
#define MB_MUST_CHECK
#endif

#define MB_VERSION_MAJOR 0
#define MB_VERSION_MINOR 1
#define MB_VERSION_PATCH 0

/* ---- Errors -------------------------------------------------------------------------------------------------- */

/* What every function that can fail returns. */
typedef enum mb_status {
    MB_OK = 0,
    MB_E_ARGUMENT = -1,    /* a parameter or option is out of its range */
    MB_E_MEMORY = -2,      /* an allocation failed, or the plan exceeds the memory limit */
    MB_E_IO = -3,          /* a file could not be read or written */
    MB_E_FORMAT = -4,      /* a file is damaged or is not what it claims to be */
    MB_E_MISMATCH = -5,    /* a sound file that does not fit: another architecture, shape or size */
    MB_E_UNSUPPORTED = -6, /* known, but not in this build or version */
    MB_E_DEVICE = -7,      /* a GPU or one of its libraries is missing or failed */
    MB_E_CANCELLED = -8,   /* a progress callback asked to stop */
    MB_E_INTERNAL = -9     /* a bug in mattebox */
} mb_status;

/* The story behind a status: owned by the caller, may be NULL wherever it is taken. The first error stays. */
typedef struct mb_error {
    mb_status code;
    char message[512]; /* one line of UTF-8; a hint on what to do may follow after a line feed */
} mb_error;

#ifdef __cplusplus
}
#endif
#endif
