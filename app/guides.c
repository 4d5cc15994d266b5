/* The mask or trimap that belongs to each photo: one file for one photo, or a folder with one for each,
 * found by name beside the same tree of folders.
 *
 * Names that are tried: photo.mask.png, photo_mask.png, photo-mask.png, photo.alpha.png, photo.png,
 * photo.webp, photo.jpg; with "trimap" instead of "mask" for --trimap. */
#include "inputs.h"
#include "message.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_file(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* The first of the usual names that exists in `folder`; NULL if none does (or without memory). */
static char *find_guide(const char *folder, const item *it, const char *kind)
{
    const char *slash = strrchr(it->path, '/'), *name = slash != NULL ? slash + 1 : it->path;
    const char *dot = strrchr(name, '.');
    int stem = (int)(dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
    const struct {
        const char *join, *kind, *end;
    } names[] = {{".", kind, ".png"}, {"_", kind, ".png"}, {"-", kind, ".png"}, {".", "alpha", ".png"},
                 {"", "", ".png"},    {"", "", ".webp"},   {"", "", ".jpg"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = text_of("%s/%s%s%.*s%s%s%s", folder, it->below, it->below[0] != '\0' ? "/" : "", stem, name,
                             names[i].join, names[i].kind, names[i].end);
        struct stat s;
        if (path != NULL && is_file(path) && stat(path, &s) == 0 &&
            !(it->exists && s.st_dev == it->device && s.st_ino == it->inode)) { /* the photo is not its own mask */
            return path;
        }
        free(path);
    }
    return NULL;
}

/* A file serves one photo. In a folder every photo has a mask of its own, found by name in the same sub-
 * folder; a photo without one fails by itself, later. */
int inputs_attach_guides(item_list *list, const args *a)
{
    const char *given = a->mask_from != NULL ? a->mask_from : a->trimap_from;
    const char *kind = a->mask_from != NULL ? "mask" : "trimap";
    struct stat s;
    if (stat(given, &s) != 0) {
        (void)report_missing(given);
        return CODE_USAGE;
    }
    if (!S_ISDIR(s.st_mode)) {
        if (list->n > 1) {
            return message_error(CODE_USAGE, "name a folder with one for each", "%s is one %s for %d photos", given,
                                 kind, list->n);
        }
        list->v[0].guide = text_of("%s", given);
        return list->v[0].guide != NULL ? CODE_OK : message_error(CODE_MACHINE, NULL, "out of memory");
    }
    for (int i = 0; i < list->n; i++) { /* what is missing is reported with its photo: the others go on */
        list->v[i].guide = find_guide(given, &list->v[i], kind);
    }
    return CODE_OK;
}
