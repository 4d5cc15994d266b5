/* Naming results and refusing, before any work, whatever would lose something: two results of one name,
 * results that exist, results that are inputs.
 *
 * Three passes over the whole list: names, clashes between results, results that exist. Only when all
 * three have passed is a picture decoded. Identity is that of the file system (device and inode), so that
 * links, other spellings and relative paths cannot hide that two names are one file. */
#include "inputs.h"
#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_memory(void)
{
    return message_error(CODE_MACHINE, NULL, "out of memory");
}

static int is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* mkdir -p. Folders above that exist or cannot be made are no error by themselves: only the last
 * one counts. */
static int make_folder(const char *path)
{
    char *p = text_of("%s", path);
    if (p == NULL) {
        return no_memory();
    }
    for (char *c = p + 1; *c != '\0'; c++) {
        if (*c == '/') {
            *c = '\0';
            (void)mkdir(p, 0777);
            *c = '/';
        }
    }
    int why = mkdir(p, 0777) != 0 ? errno : 0, bad = why != 0 && !is_folder(p);
    free(p);
    return bad ? message_error(CODE_OUTPUT, NULL, "%s: cannot make this folder: %s", path, strerror(why)) : CODE_OK;
}

/* The parts of a path that templates speak of. */
typedef struct parts {
    char *dir;
    const char *stem, *ext;
    int stem_length;
} parts;

/* The extension is what follows the last dot, but a name that begins with its only dot has none. */
static parts split(const char *path)
{
    parts p = {0};
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name) {
        dot = name + strlen(name);
    }
    if (slash == NULL) {
        p.dir = text_of(".");
    } else {
        p.dir = text_of("%.*s", slash == path ? 1 : (int)(slash - path), path);
    }
    p.stem = name;
    p.stem_length = (int)(dot - name);
    p.ext = *dot == '.' ? dot + 1 : "";
    return p;
}

/* Replaces {dir}, {stem}, {ext}, {kind}; NULL without memory or with an unknown word. */
static char *fill_template(const char *template, const parts *p, const char *dir, const char *kind)
{
    char text[PATH_MAX];
    size_t at = 0;
    while (*template != '\0' && at + 1 < sizeof text) {
        if (*template != '{') {
            text[at++] = *template ++;
            continue;
        }
        size_t n = strcspn(template, "}");
        int used = -1;
        if (strncmp(template, "{dir}", n + 1) == 0) {
            used = snprintf(text + at, sizeof text - at, "%s", dir);
        } else if (strncmp(template, "{stem}", n + 1) == 0) {
            used = snprintf(text + at, sizeof text - at, "%.*s", p->stem_length, p->stem);
        } else if (strncmp(template, "{ext}", n + 1) == 0) {
            used = snprintf(text + at, sizeof text - at, "%s", p->ext);
        } else if (strncmp(template, "{kind}", n + 1) == 0) {
            used = snprintf(text + at, sizeof text - at, "%s", kind);
        }
        if (used < 0 || (size_t)used >= sizeof text - at) {
            return NULL;
        }
        at += (size_t)used;
        template += n + 1;
    }
    text[at] = '\0';
    /* "./photo.cutout.png" for an input without a folder reads better without "./". */
    return text_of("%s", strncmp(text, "./", 2) == 0 && strcmp(dir, ".") == 0 ? text + 2 : text);
}

/* -o FILE for the single input: the main result takes the name, others get .KIND before its extension. */
static char *name_single(const args *a, out_kind kind, out_kind main_kind)
{
    if (kind == main_kind) {
        return text_of("%s", a->output);
    }
    parts p = split(a->output);
    char *name = p.dir == NULL
                     ? NULL
                     : text_of("%s%s%.*s.%s.png", strcmp(p.dir, ".") == 0 ? "" : p.dir,
                               strcmp(p.dir, ".") == 0 ? "" : "/", p.stem_length, p.stem, out_kind_name(kind, a));
    free(p.dir);
    return name;
}

/* The format that a name asks for; AUTO if it says nothing. */
static mb_format format_of_name(const char *path)
{
    parts p = split(path);
    mb_format format = strcasecmp(p.ext, "png") == 0                                     ? MB_FORMAT_PNG
                       : strcasecmp(p.ext, "webp") == 0                                  ? MB_FORMAT_WEBP
                       : strcasecmp(p.ext, "jpg") == 0 || strcasecmp(p.ext, "jpeg") == 0 ? MB_FORMAT_JPEG
                                                                                         : MB_FORMAT_AUTO;
    free(p.dir);
    return format;
}

/* Refuses before any work what the encoder would refuse after it: an extension that cannot be written, a
 * name that says another format than --format, and transparency in a JPEG. */
static int check_format(const char *path, const args *a, out_kind kind)
{
    mb_error err = {0};
    mb_format named = format_of_name(path), wanted = (mb_format)a->format;
    if (strcmp(path, "-") != 0 && mb_image_check_path(path, &err) != MB_OK) {
        return message_status(CODE_USAGE, NULL, &err);
    }
    if (wanted != MB_FORMAT_AUTO && named != MB_FORMAT_AUTO && wanted != named) {
        return message_error(CODE_USAGE, "a file is what its name says", "%s with --format %s", path,
                             mb_format_name((int)wanted));
    }
    if ((wanted == MB_FORMAT_JPEG || named == MB_FORMAT_JPEG) && kind == OUT_CUTOUT && !a->opaque) {
        return message_error(CODE_USAGE, "--background white, or write a PNG", "%s: JPEG has no transparency", path);
    }
    return CODE_OK;
}

/* A format that was asked for names its own extension; --template is taken as it is. */
static const char *standard_template(const args *a)
{
    static const char *const templates[] = {"{dir}/{stem}.{kind}.png", "{dir}/{stem}.{kind}.png",
                                            "{dir}/{stem}.{kind}.webp", "{dir}/{stem}.{kind}.jpg"};
    return a->template != NULL ? a->template : templates[a->format];
}

/* The names of all results of one input: from -o, or from the template in -o's folder or the input's own.
 * The folder is made here, before any work, since that is the likeliest thing to fail. */
static int name_item(item *it, const args *a, const int wanted[OUT_KINDS], int into_folder)
{
    out_kind main_kind = wanted[OUT_CUTOUT] ? OUT_CUTOUT : wanted[OUT_MASK] ? OUT_MASK : OUT_TRIMAP;
    parts p = split(strcmp(it->path, "-") == 0 ? "stdin" : it->path);
    char *dir = NULL;
    int code = CODE_OK;
    if (p.dir != NULL && into_folder) {
        size_t n = strlen(a->output);
        dir = text_of("%.*s%s%s", (int)(n > 1 && a->output[n - 1] == '/' ? n - 1 : n), a->output,
                      it->below[0] != '\0' ? "/" : "", it->below);
        code = dir != NULL ? make_folder(dir) : CODE_OK;
    } else if (p.dir != NULL) {
        dir = text_of("%s", p.dir);
    }
    for (int k = 0; k < OUT_KINDS && code == CODE_OK; k++) {
        if (!wanted[k]) {
            continue;
        }
        if (a->output != NULL && !into_folder) {
            it->out[k] = name_single(a, (out_kind)k, main_kind);
        } else if (dir != NULL) {
            it->out[k] = fill_template(standard_template(a), &p, dir, out_kind_name((out_kind)k, a));
        }
        if (it->out[k] == NULL) {
            code = message_error(CODE_USAGE, "it may hold {dir}, {stem}, {ext} and {kind}",
                                 "%s: no name for its result", it->path);
        } else {
            code = check_format(it->out[k], a, (out_kind)k);
        }
    }
    free(p.dir);
    free(dir);
    return code;
}

/* ---- clashes */

typedef struct claim {
    char *canonical;
    const item *by;
    const char *name;
} claim;

/* The folder with all links resolved, and the last part as it is: the result does not exist yet, so it
 * cannot be resolved itself. */
static char *canonical_path(const char *path)
{
    parts p = split(path);
    char *real = p.dir != NULL ? realpath(p.dir, NULL) : NULL;
    const char *slash = strrchr(path, '/');
    char *result = text_of("%s/%s", real != NULL ? real : (p.dir != NULL ? p.dir : "."), slash ? slash + 1 : path);
    free(real);
    free(p.dir);
    return result;
}

static int by_canonical(const void *a, const void *b)
{
    return strcmp(((const claim *)a)->canonical, ((const claim *)b)->canonical);
}

/* Sorted, so that two results of one name stand side by side. The message names the inputs in a fixed
 * order, whatever the sort did. */
static int compare_claims(claim *claims, size_t n)
{
    qsort(claims, n, sizeof *claims, by_canonical);
    for (size_t i = 1; i < n; i++) {
        if (strcmp(claims[i].canonical, claims[i - 1].canonical) == 0) {
            const char *first = claims[i - 1].by->path, *second = claims[i].by->path;
            int swap = strcmp(first, second) > 0;
            return message_error(CODE_USAGE, "--template '{dir}/{stem}.{ext}.{kind}.png' keeps them apart",
                                 "%s and %s would both write %s", swap ? second : first, swap ? first : second,
                                 claims[i].name);
        }
    }
    return CODE_OK;
}

/* Two inputs with one result would silently lose the first: a.jpg and a.png in one folder, or two folders
 * flattened into one. */
static int find_clashes(const item_list *list)
{
    claim *claims = calloc((size_t)list->n * OUT_KINDS + 1, sizeof *claims);
    size_t n = 0;
    int code = claims == NULL ? no_memory() : CODE_OK;
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        for (int k = 0; k < OUT_KINDS && code == CODE_OK; k++) {
            if (list->v[i].out[k] != NULL) {
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

/* ---- results that exist */

/* By device and inode, for the binary search below. */
static int by_identity(const void *a, const void *b)
{
    const item *x = *(const item *const *)a, *y = *(const item *const *)b;
    if (x->device != y->device) {
        return x->device < y->device ? -1 : 1;
    }
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

/* Looks at what lies where the results of one input shall go. An input is never overwritten, not even with
 * --force and under whatever name it is reached; other files are, with --force. */
static int check_existing(item *it, const args *a, const item **sorted, size_t n_sorted)
{
    int n_wanted = 0, n_there = 0;
    const char *there = NULL;
    for (int k = 0; k < OUT_KINDS; k++) {
        struct stat s;
        if (it->out[k] == NULL || strcmp(it->out[k], "-") == 0) {
            continue;
        }
        n_wanted++;
        if (stat(it->out[k], &s) != 0) {
            if (lstat(it->out[k], &s) == 0) { /* a link to nothing: replacing it is replacing something */
                n_there++;
                there = it->out[k];
            }
            continue;
        }
        item probe = {.device = s.st_dev, .inode = s.st_ino};
        const item *key = &probe;
        const item *const *hit = bsearch(&key, sorted, n_sorted, sizeof *sorted, by_identity);
        if (hit != NULL) {
            return message_error(CODE_USAGE, "choose another name with -o; inputs are never overwritten",
                                 "%s is an input (%s)", it->out[k], (*hit)->path);
        }
        struct stat guide;
        if (it->guide != NULL && stat(it->guide, &guide) == 0 && guide.st_dev == s.st_dev && guide.st_ino == s.st_ino) {
            return message_error(CODE_USAGE, "choose another name with -o; inputs are never overwritten",
                                 "%s is an input (the mask)", it->out[k]);
        }
        if (S_ISDIR(s.st_mode)) {
            return message_error(CODE_USAGE, NULL, "%s is a folder", it->out[k]);
        }
        if (S_ISREG(s.st_mode)) { /* devices and pipes are written to, not replaced */
            n_there++;
            there = it->out[k];
        }
    }
    if (n_there > 0 && !a->force && !a->no_clobber) {
        return message_error(CODE_USAGE, "--force replaces, --no-clobber skips", "%s exists", there);
    }
    it->skip = a->no_clobber && n_there > 0 && n_there == n_wanted;
    return CODE_OK;
}

/* The inputs are sorted by identity once: a folder of a hundred thousand photos is still checked in no
 * time. */
static int find_existing(item_list *list, const args *a)
{
    const item **sorted = calloc((size_t)list->n + 1, sizeof *sorted);
    if (sorted == NULL) {
        return no_memory();
    }
    size_t n = 0;
    for (int i = 0; i < list->n; i++) {
        if (list->v[i].exists && strcmp(list->v[i].path, "-") != 0) {
            sorted[n++] = &list->v[i];
        }
    }
    qsort(sorted, n, sizeof *sorted, by_identity);
    int code = CODE_OK;
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        code = check_existing(&list->v[i], a, sorted, n);
    }
    free(sorted);
    return code;
}

/* One result, not mixed with a report, and never to a terminal, which binary data would leave in disorder. */
static int name_to_stdout(item_list *list, const args *a, const int wanted[OUT_KINDS])
{
    int n_wanted = wanted[OUT_CUTOUT] + wanted[OUT_MASK] + wanted[OUT_TRIMAP];
    if (list->n != 1 || n_wanted != 1) {
        return message_error(CODE_USAGE, "-o DIR/", "stdout takes one result of one input");
    }
    if (a->json) {
        return message_error(CODE_USAGE, "-o FILE", "--json and the picture cannot both go to stdout");
    }
    if (isatty(STDOUT_FILENO)) {
        return message_error(CODE_USAGE, "-o FILE, or | cat", "refusing to write a PNG to the terminal");
    }
    for (int k = 0; k < OUT_KINDS; k++) {
        if (wanted[k] && (list->v[0].out[k] = text_of("-")) == NULL) {
            return no_memory();
        }
        int code = wanted[k] ? check_format("-", a, (out_kind)k) : CODE_OK;
        if (code != CODE_OK) {
            return code;
        }
    }
    return CODE_OK;
}

/* -o is a folder when it must be one (several inputs, a folder of inputs), when it looks like one (a slash
 * at the end), or when it is one. */
int outputs_name(item_list *list, const args *a, const int wanted[OUT_KINDS])
{
    int from_stdin = list->n == 1 && strcmp(list->v[0].path, "-") == 0;
    if ((a->output == NULL && from_stdin) || (a->output != NULL && strcmp(a->output, "-") == 0)) {
        return name_to_stdout(list, a, wanted);
    }
    /* Several results of one input never go to one file: the others get .KIND before the extension. */
    int into_folder = 0;
    if (a->output != NULL) {
        size_t n = strlen(a->output);
        into_folder =
            list->n > 1 || list->v[0].from_folder || (n > 0 && a->output[n - 1] == '/') || is_folder(a->output);
        if (n == 0) {
            return message_error(CODE_USAGE, NULL, "--output is empty");
        }
        if (into_folder && access(a->output, F_OK) == 0 && !is_folder(a->output)) {
            return message_error(CODE_USAGE, "-o DIR/", "%s is a file; several inputs need a folder", a->output);
        }
    }
    int code = CODE_OK;
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        if (list->v[i].exists) {
            code = name_item(&list->v[i], a, wanted, into_folder);
        }
    }
    if (code == CODE_OK) {
        code = find_clashes(list);
    }
    return code == CODE_OK ? find_existing(list, a) : code;
}
