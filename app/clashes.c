/* Two inputs with one result would silently lose the first: a.jpg and a.png in one folder, two folders flattened into one,
 * or A.jpg and a.jpg where the file system takes both for one name (Windows shares, exFAT, macOS).
 *
 * Whether it does is asked by an empty file of a lower-case name in that very folder, and only if two results differ in
 * nothing but case. */
#include "inputs.h"
#include "message.h"

#include "core/clock.h"
#include "core/os_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct claim {
    char *canonical;
    const item *by;
    const char *name;
} claim;

static int no_memory(void)
{
    return message_error(CODE_MACHINE, NULL, "out of memory");
}

/* The folder with all links resolved, and the last part as it is: the result does not exist yet, so it
 * cannot be resolved itself. */
static char *canonical_path(const char *path)
{
    char *folder = folder_of_path(path), real[MB_OS_PATH_BYTES];
    const int known = folder != NULL && mb_os_real_path(real, folder) == 0;
    char *result = text_of("%s/%s", known ? real : (folder != NULL ? folder : "."), mb_os_file_name(path));
    free(folder);
    return result;
}

static int by_canonical(const void *a, const void *b)
{
    return mb_os_compare_names(((const claim *)a)->canonical, ((const claim *)b)->canonical);
}

static int by_letters(const void *a, const void *b)
{
    return strcasecmp(((const claim *)a)->canonical, ((const claim *)b)->canonical);
}

/* The message names the inputs in a fixed order, whatever the sort did. */
static int refuse(const claim *a, const claim *b, const char *why)
{
    const char *first = a->by->path, *second = b->by->path;
    const int swap = strcmp(first, second) > 0;
    if (b->by->frame > 0 && strcmp(first, second) == 0) {
        return message_error(CODE_USAGE, "--template '{dir}/{stem}.{frame}.{kind}.png' keeps them apart",
                             "the frames of %s would all write %s", first, b->name);
    }
    return message_error(CODE_USAGE, CLASH_HINT, CLASH_TEXT "%s", swap ? second : first, swap ? first : second, b->name,
                         why);
}

/* Can a file of this folder be reached under its name in capitals? A folder that cannot be written to is no matter here. */
static int ignores_case(const char *path)
{
    char *folder = folder_of_path(path);
    char *probe = folder != NULL ? text_of("%s/.mattebox-probe-%.0f", folder, 1e3 * mb_clock_ms()) : NULL;
    char *capitals = NULL;
    int ignores = 0, file = -1;
    if (probe != NULL && mb_os_open(&file, probe, MB_OS_NEW) == 0) {
        capitals = text_of("%s", probe);
        for (char *c = capitals != NULL ? capitals + strlen(folder) : NULL; c != NULL && *c != '\0'; c++) {
            *c = (char)toupper((unsigned char)*c);
        }
        ignores = capitals != NULL && mb_os_exists(capitals);
        (void)mb_os_close(file);
        (void)mb_os_remove(probe);
    }
    free(capitals);
    free(probe);
    free(folder);
    return ignores;
}

/* Sorted, so that two results of one name stand side by side. */
static int compare_claims(claim *claims, size_t n)
{
    int code = CODE_OK;
    qsort(claims, n, sizeof *claims, by_canonical);
    for (size_t i = 1; i < n && code == CODE_OK; i++) {
        if (by_canonical(&claims[i], &claims[i - 1]) == 0) {
            code = refuse(&claims[i - 1], &claims[i], "");
        }
    }
    qsort(claims, n, sizeof *claims, by_letters);
    for (size_t i = 1; i < n && code == CODE_OK; i++) {
        if (by_letters(&claims[i], &claims[i - 1]) == 0 && ignores_case(claims[i].name)) {
            code = refuse(&claims[i - 1], &claims[i], " on this file system, which ignores the case of letters");
        }
    }
    return code;
}

int outputs_find_clashes(const item_list *list)
{
    claim *claims = calloc((size_t)list->n * OUT_KINDS + 1, sizeof *claims);
    size_t n = 0;
    int code = claims == NULL ? no_memory() : CODE_OK;
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        for (int k = 0; k < OUT_KINDS && code == CODE_OK; k++) {
            if (list->v[i].out[k] != NULL && !(list->v[i].together && list->v[i].frame > 1)) {
                claims[n] = (claim){canonical_path(list->v[i].out[k]), &list->v[i], list->v[i].out[k]};
                code = claims[n].canonical == NULL ? no_memory() : CODE_OK;
                n++;
            }
        }
    }
    if (code == CODE_OK) {
        code = compare_claims(claims, n);
    }
    for (size_t i = 0; i < n; i++) {
        free(claims[i].canonical);
    }
    free(claims);
    return code;
}
