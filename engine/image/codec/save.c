/* Which format a path asks for, and the way to the disk. */
#include "image/codec/save.h"

#include "core/alloc.h"
#include "core/file.h"

#include <ctype.h>
#include <string.h>

void mb_save_spec_init(mb_save_spec *spec)
{
    *spec = (mb_save_spec){.level = 3, .replace = true};
}

/* Lower-case extension without the dot, "" when there is none. */
static void extension(char ext[8], const char *path)
{
    const char *name = strrchr(path, '/');
    const char *dot = strrchr(name != NULL ? name : path, '.');
    size_t n = 0;
    if (dot != NULL) {
        for (dot++; dot[n] != '\0' && n < 7; n++) {
            ext[n] = (char)tolower((unsigned char)dot[n]);
        }
    }
    ext[n] = '\0';
}

static mb_format format_of(const char *ext)
{
    return strcmp(ext, "webp") == 0                              ? MB_FORMAT_WEBP
           : strcmp(ext, "jpg") == 0 || strcmp(ext, "jpeg") == 0 ? MB_FORMAT_JPEG
                                                                 : MB_FORMAT_PNG;
}

/* By the extension alone: a file must be what its name says. */
mb_status mb_save_check_path(const char *path, mb_error *err)
{
    static const char *const others[] = {"gif",  "bmp",  "tif", "tiff", "tga", "psd",
                                         "heic", "avif", "jxl", "ppm",  "pgm", "hdr"};
    char ext[8];
    extension(ext, path);
#if !MB_HAVE_WEBP
    if (format_of(ext) == MB_FORMAT_WEBP) {
        return mb_fail(err, MB_E_UNSUPPORTED, "%.200s: WebP is not in this build\nwrite a PNG", path);
    }
#endif
#if !MB_HAVE_JPEG
    if (format_of(ext) == MB_FORMAT_JPEG) {
        return mb_fail(err, MB_E_UNSUPPORTED, "%.200s: writing JPEG is not in this build\nwrite a PNG", path);
    }
#endif
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(ext, others[i]) == 0) {
            return mb_fail(err, MB_E_UNSUPPORTED, "%.200s: .%s files cannot be written here\nwrite a PNG", path, ext);
        }
    }
    return MB_OK;
}

/* PNG alone uses the threads: the other libraries have none. */
mb_status mb_image_u8_encode(const mb_task *task, void **out, size_t *n, const mb_image *image,
                             const mb_save_spec *spec, mb_error *err)
{
    switch (spec->format) {
    case MB_FORMAT_WEBP:
        return mb_webp_encode(out, n, image, spec, err);
    case MB_FORMAT_JPEG:
        return mb_jpeg_encode(out, n, image, spec, err);
    case MB_FORMAT_AUTO:
    case MB_FORMAT_PNG:
        break;
    }
    return mb_png_encode(task, out, n, image, spec, err);
}

/* Encoded in memory first, so that a file is written whole or not at all. */
mb_status mb_image_u8_save(const mb_task *task, const char *path, const mb_image *image, const mb_save_spec *spec,
                           mb_error *err)
{
    mb_status status;
    mb_save_spec s;
    void *bytes = NULL;
    size_t n = 0;
    char ext[8];
    mb_save_spec_init(&s);
    s = spec != NULL ? *spec : s;
    extension(ext, path);
    MB_TRY(mb_save_check_path(path, err));
    s.format = s.format == MB_FORMAT_AUTO ? format_of(ext) : s.format;
    MB_TRY(mb_image_u8_encode(task, &bytes, &n, image, &s, err));
    MB_TRY(mb_write_file(path, bytes, n, s.replace, err));
done:
    mb_free(bytes);
    return status;
}
