/* Naming results and refusing, before any work, whatever would lose something: two results of one name,
 * results that exist, results that are inputs.
 *
 * Three passes over the whole list: names, clashes between results, results that exist. Only when all
 * three have passed is a picture decoded. Identity is that of the file system (device and inode), so that
 * links, other spellings and relative paths cannot hide that two names are one file. */
#include "inputs.h"
#include "message.h"

#include "core/os_file.h"
#include "core/os_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int no_memory(void)
{
    return message_error(CODE_MACHINE, NULL, "out of memory");
}

/* mkdir -p. */
static int make_folder(const char *path)
{
    char why[256];
    if (mb_os_name_trouble(why, sizeof why, path)) {
        return message_error(CODE_USAGE, NULL, "%s: %s", path, why);
    }
    int code = mb_os_make_folders(path);
    return code == 0 ? CODE_OK
                     : message_error(CODE_OUTPUT, NULL, "%s: cannot make this folder: %s", path,
                                     mb_os_error_text(code, why, sizeof why));
}

/* The parts of a path that templates speak of. */
typedef struct parts {
    char *dir;
    const char *stem, *ext;
    int stem_length;
    char frame[16]; /* "0003"; "" of a single picture */
} parts;

/* The extension is what follows the last dot, but a name that begins with its only dot has none. */
static parts split(const char *path)
{
    parts p = {.dir = folder_of_path(path)};
    const char *name = mb_os_file_name(path);
    const char *dot = strrchr(name, '.');
    if (dot == NULL || dot == name) {
        dot = name + strlen(name);
    }
    p.stem = name;
    p.stem_length = (int)(dot - name);
    p.ext = *dot == '.' ? dot + 1 : "";
    return p;
}

/* Replaces {dir}, {stem}, {ext}, {frame}, {kind}; NULL without memory or with an unknown word. */
static char *fill_template(const char *template, const parts *p, const char *dir, const char *kind)
{
    char text[MB_OS_PATH_BYTES];
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
        } else if (strncmp(template, "{frame}", n + 1) == 0) {
            used = snprintf(text + at, sizeof text - at, "%s", p->frame);
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
        if (*template == '/' && at > 0 && text[at - 1] == '/') {
            at--; /* {dir} is a root: "//photo" would be another computer's name on Windows */
        }
    }
    text[at] = '\0';
    /* "./photo.cutout.png" for an input without a folder reads better without "./". */
    return text_of("%s", strncmp(text, "./", 2) == 0 && strcmp(dir, ".") == 0 ? text + 2 : text);
}

/* -o FILE for the single input: the main result takes the name, others get .KIND and the extension of --format, or .png. */
static char *name_single(const args *a, out_kind kind, out_kind main_kind)
{
    if (kind == main_kind) {
        return text_of("%s", a->output);
    }
    static const char *const extensions[4] = {"png", "png", "webp", "jpg"};
    parts p = split(a->output);
    char *name = text_of("%.*s%.*s.%s.%s", (int)(p.stem - a->output), a->output, p.stem_length, p.stem,
                         out_kind_name(kind, a), extensions[a->format]);
    free(p.dir);
    return name;
}

mb_format outputs_format_of(const char *path)
{
    parts p = split(path);
    mb_format format = strcasecmp(p.ext, "png") == 0                                     ? MB_FORMAT_PNG
                       : strcasecmp(p.ext, "apng") == 0                                  ? MB_FORMAT_PNG
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
    char why[256];
    mb_format named = outputs_format_of(path), wanted = (mb_format)a->format;
    const int is_file = strcmp(path, "-") != 0;
    if (is_file && mb_os_name_trouble(why, sizeof why, path)) {
        return message_error(CODE_USAGE, "choose another name", "%s: %s", path, why);
    }
    if (is_file && mb_image_check_path(path, &err) != MB_OK) {
        return message_status(CODE_USAGE, NULL, &err);
    }
    if (wanted != MB_FORMAT_AUTO && named != MB_FORMAT_AUTO && wanted != named) {
        return message_error(CODE_USAGE, "the file name and --format must agree", "%s with --format %s", path,
                             mb_format_name((int)wanted));
    }
    if ((wanted == MB_FORMAT_JPEG || named == MB_FORMAT_JPEG) && kind == OUT_CUTOUT && !a->opaque) {
        return message_error(CODE_USAGE, "--background white, or write a PNG", "%s: JPEG has no transparency", path);
    }
    return CODE_OK;
}

/* A format that was asked for names its own extension; --template is taken as it is. Frames that are files of their own
 * have their number in the name. */
static const char *standard_template(const args *a, const item *it)
{
    static const char *const templates[2][4] = {
        {"{dir}/{stem}.{kind}.png", "{dir}/{stem}.{kind}.png", "{dir}/{stem}.{kind}.webp", "{dir}/{stem}.{kind}.jpg"},
        {"{dir}/{stem}.{frame}.{kind}.png", "{dir}/{stem}.{frame}.{kind}.png", "{dir}/{stem}.{frame}.{kind}.webp",
         "{dir}/{stem}.{frame}.{kind}.jpg"}};
    return a->template != NULL ? a->template : templates[it->frame > 0 && !it->together][a->format];
}

/* The names of all results of one input: from -o, or from the template in -o's folder or the input's own.
 * The folder is made here, before any work, since that is the likeliest thing to fail. */
static int name_item(item *it, const args *a, const int wanted[OUT_KINDS], int into_folder)
{
    out_kind main_kind = wanted[OUT_CUTOUT] ? OUT_CUTOUT : wanted[OUT_MASK] ? OUT_MASK : OUT_TRIMAP;
    parts p = split(strcmp(it->path, "-") == 0 ? "stdin" : it->path);
    char *dir = NULL;
    int code = CODE_OK;
    if (it->frame > 0) {
        (void)snprintf(p.frame, sizeof p.frame, "%04d", it->frame);
    }
    if (p.dir != NULL && into_folder) {
        size_t n = strlen(a->output);
        int separated = a->output[n - 1] == '/', drive = !separated && *mb_os_file_name(a->output) == '\0';
        dir = text_of("%.*s%s%s%s", (int)(n > 1 && separated ? n - 1 : n), a->output,
                      drive ? "." : "", /* "C:" is the current folder of that drive */
                      it->below[0] != '\0' ? "/" : "", it->below);
        code = dir != NULL && !it->elsewhere ? make_folder(dir) : CODE_OK;
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
            it->out[k] = fill_template(standard_template(a, it), &p, dir, out_kind_name((out_kind)k, a));
        }
        if (it->out[k] == NULL) {
            code = message_error(CODE_USAGE, "it may hold {dir}, {stem}, {ext}, {frame} and {kind}",
                                 "%s: no name for its result", it->path);
        } else if (*mb_os_file_name(it->out[k]) == '\0') {
            code = message_error(CODE_USAGE, "end it in a file name, as {dir}/{stem}.{kind}.png does",
                                 "--template '%s' gives a folder's name for %s", a->template, it->path);
        } else {
            code = check_format(it->out[k], a, (out_kind)k);
        }
    }
    free(p.dir);
    free(dir);
    return code;
}

/* ---- results that exist */

/* A file that is read and therefore never written. */
typedef struct source {
    uint64_t device, inode;
    size_t number;           /* in the order in which they were added: the first of one file gives it its role */
    const char *path, *role; /* borrowed */
} source;

/* Few beside a folder of photos; sorted by identity once it is complete. */
typedef struct source_set {
    source *v;
    size_t n, capacity;
} source_set;

/* By device and inode, for the binary search of look_at. */
static int by_identity(const void *a, const void *b)
{
    const source *x = a, *y = b;
    if (x->device != y->device) {
        return x->device < y->device ? -1 : 1;
    }
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static int by_identity_and_number(const void *a, const void *b)
{
    const source *x = a, *y = b;
    int order = by_identity(a, b);
    return order != 0 ? order : x->number < y->number ? -1 : x->number > y->number;
}

/* For look_at; each file once. */
static void sort_sources(source_set *set)
{
    size_t kept = 1;
    qsort(set->v, set->n, sizeof *set->v, by_identity_and_number);
    for (size_t i = 1; i < set->n; i++) {
        if (by_identity(&set->v[i], &set->v[kept - 1]) != 0) {
            set->v[kept++] = set->v[i];
        }
    }
    set->n = kept;
}

/* Files that do not exist, folders, pipes and devices need no protection. The path is borrowed: it belongs to argv or
 * to the list of inputs. */
static int add_source(source_set *set, const char *path, const char *role)
{
    mb_os_info s;
    if (path == NULL || strcmp(path, "-") == 0 || mb_os_look(&s, path) != 0 || s.kind != MB_OS_FILE) {
        return CODE_OK;
    }
    if (set->n == set->capacity) {
        size_t capacity = set->capacity > 0 ? 2 * set->capacity : 64;
        source *v = realloc(set->v, capacity * sizeof *v);
        if (v == NULL) {
            return no_memory();
        }
        set->v = v;
        set->capacity = capacity;
    }
    set->v[set->n++] = (source){s.device, s.file, set->n, path, role};
    return CODE_OK;
}

/* A model may be named or lie somewhere. */
static int add_model(source_set *set, const char *model)
{
    static char places[2][MB_OS_PATH_BYTES]; /* borrowed by the set; one command runs per process */
    static int n;
    int code = add_source(set, model, "the model");
    if (code == CODE_OK && model != NULL && n < 2 && mb_find_model(places[n], MB_OS_PATH_BYTES, model, NULL) == MB_OK) {
        code = add_source(set, places[n++], "the model");
    }
    return code;
}

/* Everything that this command line reads, with the word that the message has for it. `background` may be a colour
 * or a word: then there is no such file, and nothing is added. */
static int collect_sources(source_set *set, const item_list *list, const args *a)
{
    const struct {
        const char *path, *role;
    } named[] = {{a->mask_from, "the mask"},
                 {a->trimap_from, "the trimap"},
                 {a->background, "the background"},
                 {a->files_from, "the list of files"}};
    int code = CODE_OK;
    for (size_t i = 0; i < sizeof named / sizeof named[0] && code == CODE_OK; i++) {
        code = add_source(set, named[i].path, named[i].role);
    }
    code = code == CODE_OK ? add_model(set, a->model) : code;
    code = code == CODE_OK ? add_model(set, a->matting_model) : code;
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        code = add_source(set, list->v[i].path, "an input");
        if (code == CODE_OK) {
            code = add_source(set, list->v[i].guide, a->mask_from != NULL ? "a mask" : "a trimap");
        }
    }
    if (set->n > 0) {
        sort_sources(set);
    }
    return code;
}

/* What stands at the place of a result. */
typedef enum standing { NOTHING_THERE, REPLACEABLE, REFUSED } standing;

/* An input is never overwritten, not even with --force and under whatever name it is reached; other files are, with
 * --force. */
static standing look_at(const char *path, const source_set *set)
{
    mb_os_info s;
    if (strcmp(path, "-") == 0) {
        return NOTHING_THERE;
    }
    if (mb_os_look(&s, path) != 0) { /* a link to nothing: replacing it is replacing something */
        return mb_os_look_here(&s, path) == 0 ? REPLACEABLE : NOTHING_THERE;
    }
    const source key = {.device = s.device, .inode = s.file};
    const source *hit = set->n > 0 ? bsearch(&key, set->v, set->n, sizeof *set->v, by_identity) : NULL;
    if (hit != NULL) {
        (void)message_error(CODE_USAGE, "choose another name with -o; inputs are never overwritten", "%s is %s (%s)",
                            path, hit->role, hit->path);
        return REFUSED;
    }
    if (s.kind == MB_OS_FOLDER) {
        (void)message_error(CODE_USAGE, NULL, "%s is a folder", path);
        return REFUSED;
    }
    return s.kind == MB_OS_FILE ? REPLACEABLE : NOTHING_THERE; /* devices and pipes are written to, not replaced */
}

/* Each result by itself: with --no-clobber, those that are there are taken off the list of what to write. */
static int check_existing(item *it, const args *a, const source_set *set)
{
    int n_wanted = 0, n_there = 0;
    for (int k = 0; k < OUT_KINDS; k++) {
        if (it->out[k] == NULL) {
            continue;
        }
        n_wanted++;
        standing found = look_at(it->out[k], set);
        if (found == REFUSED) {
            return CODE_USAGE;
        }
        if (found == REPLACEABLE && !a->force && !a->no_clobber) {
            return message_error(CODE_USAGE, "--force replaces, --no-clobber skips", "%s exists", it->out[k]);
        }
        if (found == REPLACEABLE && a->no_clobber) {
            n_there++;
            free(it->out[k]);
            it->out[k] = NULL;
        }
    }
    it->skip = n_there > 0 && n_there == n_wanted;
    return CODE_OK;
}

/* What is read is sorted by identity once: a folder of a hundred thousand photos is still checked in no time. */
static int find_existing(item_list *list, const args *a)
{
    source_set set = {0};
    int code = collect_sources(&set, list, a);
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        code = list->v[i].elsewhere ? CODE_OK : check_existing(&list->v[i], a, &set);
    }
    free(set.v);
    return code;
}

/* The same for a command that reads some files and writes one. */
int outputs_check_one(const char *output, const char *const *inputs, int n, const args *a, int *skip)
{
    source_set set = {0};
    int code = CODE_OK;
    for (int i = 0; i < n && code == CODE_OK; i++) {
        code = add_model(&set, inputs[i]);
    }
    if (set.n > 0) {
        sort_sources(&set);
    }
    standing found = code == CODE_OK ? look_at(output, &set) : REFUSED;
    free(set.v);
    *skip = found == REPLACEABLE && a->no_clobber;
    if (code == CODE_OK && found == REPLACEABLE && !a->force && !a->no_clobber) {
        return message_error(CODE_USAGE, "--force replaces, --no-clobber skips", "%s exists", output);
    }
    return found == REFUSED ? CODE_USAGE : CODE_OK;
}

/* ---- before the work */

/* A PNG of a photo takes at least about one bit a pixel: with less than that free, nothing can come of the work. */
static mb_status check_folder(const char *path, double picture_bytes, mb_error *err)
{
    parts p = split(path);
    double left;
    size_t length = mb_os_name_length(mb_os_file_name(path)), longest;
    int code = p.dir != NULL ? mb_os_may_write_in(p.dir) : ENOMEM;
    mb_status status = MB_OK;
    if (p.dir == NULL) {
        status = own_error(err, MB_E_MEMORY, "out of memory");
    } else if (code != 0) {
        status =
            own_error(err, MB_E_IO,
                      code == ENOENT ? "%s: the folder does not exist" : "%s: its folder may not be written to", path);
    } else if (mb_os_space(p.dir, &left, &longest) == 0) {
        if (longest > 0 && length > longest) {
            status = own_error(err, MB_E_IO, "%s: the name is too long (%zu, %zu are possible)", path, length, longest);
        } else if (left < picture_bytes / 32.0) {
            status = own_error(err, MB_E_IO, "%s: no space left on the disk (%.1f MB are free)", path, left * 1e-6);
        }
    }
    free(p.dir);
    return status;
}

/* Asked before a picture is decoded: a folder that may have changed since the names were made. */
int outputs_writable(const item *it, double picture_bytes, mb_error *err)
{
    mb_status status = MB_OK;
    for (int k = 0; k < OUT_KINDS && status == MB_OK; k++) {
        mb_os_info s;
        int plain =
            it->out[k] != NULL && strcmp(it->out[k], "-") != 0 &&
            (mb_os_look(&s, it->out[k]) != 0 || s.kind == MB_OS_FILE); /* pipes and devices are written directly */
        if (plain) {
            status = check_folder(it->out[k], picture_bytes, err);
        }
    }
    return status == MB_OK;
}

/* One result, not mixed with a report, and never to a terminal, which binary data would leave in disorder. */
static int name_to_stdout(item_list *list, const args *a, const int wanted[OUT_KINDS])
{
    int n_wanted = wanted[OUT_CUTOUT] + wanted[OUT_MASK] + wanted[OUT_TRIMAP];
    if (list->n_files != 1 || n_wanted != 1 || (list->n > 1 && !list->v[0].together)) {
        return message_error(CODE_USAGE, "-o DIR/", "stdout takes one result of one input");
    }
    if (a->json) {
        return message_error(CODE_USAGE, "-o FILE", "--json and the picture cannot both go to stdout");
    }
    if (mb_os_is_terminal(1)) {
        return message_error(CODE_USAGE, "-o FILE, or | cat", "refusing to write a PNG to the terminal");
    }
    for (int k = 0; k < OUT_KINDS; k++) {
        for (int i = 0; i < list->n; i++) {
            if (wanted[k] && (list->v[i].out[k] = text_of("-")) == NULL) {
                return no_memory();
            }
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
    list->n_files = list->n_files > 0 ? list->n_files : list->n;
    int from_stdin = list->n == 1 && strcmp(list->v[0].path, "-") == 0;
    if ((a->output == NULL && from_stdin) || (a->output != NULL && strcmp(a->output, "-") == 0)) {
        return name_to_stdout(list, a, wanted);
    }
    /* Several results of one input never go to one file: the others get .KIND before the extension. */
    int into_folder = 0;
    if (a->output != NULL) {
        size_t n = strlen(a->output);
        into_folder = list->n_files > 1 || list->v[0].from_folder || (n > 0 && a->output[n - 1] == '/') ||
                      mb_os_is_folder(a->output);
        if (n == 0) {
            return message_error(CODE_USAGE, NULL, "--output is empty");
        }
        if (!into_folder && list->n > 1 && !list->v[0].together) {
            return message_error(CODE_USAGE, "-o DIR/, or a .webp or .png for an animation",
                                 "%s is the name of one picture, and %s has %d frames", a->output, list->v[0].path,
                                 list->n);
        }
        if (into_folder && mb_os_exists(a->output) && !mb_os_is_folder(a->output)) {
            return message_error(CODE_USAGE, "-o DIR/", "%s is a file; several inputs need a folder", a->output);
        }
        if (into_folder && a->output[n - 1] != '/' && !mb_os_is_folder(a->output) &&
            outputs_format_of(a->output) != MB_FORMAT_AUTO) {
            return message_error(CODE_USAGE, "-o DIR/ for many results",
                                 "%s is the name of one picture, and there are %d "
                                 "inputs",
                                 a->output, list->n_files);
        }
    }
    int code = CODE_OK;
    for (int i = 0; i < list->n && code == CODE_OK; i++) {
        if (list->v[i].exists) {
            code = name_item(&list->v[i], a, wanted, into_folder);
        }
    }
    if (code == CODE_OK) {
        code = outputs_find_clashes(list);
    }
    code = code == CODE_OK ? find_existing(list, a) : code;
    if (code == CODE_OK) {
        inputs_drop_elsewhere(list);
    }
    return code;
}
