/* Collecting inputs: named files, folders (recursive, sorted, without hidden files and loops), lists,
 * stdin.
 *
 * The list is complete before anything is decoded, since names and clashes of all results depend on it.
 * Whether a named file can be read or decoded is found out later, by its job: one bad file must not keep
 * the others. */
#include "inputs.h"
#include "commands.h"
#include "message.h"

#include "core/os_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_DEPTH 64 /* of folders: beyond, something loops in a way that identities do not show */

/* Twice through vsnprintf: once for the length. */
char *text_of(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *text = n < 0 ? NULL : malloc((size_t)n + 1);
    if (text != NULL) {
        va_start(list, format);
        (void)vsnprintf(text, (size_t)n + 1, format, list);
        va_end(list);
    }
    return text;
}

/* "a/b.png" -> "a", "/b.png" -> "/"; on Windows "C:/b.png" -> "C:/", and "C:b.png", in the current folder of that drive, -> "C:.". */
char *folder_of_path(const char *path)
{
    const char *name = mb_os_file_name(path);
    size_t n = (size_t)(name - path);
    if (n == 0) {
        return text_of(".");
    }
    if (path[n - 1] != '/') {
        return text_of("%.*s.", (int)n, path);
    }
    int root = n == 1 || path[n - 2] == ':';
    return text_of("%.*s", (int)(root ? n : n - 1), path);
}

/* The word in file names and reports. What refine writes is alpha, and a cut-out over a background is a
 * composite. */
const char *out_kind_name(out_kind kind, const args *a)
{
    static const char *const names[OUT_KINDS] = {"cutout", "mask", "trimap"};
    if (kind == OUT_MASK && a->command->bit == CMD_REFINE) {
        return "alpha";
    }
    return kind == OUT_CUTOUT && a->background != NULL && strcmp(a->background, "none") != 0 ? "composite"
                                                                                             : names[kind];
}

static int no_memory(void)
{
    return message_error(CODE_MACHINE, NULL, "out of memory");
}

/* Remembers the file's identity (device and inode), by which guides.c sees that a photo is not its own
 * mask, whatever it is called. A file that does not exist is an item too: it is reported in its turn. */
static int add_item(item_list *list, const char *path, const char *below, int from_folder)
{
    if (list->n == list->capacity) {
        int capacity = list->capacity > 0 ? 2 * list->capacity : 16;
        item *v = realloc(list->v, (size_t)capacity * sizeof *v);
        if (v == NULL) {
            return no_memory();
        }
        list->v = v;
        list->capacity = capacity;
    }
    item *it = &list->v[list->n];
    *it = (item){.path = text_of("%s", path), .below = text_of("%s", below), .from_folder = from_folder};
    list->n++;
    if (it->path == NULL || it->below == NULL) {
        return no_memory();
    }
    mb_os_info s;
    if (mb_os_look(&s, path) == 0) {
        it->exists = 1;
        it->device = s.device;
        it->inode = s.file;
    }
    return CODE_OK;
}

int inputs_add(item_list *list, const char *path, const char *below)
{
    return add_item(list, path, below, 1);
}

static void dispose_item(item *it)
{
    free(it->path);
    free(it->below);
    free(it->guide);
    free(it->refused);
    for (int k = 0; k < OUT_KINDS; k++) {
        free(it->out[k]);
    }
}

/* Results of an earlier run in the same folder. */
int inputs_is_result(const char *name)
{
    static const char *const kinds[] = {".cutout", ".mask", ".trimap", ".composite", ".alpha"};
    static const char *const ends[] = {".png", ".webp", ".jpg"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] * (sizeof ends / sizeof ends[0]); i++) {
        char ending[32];
        int k = snprintf(ending, sizeof ending, "%s%s", kinds[i / 3], ends[i % 3]);
        size_t n = strlen(name);
        if (n > (size_t)k && strcmp(name + n - (size_t)k, ending) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Called a picture: an empty or overwritten one shall not be passed over as if it were a text. */
static int has_picture_name(const char *name)
{
    static const char *const ends[] = {".jpg",  ".jpeg", ".png", ".webp", ".tif", ".tiff", ".heic",
                                       ".heif", ".avif", ".jxl", ".gif",  ".bmp", ".psd"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof ends / sizeof ends[0]; i++) {
        if (strcasecmp(dot, ends[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Reads the first bytes only. In folders the type decides what is a picture, whatever the extension. */
int inputs_is_picture(const char *path)
{
    mb_image_source source = {.size = sizeof source};
    return mb_image_probe(&source, path, NULL) != MB_E_MISMATCH; /* damaged ones are tried, and reported */
}

/* Folders that have been walked: a symbolic link to one of them is left out, so that links to each other's parents
 * cannot multiply the work. */
typedef struct folder_set {
    struct folder_id {
        uint64_t device, file;
    } * v;
    size_t n, capacity;
} folder_set;

/* A list is enough: folders are few compared with their files. */
static int folder_known(const folder_set *f, const mb_os_info *s)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].device == s->device && f->v[i].file == s->file) {
            return 1;
        }
    }
    return 0;
}

static int folder_add(folder_set *f, const mb_os_info *s)
{
    if (f->n == f->capacity) {
        size_t capacity = f->capacity > 0 ? 2 * f->capacity : 64;
        struct folder_id *v = realloc(f->v, capacity * sizeof *v);
        if (v == NULL) {
            return no_memory();
        }
        f->v = v;
        f->capacity = capacity;
    }
    f->v[f->n++] = (struct folder_id){s->device, s->file};
    return CODE_OK;
}

/* The folders we are in, to see symbolic links that lead back. */
typedef struct trail {
    const struct trail *up;
    folder_set *walked;
    uint64_t device, file;
    int depth;
} trail;

static int walk(item_list *list, const char *folder, const char *below, const trail *up);

/* One entry of a folder. Symbolic links are followed, but not into a folder that we are in or that has
 * been walked; results of earlier runs are not taken for photos. */
static int walk_entry(item_list *list, const char *folder, const char *below, const char *name, const trail *here)
{
    int code = CODE_OK;
    size_t n = strlen(folder);
    char *path = text_of("%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
    char *inner = text_of("%s%s%s", below, below[0] != '\0' ? "/" : "", name);
    mb_os_info s;
    char why[128];
    int looked = path != NULL && inner != NULL ? mb_os_look(&s, path) : 0;
    if (path == NULL || inner == NULL) {
        code = no_memory();
    } else if (looked != 0) {
        if (looked == ENOENT || looked == ELOOP) { /* a dangling link, or gone meanwhile */
            message_warning(path, mb_os_error_text(looked, why, sizeof why));
        } else {
            list->unread++;
            (void)message_error(CODE_SOME, NULL, "%s: %s", path, mb_os_error_text(looked, why, sizeof why));
        }
    } else if (s.kind == MB_OS_FOLDER) {
        mb_os_info entry;
        int loop = here->depth >= MAX_DEPTH ||
                   (mb_os_look_here(&entry, path) == 0 && entry.kind == MB_OS_LINK && folder_known(here->walked, &s));
        for (const trail *t = here; t->up != NULL; t = t->up) {
            loop |= t->device == s.device && t->file == s.file;
        }
        code = loop ? CODE_OK : walk(list, path, inner, here);
    } else if (s.kind == MB_OS_FILE && !inputs_is_result(name)) {
        if (inputs_is_picture(path) || has_picture_name(name)) { /* what is none fails, and the others go on */
            code = add_item(list, path, below, 1);
        } else {
            list->not_pictures++;
            message_note("%s: not a picture, left out", path);
        }
    }
    free(path);
    free(inner);
    return code;
}

/* A folder's entries in byte order, so that a run can be repeated and --shard means the same on every
 * machine. What cannot be read is said, and makes the exit code that of a failed picture: the rest of the tree is
 * still done. */
static int walk(item_list *list, const char *folder, const char *below, const trail *up)
{
    mb_os_info s;
    char **entries = NULL, why[128];
    size_t n;
    int code = mb_os_look(&s, folder);
    if (code != 0) {
        (void)message_error(CODE_SOME, NULL, "%s: %s", folder, mb_os_error_text(code, why, sizeof why));
        list->unread++;
        return CODE_OK;
    }
    /* Before the entries, so that a link inside to this very folder is seen. */
    trail here = {up, up->walked, s.device, s.file, up->depth + 1};
    if (folder_add(here.walked, &s) != CODE_OK) {
        return CODE_MACHINE;
    }
    code = mb_os_list(&entries, &n, folder);
    if (code != 0) {
        (void)message_error(CODE_SOME, NULL, "%s: %s", folder, mb_os_error_text(code, why, sizeof why));
        list->unread++;
        return CODE_OK;
    }
    code = CODE_OK;
    for (size_t i = 0; i < n && code == CODE_OK; i++) {
        if (interrupted()) {
            code = CODE_INTERRUPTED;
        } else if (entries[i][0] != '.') {
            code = walk_entry(list, folder, below, entries[i], &here);
        }
    }
    mb_os_free_names(entries, n);
    return code;
}

/* A named folder is walked; a named file is taken as it is, whatever its name or type. */
static int add_path(item_list *list, const char *path)
{
    if (strcmp(path, "-") != 0 && mb_os_is_folder(path)) {
        folder_set walked = {0};
        const trail top = {NULL, &walked, 0, 0, -1};
        int code = walk(list, path, "", &top);
        free(walked.v);
        return code;
    }
    return add_item(list, path, "", 0);
}

/* The bytes up to the separator or the end, without it, with a zero behind. False: nothing is left, or no memory. */
static int read_line(char **line, size_t *capacity, size_t *n, int separator, FILE *f)
{
    int c = EOF, any = 0;
    *n = 0;
    for (;;) {
        if (*n + 1 >= *capacity) {
            size_t larger = *capacity > 0 ? 2 * *capacity : 256;
            char *more = realloc(*line, larger);
            if (more == NULL) {
                return 0;
            }
            *line = more;
            *capacity = larger;
        }
        c = getc(f);
        any |= c != EOF;
        if (c == EOF || c == separator) {
            (*line)[*n] = '\0';
            return any;
        }
        (*line)[(*n)++] = (char)c;
    }
}

/* Lines may name folders too. Empty lines are skipped, names may hold anything but the separator. */
static int add_from_list(item_list *list, const args *a)
{
    FILE *f = strcmp(a->files_from, "-") == 0 ? stdin : mb_os_fopen(a->files_from, "rb");
    if (f == NULL) {
        return message_error(CODE_USAGE, NULL, "%s: %s", a->files_from, strerror(errno));
    }
    char *line = NULL;
    size_t capacity = 0, n;
    int code = CODE_OK, first = 1, separator = a->null_separated ? '\0' : '\n';
    while (code == CODE_OK && read_line(&line, &capacity, &n, separator, f)) {
        if (separator == '\n' && n > 0 && line[n - 1] == '\r') { /* written on Windows */
            line[--n] = '\0';
        }
        if (first) {
            first = 0;
            if (strncmp(line, "\xff\xfe", 2) == 0 || strncmp(line, "\xfe\xff", 2) == 0) {
                code = message_error(CODE_USAGE, "save it as UTF-8 (PowerShell: Out-File -Encoding utf8)",
                                     "%s: this list is in UTF-16", a->files_from);
                break;
            }
            if (strncmp(line, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
                memmove(line, line + 3, n - 2);
                n -= 3;
            }
        }
        if (n > 0) {
            code = add_path(list, mb_os_tidy_path(line));
        }
    }
    free(line);
    if (f != stdin) {
        (void)fclose(f);
    }
    return code;
}

/* --shard I/N: the items I-1, I-1+N, ... of the sorted list are ours. */
int inputs_mark_shard(item_list *list, const args *a)
{
    const char *shard = a->shard;
    int index = 0, count = 0, used = 0, at = -1;
    if (shard == NULL) {
        return CODE_OK;
    }
    if (sscanf(shard, "%9d/%9d%n", &index, &count, &used) != 2 || shard[used] != '\0' || index < 1 || index > count) {
        return message_error(CODE_USAGE,
                             "the first is 1/N: SLURM_ARRAY_TASK_ID counts as --array says, JOB_COMPLETION_INDEX "
                             "from 0",
                             "--shard %s: I/N with 1 <= I <= N, as in 2/8", shard);
    }
    for (int i = 0; i < list->n; i++) {
        at += !(list->v[i].together && list->v[i].frame > 1);
        list->v[i].elsewhere = at % count != index - 1;
    }
    return CODE_OK;
}

void inputs_drop_elsewhere(item_list *list)
{
    int kept = 0;
    list->missing = 0;
    for (int i = 0; i < list->n; i++) {
        if (list->v[i].elsewhere) {
            dispose_item(&list->v[i]);
        } else {
            list->missing += !list->v[i].exists;
            list->v[kept++] = list->v[i];
        }
    }
    list->n = kept;
}

/* In the order of the command line, lists last. --shard counts after sorting, over everything that was
 * found. "-" must be alone: its result goes to stdout, which takes one picture. */
int inputs_collect(item_list *list, const args *a)
{
    *list = (item_list){0};
    int code = CODE_OK;
    for (int i = 0; i < a->n_paths && code == CODE_OK; i++) {
        code = add_path(list, a->paths[i]);
    }
    if (code == CODE_OK && a->files_from != NULL) {
        code = add_from_list(list, a);
    }
    for (int i = 0; i < list->n; i++) {
        int from_stdin = strcmp(list->v[i].path, "-") == 0;
        list->v[i].exists |= from_stdin;
        list->missing += !list->v[i].exists;
        if (from_stdin && list->n > 1) {
            return message_error(CODE_USAGE, "run it once for stdin and once for the files",
                                 "- goes with no other input");
        }
    }
    if (code == CODE_OK && list->n == 0 && a->shard == NULL) {
        if (a->n_paths == 0 && a->files_from == NULL) {
            return message_error(CODE_USAGE, "mattebox PHOTO, or mattebox help", "no photo given");
        }
        return message_error(CODE_USAGE, NULL, "no pictures found in %s (%d other files)",
                             a->n_paths > 0 ? a->paths[0] : a->files_from, list->not_pictures);
    }
    return code;
}

void inputs_dispose(item_list *list)
{
    for (int i = 0; i < list->n; i++) {
        dispose_item(&list->v[i]);
    }
    free(list->v);
    *list = (item_list){0};
}

/* The command that the first word was likely to be: it is taken for a photo where it is none. NULL: no such. */
static const char *near_command(const char *path, const args *a)
{
    const char *names[32];
    int n = 0;
    if (a == NULL || a->command_named || a->n_paths < 1 || strcmp(path, a->paths[0]) != 0 ||
        strpbrk(path, "./\\") != NULL) {
        return NULL;
    }
    for (; n < n_commands && n < (int)(sizeof names / sizeof names[0]); n++) {
        names[n] = commands[n].name;
    }
    return nearest_name(path, names, n);
}

/* Looks for the likeliest mistake: a pattern that the shell has not expanded, a command or a name with a letter
 * wrong, the latter in a folder that does exist. */
int report_missing(const char *path, const args *a)
{
    char why[256];
    if (mb_os_name_trouble(why, sizeof why, path)) {
        return message_error(CODE_SOME, why, "%s: no such file", path);
    }
    if (strpbrk(path, "*?[") != NULL) {
        return message_error(CODE_SOME, "the shell expands patterns: drop the quotes", "%s: no such file", path);
    }
    const char *name = mb_os_file_name(path);
    char *folder = folder_of_path(path);
    char **entries = NULL;
    size_t n = 0;
    char hint[300] = "";
    const char *near = near_command(path, a);
    if (near != NULL) {
        (void)snprintf(hint, sizeof hint, "did you mean the command %s?", near);
    }
    if (folder != NULL && mb_os_list(&entries, &n, folder) != 0) {
        n = 0;
    }
    for (size_t i = 0; i < n; i++) {
        const char *candidate = entries[i];
        if (hint[0] == '\0' && candidate[0] != '.' && strcmp(name, candidate) != 0 &&
            nearest_name(name, &candidate, 1) != NULL) {
            (void)snprintf(hint, sizeof hint, "did you mean %.*s%s?", (int)(name - path), path, candidate);
        }
    }
    mb_os_free_names(entries, n);
    free(folder);
    return message_error(CODE_SOME, hint, "%s: no such file", path);
}
