/* The mask or trimap that belongs to each photo: one file for one photo, or a folder with one for each,
 * found by name beside the same tree of folders.
 *
 * Every tool has its own way to name a mask, so several are tried, the likeliest first (form_name); then
 * the same in other letters. guide_names lists them for the message that says that none was found. */
#include "inputs.h"
#include "message.h"

#include "core/os_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The part of a photo's name that a mask's name is made of. */
typedef struct photo_name {
    const char *name; /* without folders */
    int stem;         /* length without the extension */
    char frame[16];   /* ".0003" of a frame that has a mask of its own; else "" */
} photo_name;

/* A name that begins with its only dot has no extension. */
static photo_name name_of(const char *photo)
{
    const char *name = mb_os_file_name(photo);
    const char *dot = strrchr(name, '.');
    return (photo_name){name, (int)(dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name)), ""};
}

static const char *const extensions[] = {"png", "webp", "jpg", "jpeg", "tif", "tiff", "bmp", "tga", "pgm"};
enum { N_EXTENSIONS = sizeof extensions / sizeof extensions[0], N_FORMS = 7 };

/* The names that tools give to masks, the likeliest first: cat.mask, cat_mask, cat-mask, cat.alpha, cat, mask_cat,
 * cat.jpg; each with every extension. */
static void form_name(char *dst, size_t bytes, const photo_name *p, const char *kind, int form, const char *extension)
{
    static const char *const join[N_FORMS] = {".", "_", "-", ".", "", "_", ""};
    const char *const word[N_FORMS] = {kind, kind, kind, "alpha", "", kind, ""};
    if (form == 5) {
        (void)snprintf(dst, bytes, "%s%s%.*s%s.%s", word[form], join[form], p->stem, p->name, p->frame, extension);
    } else if (form == 6) {
        (void)snprintf(dst, bytes, "%s.%s", p->name, extension);
    } else {
        (void)snprintf(dst, bytes, "%.*s%s%s%s.%s", p->stem, p->name, p->frame, join[form], word[form], extension);
    }
}

/* One name of each form: nine extensions of each would hide the forms. */
char *guide_names(char *dst, size_t dst_bytes, const char *photo, const char *kind)
{
    const photo_name p = name_of(photo);
    size_t at = 0;
    dst[0] = '\0';
    for (int form = 0; form < N_FORMS; form++) {
        char name[300];
        form_name(name, sizeof name, &p, kind, form, "png");
        int n = snprintf(dst + at, dst_bytes - at, "%s%.60s", form > 0 ? ", " : "", name);
        at = n > 0 && at + (size_t)n < dst_bytes ? at + (size_t)n : dst_bytes - 1;
    }
    return dst;
}

/* A file that is not the photo itself: a photo is not its own mask. */
static int suits(const char *path, const item *it)
{
    mb_os_info s;
    return mb_os_look(&s, path) == 0 && s.kind == MB_OS_FILE &&
           !(it->exists && s.device == it->device && s.file == it->inode);
}

/* The same names in other letters (CAT.PNG of cameras and Windows), by a walk through the folder. */
static char *find_in_any_case(const char *folder, const item *it, const char *kind)
{
    const photo_name p = name_of(it->path);
    char **entries, *found = NULL, name[300];
    size_t n;
    if (mb_os_list(&entries, &n, folder) != 0) {
        return NULL;
    }
    for (int form = 0; form < N_FORMS && n > 0; form++) {
        for (int e = 0; e < N_EXTENSIONS; e++) {
            form_name(name, sizeof name, &p, kind, form, extensions[e]);
            for (size_t i = 0; i < n && found == NULL; i++) { /* in a fixed order: files may differ in case alone */
                char *path = strcasecmp(entries[i], name) == 0 ? text_of("%s/%s", folder, entries[i]) : NULL;
                if (path != NULL && suits(path, it)) {
                    found = path;
                } else {
                    free(path);
                }
            }
        }
    }
    mb_os_free_names(entries, n);
    return found;
}

/* The first of the usual names that exists in `folder`; NULL if none does (or without memory). */
static char *find_guide(const char *folder, const item *it, const char *kind, const char *frame)
{
    photo_name p = name_of(it->path);
    char *below = text_of("%s%s%s", folder, it->below[0] != '\0' ? "/" : "", it->below), *found = NULL, name[300];
    (void)snprintf(p.frame, sizeof p.frame, "%s", frame);
    for (int form = 0; below != NULL && found == NULL && form < N_FORMS; form++) {
        for (int e = 0; found == NULL && e < N_EXTENSIONS; e++) {
            form_name(name, sizeof name, &p, kind, form, extensions[e]);
            char *path = text_of("%s/%s", below, name);
            if (path != NULL && suits(path, it)) {
                found = path;
            } else {
                free(path);
            }
        }
    }
    if (found == NULL && below != NULL && frame[0] == '\0') {
        found = find_in_any_case(below, it, kind);
    }
    free(below);
    return found;
}

/* A file serves one photo. In a folder every photo has a mask of its own, found by name in the same sub-
 * folder; a photo without one fails by itself, later. */
int inputs_attach_guides(item_list *list, const args *a)
{
    const char *given = a->mask_from != NULL ? a->mask_from : a->trimap_from;
    const char *kind = a->mask_from != NULL ? "mask" : "trimap";
    mb_os_info s;
    if (mb_os_look(&s, given) != 0) {
        if (strcmp(given, "-") == 0) {
            return message_error(CODE_USAGE, "name a file or a folder", "--%s -: a %s is not read from standard input",
                                 kind, kind);
        }
        (void)report_missing(given, NULL);
        return CODE_USAGE;
    }
    if (s.kind != MB_OS_FOLDER) {
        if (list->n_files > 1) {
            return message_error(CODE_USAGE, "name a folder with one for each", "%s is one %s for %d photos", given,
                                 kind, list->n_files);
        }
        int code = CODE_OK;
        for (int i = 0; i < list->n && code == CODE_OK; i++) {
            list->v[i].guide = text_of("%s", given);
            code = list->v[i].guide != NULL ? CODE_OK : message_error(CODE_MACHINE, NULL, "out of memory");
        }
        return code;
    }
    for (int i = 0; i < list->n; i++) { /* what is missing is reported with its photo: the others go on */
        char frame[16] = "";
        if (list->v[i].frame > 0) {
            (void)snprintf(frame, sizeof frame, ".%04d", list->v[i].frame);
            list->v[i].guide = find_guide(given, &list->v[i], kind, frame);
        }
        if (list->v[i].guide == NULL) {
            list->v[i].guide = find_guide(given, &list->v[i], kind, "");
        }
    }
    return CODE_OK;
}
