/* What passes between the server and a decoder's process over their socket, one packet each:
 *
 *   decoder: hello
 *   server:  request, with the file's descriptor
 *   decoder: reply: what the picture is, or why there is none
 *   server:  room, with the descriptor of memory of just that size
 *   decoder: filled
 *
 * Both sides are the same program, so the structs are sent as they are. The server believes none of the numbers. */
#ifndef SERVER_DECODE_PROTOCOL_H
#define SERVER_DECODE_PROTOCOL_H

#include <mattebox.h>
#include <stdint.h>

#define DECODE_SOCKET  3 /* the descriptor in the decoder's process */
#define DECODE_MAGIC   0x6d626431u
#define DECODE_CPU_S   600 /* processor time of a decoder: the limit that the system enforces */
#define MAX_ICC_BYTES  (16u << 20)
#define MAX_EXIF_BYTES (1u << 20)

typedef struct decode_hello {
    uint32_t magic;
    int32_t is_filtered; /* seccomp holds */
} decode_hello;

typedef struct decode_request {
    uint32_t magic;
    int32_t keep_depth, keep_alpha, accept_partial;
    uint64_t file_bytes;
    double max_megapixels;
    uint64_t max_memory; /* never 0: in its cage the decoder cannot ask the system */
} decode_request;

typedef struct decode_reply {
    uint32_t magic;
    int32_t status; /* mb_status */
    int32_t width, height, pixels, depth;
    uint32_t icc_bytes, exif_bytes;
    double cpu_s; /* processor time of the decoder so far */
    double dpi_x, dpi_y;
    char note[80];
    mb_image_source source;
    mb_error err;
} decode_reply;

typedef struct decode_room {
    uint32_t magic;
    uint64_t bytes;
} decode_room;

/* Bytes of one row without gaps; 0 for orders and depths that no decoder gives. */
size_t decode_row_bytes(int width, int pixels, int depth);

/* sandbox.c: gives up everything that decoding does not need, for good. Returns 1 if the system filters calls, 0 if it
 * cannot. `bytes` is the address space that decoding may take. */
int sandbox_enter(size_t bytes);

#endif
