/* Watching folders: what is there first, then what comes.
 *
 * Work is done in rounds. A round waits until nothing has happened for a moment, so that a burst of files becomes one
 * batch and a file that is written in several goes is taken once; what came meanwhile waits in the system's queue. When
 * that queue overflows, or folders come and go, all of them are read again. A file is remembered by its size and time of
 * change: it is worked on once, whatever reports it, and once more when it has changed. */
#include "watch.h"
#include "commands.h"
#include "folder_events.h"
#include "message.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define QUIET_MS     150  /* no event for so long, and a round begins */
#define MOST_WAIT_MS 2000 /* or so long after the first one */
#define MAX_DEPTH    64
#define MAX_ROUND    4096 /* files of a round: the rest is the next round's */
#define HEARTBEAT_MS 3600000

typedef struct folder {
    int number;
    char *path, *below;
} folder;

/* A file that was worked on, in a tree by path. */
typedef struct seen_file {
    char *path;
    off_t bytes;
    struct timespec changed;
} seen_file;

/* A result and the photo that it is of, in a tree by the result's path. */
typedef struct claim {
    char *result, *photo;
} claim;

typedef struct watcher {
    batch *b;
    args *a;
    const int *wanted;
    int events;
    folder *folders;
    int n_folders, capacity;
    item_list round; /* found, not worked on yet */
    void *seen;      /* of seen_file */
    void *claims;    /* of claim */
    int reread;      /* the folders must be read again */
    int code;        /* of what ends the watch */
} watcher;

static int no_memory(void)
{
    return message_error(CODE_MACHINE, NULL, "out of memory");
}

/* ---- files */

static int by_path(const void *x, const void *y)
{
    return strcmp(((const seen_file *)x)->path, ((const seen_file *)y)->path);
}

static void free_seen(void *file)
{
    free(((seen_file *)file)->path);
    free(file);
}

static int by_result(const void *x, const void *y)
{
    return strcmp(((const claim *)x)->result, ((const claim *)y)->result);
}

static void free_claim(void *one)
{
    free(((claim *)one)->result);
    free(((claim *)one)->photo);
    free(one);
}

/* Remembers the file as it is now. 1: it is new or has changed; 0: it was worked on; -1: no memory. */
static int remember(watcher *w, const char *path, const struct stat *s)
{
    seen_file key = {.path = (char *)(size_t)path};
    seen_file **found = tfind(&key, &w->seen, by_path);
    if (found != NULL) {
        seen_file *f = *found;
        int same = f->bytes == s->st_size && f->changed.tv_sec == s->st_mtim.tv_sec &&
                   f->changed.tv_nsec == s->st_mtim.tv_nsec;
        f->bytes = s->st_size;
        f->changed = s->st_mtim;
        return !same;
    }
    seen_file *f = malloc(sizeof *f);
    if (f == NULL) {
        return -1;
    }
    *f = (seen_file){text_of("%s", path), s->st_size, s->st_mtim};
    if (f->path == NULL || tsearch(f, &w->seen, by_path) == NULL) {
        free_seen(f);
        return -1;
    }
    return 1;
}

/* A file that an event or the reading of a folder has named: into the round, if it is a photo that is whole and new. What is
 * no picture yet may become one: its next event decides. */
static int take_file(watcher *w, const char *path, const char *below)
{
    const char *slash = strrchr(path, '/');
    struct stat s;
    if (inputs_is_result(slash + 1) || slash[1] == '.' || stat(path, &s) != 0 || !S_ISREG(s.st_mode)) {
        return CODE_OK; /* gone, or nothing of ours */
    }
    if (folder_events_is_open(path)) { /* it will be closed, and that is an event */
        return CODE_OK;
    }
    int is_new = remember(w, path, &s);
    if (is_new <= 0) {
        return is_new < 0 ? no_memory() : CODE_OK;
    }
    if (!inputs_is_picture(path)) {
        message_note("%s: not a picture, left out", path);
        return CODE_OK;
    }
    return inputs_add(&w->round, path, below);
}

/* ---- folders */

static void forget_folders(watcher *w)
{
    for (int i = 0; i < w->n_folders; i++) {
        free(w->folders[i].path);
        free(w->folders[i].below);
    }
    w->n_folders = 0;
    folder_events_close(w->events);
    w->events = -1;
}

static const folder *folder_of(const watcher *w, int number)
{
    for (int i = 0; i < w->n_folders; i++) {
        if (w->folders[i].number == number) {
            return &w->folders[i];
        }
    }
    return NULL;
}

/* 1: added; 0: it is watched already (a link), or gone; -1: *code. */
static int add_folder(watcher *w, const char *path, const char *below, int *code)
{
    int number = folder_events_add(w->events, path);
    if (number < 0) {
        if (errno == ENOSPC) {
            *code = message_error(CODE_MACHINE, "sysctl fs.inotify.max_user_watches=1048576 allows more",
                                  "%s: the system watches no more folders", path);
            return -1;
        }
        return 0;
    }
    if (folder_of(w, number) != NULL) {
        return 0;
    }
    if (w->n_folders == w->capacity) {
        int capacity = w->capacity > 0 ? 2 * w->capacity : 16;
        folder *v = realloc(w->folders, (size_t)capacity * sizeof *v);
        if (v == NULL) {
            *code = no_memory();
            return -1;
        }
        w->folders = v;
        w->capacity = capacity;
    }
    folder *f = &w->folders[w->n_folders];
    *f = (folder){number, text_of("%s", path), text_of("%s", below)};
    w->n_folders++;
    *code = f->path == NULL || f->below == NULL ? no_memory() : CODE_OK;
    return *code == CODE_OK ? 1 : -1;
}

static int by_name(const struct dirent **x, const struct dirent **y)
{
    return strcmp((*x)->d_name, (*y)->d_name);
}

static int not_hidden(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Watches a folder, then reads it: in this order nothing falls between the two. Links to folders that are watched end
 * there, since the system gives them the same number. */
static int read_folder(watcher *w, const char *path, const char *below, int depth)
{
    struct dirent **entries = NULL;
    int code = CODE_OK;
    if (depth > MAX_DEPTH || add_folder(w, path, below, &code) <= 0) {
        return code;
    }
    int n = scandir(path, &entries, not_hidden, by_name);
    size_t length = strlen(path);
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char *inner = text_of("%s%s%s", path, length > 0 && path[length - 1] == '/' ? "" : "/", name);
        char *inner_below = text_of("%s%s%s", below, below[0] != '\0' ? "/" : "", name);
        struct stat s;
        if (inner == NULL || inner_below == NULL) {
            code = no_memory();
        } else if (code == CODE_OK && !interrupted() && stat(inner, &s) == 0) {
            code = S_ISDIR(s.st_mode) ? read_folder(w, inner, inner_below, depth + 1) : take_file(w, inner, below);
        }
        free(inner);
        free(inner_below);
        free(entries[i]);
    }
    free(entries);
    return code;
}

static int read_folders(watcher *w)
{
    forget_folders(w);
    w->reread = 0;
    w->events = folder_events_open();
    if (w->events < 0) {
        return errno == ENOSYS
                   ? message_error(CODE_MACHINE, "run it from a timer with --no-clobber instead", "--watch needs Linux")
                   : message_error(CODE_MACHINE, NULL, "--watch: %s", strerror(errno));
    }
    int code = CODE_OK;
    for (int i = 0; i < w->a->n_paths && code == CODE_OK; i++) {
        struct stat s;
        if (stat(w->a->paths[i], &s) != 0 || !S_ISDIR(s.st_mode)) {
            code = message_error(CODE_SOME, NULL, "%s: this folder is gone", w->a->paths[i]);
        } else {
            code = read_folder(w, w->a->paths[i], "", 0);
        }
    }
    return code;
}

static void on_event(void *user, folder_event_kind kind, int number, const char *name)
{
    watcher *w = user;
    const folder *f = folder_of(w, number);
    if (kind != FOLDER_FILE || f == NULL) {
        w->reread |= kind != FOLDER_FILE;
        return;
    }
    size_t n = strlen(f->path);
    char *path = text_of("%s%s%s", f->path, n > 0 && f->path[n - 1] == '/' ? "" : "/", name);
    int code = path != NULL ? take_file(w, path, f->below) : no_memory();
    w->code = w->code == CODE_OK ? code : w->code;
    free(path);
}

/* ---- rounds */

/* Another photo of this run has a result of that name: the second is refused, as it is in a plain run. 1: it is ours. */
static int claim_result(watcher *w, item *it, const char *result)
{
    claim *mine = malloc(sizeof *mine);
    if (mine == NULL) {
        return 0;
    }
    *mine = (claim){text_of("%s", result), text_of("%s", it->path)};
    claim **there = mine->result != NULL && mine->photo != NULL ? tsearch(mine, &w->claims, by_result) : NULL;
    if (there != NULL && *there == mine) {
        return 1;
    }
    if (there != NULL && strcmp((*there)->photo, it->path) != 0) {
        it->refused = text_of(CLASH_TEXT "\n" CLASH_HINT, (*there)->photo, it->path, result);
    }
    free_claim(mine);
    return there != NULL && it->refused == NULL;
}

/* All its results, those that exist too: another photo of this run may have written them. 0: they cannot be named. */
static int claim_results(watcher *w, item *it)
{
    item all = *it;
    item_list one = {.v = &all, .n = 1, .capacity = 1};
    args plain = *w->a;
    plain.no_clobber = 0;
    plain.force = 1;
    const int named = outputs_name(&one, &plain, w->wanted) == CODE_OK;
    for (int k = 0; k < OUT_KINDS; k++) {
        if (named && all.out[k] != NULL && it->refused == NULL) {
            (void)claim_result(w, it, all.out[k]);
        }
        free(all.out[k]);
    }
    return named;
}

/* Names the results of each by itself: what one photo may not write does not keep the others. */
static void name_round(watcher *w)
{
    for (int i = 0; i < w->round.n; i++) {
        item *it = &w->round.v[i];
        item_list one = {.v = it, .n = 1, .capacity = 1};
        if (!claim_results(w, it) || (it->refused == NULL && outputs_name(&one, w->a, w->wanted) != CODE_OK)) {
            it->refused = text_of("%s: its result cannot be written", it->path);
        }
    }
}

/* One batch of what has gathered. */
static void work_round(watcher *w)
{
    if (w->round.n == 0) {
        return;
    }
    name_round(w);
    w->b->list = &w->round;
    batch_pass(w->b);
    inputs_dispose(&w->round);
}

/* Gathers events until it is quiet. Returns 0 when --once-idle is over or a signal came. */
static int gather(watcher *w)
{
    const double idle_since = clock_ms(), most_idle = 1e3 * w->a->once_idle;
    double first = 0.0;
    while (!interrupted() && w->code == CODE_OK) {
        double limit = first > 0 ? QUIET_MS : most_idle > 0 ? idle_since + most_idle - clock_ms() : HEARTBEAT_MS;
        if (first == 0 && limit <= 0) {
            return 0;
        }
        int n = folder_events_wait(w->events, (int)(limit < HEARTBEAT_MS ? limit : HEARTBEAT_MS) + 1, interrupted,
                                   on_event, w);
        if (n < 0) {
            w->code = message_error(CODE_MACHINE, NULL, "--watch: %s", strerror(errno));
        } else if (n > 0) {
            first = first > 0 ? first : clock_ms();
        }
        if (first > 0 && (n == 0 || w->round.n >= MAX_ROUND || clock_ms() - first > MOST_WAIT_MS)) {
            return 1;
        }
    }
    return 0;
}

int watch_run(batch *b, args *a, const int wanted[OUT_KINDS])
{
    watcher w = {.b = b, .a = a, .wanted = wanted, .events = -1};
    const item_list none = {0};
    b->started_ms = clock_ms();
    w.code = read_folders(&w);
    if (w.code == CODE_OK) {
        work_round(&w);
        message_note("watching %d folder(s)", w.n_folders);
    }
    while (w.code == CODE_OK && gather(&w)) {
        while (w.code == CODE_OK && w.reread && !interrupted()) {
            w.code = read_folders(&w);
        }
        work_round(&w);
    }
    inputs_dispose(&w.round);
    forget_folders(&w);
    free(w.folders);
    tdestroy(w.seen, free_seen);
    tdestroy(w.claims, free_claim);
    b->list = &none;
    int code = w.code != CODE_OK ? w.code : b->n_failed > 0 ? CODE_SOME : CODE_OK; /* a signal is the usual end */
    report_summary(b, code);
    b->list = NULL;
    return code;
}

/* ---- the command line */

/* Would a result of this name in a watched folder be taken for a photo? */
static int feeds_itself(const char *result, const args *a)
{
    const char *slash = strrchr(result, '/');
    char *folder_name =
        slash == NULL ? text_of(".") : text_of("%.*s", slash == result ? 1 : (int)(slash - result), result);
    char *inside = folder_name != NULL ? realpath(folder_name, NULL) : NULL;
    int feeds = 0;
    for (int i = 0; i < a->n_paths && inside != NULL && !inputs_is_result(slash == NULL ? result : slash + 1); i++) {
        char *watched = realpath(a->paths[i], NULL);
        size_t n = watched != NULL ? strlen(watched) : 0;
        feeds |= n > 0 && strncmp(inside, watched, n) == 0 &&
                 (inside[n] == '/' || inside[n] == '\0' || watched[n - 1] == '/');
        free(watched);
    }
    free(inside);
    free(folder_name);
    return feeds;
}

int watch_check(args *a, const int wanted[OUT_KINDS])
{
    if (a->files_from != NULL || a->shard != NULL) {
        return message_error(CODE_USAGE, NULL, "--watch goes with folders alone, not with --files-from or --shard");
    }
    if (a->n_paths == 0) {
        return message_error(CODE_USAGE, "mattebox FOLDER --watch", "no folder given");
    }
    a->no_clobber = !a->force;
    for (int i = 0; i < a->n_paths; i++) {
        struct stat s;
        if (stat(a->paths[i], &s) != 0) {
            (void)report_missing(a->paths[i], a);
            return CODE_USAGE;
        }
        if (!S_ISDIR(s.st_mode)) {
            return message_error(CODE_USAGE, "name the folder that it lies in", "--watch: %s is not a folder",
                                 a->paths[i]);
        }
        /* A photo that might come: what is wrong with -o, --template and --format shows now. */
        char *photo = text_of("%s/a photo that may come.jpg", a->paths[i]);
        item_list one = {0};
        int code = photo == NULL ? no_memory() : inputs_add(&one, photo, "");
        free(photo);
        if (code == CODE_OK) {
            one.v[0].exists = 1;
            code = outputs_name(&one, a, wanted);
        }
        for (int k = 0; k < OUT_KINDS && code == CODE_OK; k++) {
            if (one.v[0].out[k] != NULL && feeds_itself(one.v[0].out[k], a)) {
                code = message_error(CODE_USAGE, "-o a folder outside, or names that end in .{kind}.png",
                                     "--watch: results called like %s would be taken for photos", one.v[0].out[k]);
            }
        }
        inputs_dispose(&one);
        if (code != CODE_OK) {
            return code;
        }
    }
    return CODE_OK;
}
