/* libmicrohttpd, opened by `mattebox serve` and by nothing else: linked, it brings GnuTLS and eight more libraries into every
 * run of the program (docs/decisions/028). Types and numbers come from its header; its functions are called through mhd. */
#ifndef SERVER_MHD_H
#define SERVER_MHD_H

#include <microhttpd.h>

#define MHD_FUNCTIONS(X)                                                                                               \
    X(MHD_add_response_header)                                                                                         \
    X(MHD_create_post_processor)                                                                                       \
    X(MHD_create_response_from_buffer)                                                                                 \
    X(MHD_create_response_from_buffer_with_free_callback)                                                              \
    X(MHD_destroy_post_processor)                                                                                      \
    X(MHD_destroy_response)                                                                                            \
    X(MHD_get_connection_info)                                                                                         \
    X(MHD_get_connection_values_n)                                                                                     \
    X(MHD_get_daemon_info)                                                                                             \
    X(MHD_get_timeout)                                                                                                 \
    X(MHD_get_version)                                                                                                 \
    X(MHD_lookup_connection_value)                                                                                     \
    X(MHD_post_process)                                                                                                \
    X(MHD_queue_response)                                                                                              \
    X(MHD_quiesce_daemon)                                                                                              \
    X(MHD_resume_connection)                                                                                           \
    X(MHD_run)                                                                                                         \
    X(MHD_start_daemon)                                                                                                \
    X(MHD_stop_daemon)                                                                                                 \
    X(MHD_suspend_connection)

/* Filled by mhd_open, read-only afterwards. */
extern struct mhd {
#define MHD_FIELD(f) __typeof__(f) *f;
    MHD_FUNCTIONS(MHD_FIELD)
#undef MHD_FIELD
} mhd;

/* Before anything else of the library is used. CODE_OK, or the message has been printed. */
int mhd_open(void);

#endif
