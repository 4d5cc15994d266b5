/* Where the text of a licence is looked for. */
#include "licence.h"

#include "core/alloc.h"
#include "core/file.h"

#include <stdio.h>
#include <string.h>

#define MAX_LICENCE ((size_t)1 << 20)

/* Of "folder/name": with the slash, 0 where there is no folder. */
static int folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (int)(slash + 1 - path) : 0;
}

/* "license: mit" of the front matter of a model card. It lies between two lines of dashes. */
static bool card_licence(char *dst, size_t capacity, const char *text)
{
    const char *end = strncmp(text, "---", 3) == 0 ? strstr(text + 3, "\n---") : NULL;
    const char *at = end != NULL ? strstr(text, "\nlicense:") : NULL;
    if (at == NULL || at > end) {
        return false;
    }
    at += strlen("\nlicense:");
    at += strspn(at, " \t\"'");
    size_t n = strcspn(at, "\r\n\"'");
    if (n == 0 || n >= capacity) {
        return false;
    }
    (void)snprintf(dst, capacity, "%.*s (as the source's model card states)", (int)n, at);
    return true;
}

mb_status licence_find(char **out, const source *s, const char *told, const known_model *known, mb_error *err)
{
    const char *stated = source_meta(s, "licence");
    void *text = NULL;
    size_t n;
    *out = NULL;
    if (told != NULL && told[0] == '@') {
        mb_status status = mb_read_file(&text, &n, told + 1, MAX_LICENCE, err);
        *out = text;
        return status;
    }
    stated = stated != NULL ? stated : source_meta(s, "license");
    if (told == NULL && stated == NULL) {
        static const char *const names[] = {"LICENSE", "LICENSE.txt", "README.md"};
        const char *path = source_file_path(s, 0);
        char file[1300], card[200];
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            int m = snprintf(file, sizeof file, "%.*s%s", folder_length(path), path, names[i]);
            mb_status status =
                m > 0 && (size_t)m < sizeof file ? mb_read_file(&text, &n, file, MAX_LICENCE, NULL) : MB_E_IO;
            if (status == MB_E_MEMORY) {
                return mb_fail_memory(err, MAX_LICENCE, names[i]);
            }
            if (status != MB_OK) {
                continue; /* absent, or no text of a licence */
            }
            if (i < 2) {
                *out = text;
                return MB_OK;
            }
            stated = card_licence(card, sizeof card, text) ? card : NULL;
            mb_free(text);
        }
        stated = stated != NULL ? stated : known != NULL ? known->licence : NULL;
        *out = mb_strdup(stated != NULL ? stated : "not stated in the source");
        return *out != NULL ? MB_OK : mb_fail_memory(err, 64, "metadata");
    }
    *out = mb_strdup(told != NULL ? told : stated);
    return *out != NULL ? MB_OK : mb_fail_memory(err, 64, "metadata");
}
