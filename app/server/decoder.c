/* First version: in the server itself. */
#include "decoder.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct decoder {
    decoder_options options;
};

decoder *decoder_create(const decoder_options *options)
{
    decoder *d = calloc(1, sizeof *d);
    if (d != NULL) {
        d->options = *options;
    }
    return d;
}

void decoder_free(decoder *d)
{
    free(d);
}

mb_status decoder_start(decoder *d, mb_error *err)
{
    (void)d;
    (void)err;
    return MB_OK;
}

mb_status decoder_read(decoder *d, decoded *out, decoder_fault *fault, const upload *file,
                       const decode_options *options, mb_error *err)
{
    mb_load_options o;
    mb_load_options_init(&o);
    o.max_megapixels = d->options.max_megapixels;
    o.keep_alpha = options->keep_alpha;
    o.keep_depth = options->keep_depth;
    o.accept_partial = options->accept_partial;
    o.cancel = options->cancel;
    o.user = options->user;
    *fault = DECODER_FINE;
    *out = (decoded){.source = {.size = sizeof out->source}};
    mb_metadata_init(&out->metadata);
    o.metadata = &out->metadata;
    void *bytes = mmap(NULL, file->bytes, PROT_READ, MAP_SHARED, file->fd, 0);
    if (bytes == MAP_FAILED) {
        *err = (mb_error){.code = MB_E_MEMORY};
        (void)strncpy(err->message, "out of memory", sizeof err->message - 1);
        return MB_E_MEMORY;
    }
    mb_status status = mb_image_load_memory(&out->image, &out->source, bytes, file->bytes, &o, err);
    (void)munmap(bytes, file->bytes);
    if (status != MB_OK) {
        decoded_dispose(out);
    }
    return status;
}

void decoded_dispose(decoded *p)
{
    if (p->map != NULL) {
        (void)munmap(p->map, p->map_bytes);
    } else {
        mb_image_dispose(&p->image);
        mb_metadata_dispose(&p->metadata);
    }
    *p = (decoded){0};
}

const char *decoder_kind(const decoder *d)
{
    (void)d;
    return "none";
}

unsigned long decoder_restarts(void)
{
    return 0;
}
