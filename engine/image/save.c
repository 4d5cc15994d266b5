/* Which format a path asks for, and the way to the disk. */
#include "image/save.h"

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

mb_status mb_save_check_path(const char *path, mb_error *err)
{
    static const char *const others[] = {"jpg", "jpeg", "gif",  "bmp", "tif", "tiff", "tga",
                                         "psd", "heic", "avif", "jxl", "ppm", "pgm",  "hdr"};
    char ext[8];
    extension(ext, path);
#if !MB_HAVE_WEBP
    if (strcmp(ext, "webp") == 0) {
        return mb_fail(err, MB_E_UNSUPPORTED, "%.200s: WebP is not in this build\nwrite a PNG", path);
    }
#endif
    if (strcmp(ext, "jpg") == 0 || strcmp(ext, "jpeg") == 0) {
        return mb_fail(err, MB_E_UNSUPPORTED, "%.200s: JPEG has no transparency\nwrite a PNG", path);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(ext, others[i]) == 0) {
            return mb_fail(err, MB_E_UNSUPPORTED, "%.200s: .%s files cannot be written here\nwrite a PNG", path, ext);
        }
    }
    return MB_OK;
}

mb_status mb_picture_save(const char *path, const mb_image *image, const mb_save_spec *spec, mb_pool *pool,
                          mb_error *err)
{
    mb_status status;
    mb_save_spec standard;
    void *bytes = NULL;
    size_t n = 0;
    char ext[8];
    mb_save_spec_init(&standard);
    spec = spec != NULL ? spec : &standard;
    extension(ext, path);
    MB_TRY(mb_save_check_path(path, err));
    if (strcmp(ext, "webp") == 0) {
        MB_TRY(mb_webp_encode(&bytes, &n, image, spec, err));
    } else {
        MB_TRY(mb_png_encode(&bytes, &n, image, spec, pool, err));
    }
    MB_TRY(mb_write_file(path, bytes, n, spec->replace, err));
done:
    mb_free(bytes);
    return status;
}
