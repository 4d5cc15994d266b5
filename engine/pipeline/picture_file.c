/* The public face of engine/image's files: loading, probing, saving, encoding. */
#include "pipeline/objects.h"

#include "core/alloc.h"
#include "core/file.h"
#include "image/convert.h"
#include "image/load.h"
#include "image/sniff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROBE_BYTES 65536

static mb_status check_limit(mb_load_limits *limits, double max_megapixels, mb_error *err)
{
    mb_load_limits_init(limits);
    if (!(max_megapixels >= 0.0 && max_megapixels <= 4295.0)) { /* sides are at most 65,535 */
        return mb_fail(err, MB_E_ARGUMENT, "max-megapixels-in %g: 0 to 4295", max_megapixels);
    }
    if (max_megapixels > 0.0) {
        limits->max_megapixels = max_megapixels;
    }
    return MB_OK;
}

static mb_status tell_source(mb_image_source *out, const mb_load_info *info, mb_error *err)
{
    if (out == NULL) {
        return MB_OK;
    }
    mb_image_source s = {.size = sizeof s}, unused;
    mb_status status = mb_copy_sized(&unused, sizeof unused, out, "mb_image_source", err);
    if (status != MB_OK) {
        return status;
    }
    size_t room = out->size;
    memcpy(s.format, info->format, sizeof s.format);
    s.width = info->width;
    s.height = info->height;
    s.channels = info->channels;
    s.bits = info->bits;
    s.orientation = info->orientation > 0 ? info->orientation : 1;
    memcpy(s.warning, info->warning, sizeof s.warning);
    memcpy(out, &s, room < sizeof s ? room : sizeof s);
    out->size = room;
    return MB_OK;
}

mb_status mb_image_load(mb_image *out, mb_image_source *source, const char *path, double max_megapixels, mb_error *err)
{
    mb_status status = MB_OK;
    mb_load_limits limits;
    mb_load_info info = {0};
    mb_picture p = {0};
    *out = (mb_image){0};
    MB_TRY(check_limit(&limits, max_megapixels, err));
    MB_TRY(mb_load_file(&p, &info, path, &limits, err));
    MB_TRY(tell_source(source, &info, err));
    mb_image_take(out, &p);
done:
    mb_picture_dispose(&p);
    return status;
}

mb_status mb_image_load_memory(mb_image *out, mb_image_source *source, const void *bytes, size_t n_bytes,
                               const char *name, double max_megapixels, mb_error *err)
{
    mb_status status = MB_OK;
    mb_load_limits limits;
    mb_load_info info = {0};
    mb_picture p = {0};
    *out = (mb_image){0};
    MB_TRY(check_limit(&limits, max_megapixels, err));
    MB_TRY(mb_load_memory(&p, &info, bytes, n_bytes, name, &limits, err));
    MB_TRY(tell_source(source, &info, err));
    mb_image_take(out, &p);
done:
    mb_picture_dispose(&p);
    return status;
}

mb_status mb_image_probe(mb_image_source *out, const char *path, mb_error *err)
{
    uint8_t *head = mb_alloc(PROBE_BYTES);
    if (head == NULL) {
        return mb_fail_memory(err, PROBE_BYTES, "a file's head");
    }
    mb_status status = MB_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO in a folder must not hang the walk */
    ssize_t n = fd >= 0 ? read(fd, head, PROBE_BYTES) : -1;
    if (n < 0) {
        status = mb_fail(err, MB_E_IO, "%.300s: cannot be read", path);
    } else {
        mb_sniffed s = mb_sniff(head, (size_t)n);
        if (s.type == MB_FILE_UNKNOWN) {
            const char *guess = mb_sniff_guess(head, (size_t)n);
            status =
                mb_fail(err, MB_E_MISMATCH, "%.300s: not a picture%s%s%s", path,
                        guess != NULL ? " (it starts like " : "", guess != NULL ? guess : "", guess != NULL ? ")" : "");
        } else {
            mb_load_info info = {
                .width = (int)s.width, .height = (int)s.height, .channels = s.channels, .bits = s.bits};
            (void)snprintf(info.format, sizeof info.format, "%s", mb_file_type_name(s.type));
            status = tell_source(out, &info, err);
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    mb_free(head);
    return status;
}
