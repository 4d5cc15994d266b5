#include "core/sized.h"

#include <string.h>

/* A size of 0 means that the caller forgot to initialise the struct; a huge one, that it is garbage. */
mb_status mb_check_sized(const void *sized, const char *type, mb_error *err)
{
    size_t size;
    memcpy(&size, sized, sizeof size);
    if (size < sizeof size || size > 65536) {
        return mb_fail(err, MB_E_ARGUMENT,
                       "%s.size is %zu\nset it to sizeof(%s), or call the function that initialises it", type, size,
                       type);
    }
    return MB_OK;
}

/* A longer struct of a newer caller is cut: fields that we do not know cannot act. */
mb_status mb_copy_sized(void *dst, size_t known, const void *src, const char *type, mb_error *err)
{
    size_t size;
    mb_status status = mb_check_sized(src, type, err);
    if (status == MB_OK) {
        memcpy(&size, src, sizeof size);
        memcpy(dst, src, size < known ? size : known);
        memcpy(dst, &known, sizeof known);
    }
    return status;
}

/* An older caller gets the fields that it knows. */
void mb_return_sized(void *dst, const void *src, size_t known)
{
    size_t size;
    memcpy(&size, dst, sizeof size);
    memcpy(dst, src, size < known ? size : known);
    memcpy(dst, &size, sizeof size);
}
