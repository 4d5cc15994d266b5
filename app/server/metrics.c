/* Counters under one lock, written in Prometheus' text format 0.0.4. Labels are the routes of our table, never what a
 * client sent: their number is bounded. */
#include "metrics.h"
#include "decoder.h"
#include "photos.h"
#include "queue.h"
#include "routes.h"

#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SERIES  160
#define BUCKETS 9
#define STAGES  9

static const double bounds[BUCKETS] = {0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0};

typedef struct histogram {
    unsigned long long buckets[BUCKETS + 1], count;
    double sum;
} histogram;

typedef struct series {
    char path[64];
    int status;
    unsigned long long n;
} series;

typedef struct timed_path {
    char path[64];
    histogram h;
} timed_path;

static const char *const stages[STAGES] = {"receive", "decode", "queue",  "network", "refine",
                                           "compose", "other",  "encode", "overhead"};
static const char *const closings[CLOSINGS] = {"head", "idle", "body", "answer", "crowd"};

struct metrics {
    pthread_mutex_t lock;
    series requests[SERIES];
    timed_path paths[40];
    histogram stages[STAGES];
    unsigned long long received, sent, dropped[CLOSINGS];
    double pixels;
    time_t started;
};

metrics *metrics_create(void)
{
    metrics *m = calloc(1, sizeof *m);
    if (m != NULL) {
        (void)pthread_mutex_init(&m->lock, NULL);
        m->started = time(NULL);
    }
    return m;
}

void metrics_free(metrics *m)
{
    if (m != NULL) {
        (void)pthread_mutex_destroy(&m->lock);
        free(m);
    }
}

static void observe(histogram *h, double seconds)
{
    int i = 0;
    while (i < BUCKETS && seconds > bounds[i]) {
        i++;
    }
    h->buckets[i]++;
    h->count++;
    h->sum += seconds;
}

void metrics_request(metrics *m, const char *path, int status, double seconds, size_t received, size_t sent)
{
    (void)pthread_mutex_lock(&m->lock);
    m->received += received;
    m->sent += sent;
    for (int i = 0; i < SERIES; i++) {
        series *s = &m->requests[i];
        if (s->n == 0) {
            (void)snprintf(s->path, sizeof s->path, "%s", path);
            s->status = status;
        }
        if (s->status == status && strcmp(s->path, path) == 0) {
            s->n++;
            break;
        }
    }
    for (size_t i = 0; i < sizeof m->paths / sizeof m->paths[0]; i++) {
        timed_path *t = &m->paths[i];
        if (t->path[0] == '\0') {
            (void)snprintf(t->path, sizeof t->path, "%s", path);
        }
        if (strcmp(t->path, path) == 0) {
            observe(&t->h, seconds);
            break;
        }
    }
    (void)pthread_mutex_unlock(&m->lock);
}

void metrics_work(metrics *m, const struct work *w)
{
    if (work_failed(w) || (w->kind != WORK_CUT && w->kind != WORK_MATTE)) {
        return;
    }
    const double ms[STAGES] = {w->ms_receive,    w->ms_decode, w->ms_wait,
                               w->ms_network,    w->ms_refine, w->ms_compose,
                               work_other_ms(w), w->ms_encode, work_overhead_ms(w, clock_ms() - w->queued_ms)};
    (void)pthread_mutex_lock(&m->lock);
    m->pixels += (double)w->j.photo.width * (double)w->j.photo.height;
    for (int i = 0; i < STAGES; i++) {
        observe(&m->stages[i], 1e-3 * ms[i]);
    }
    (void)pthread_mutex_unlock(&m->lock);
}

void metrics_dropped(metrics *m, closing why)
{
    (void)pthread_mutex_lock(&m->lock);
    m->dropped[why]++;
    (void)pthread_mutex_unlock(&m->lock);
}

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void single(FILE *out, const char *name, const char *type, const char *help, double value)
{
    head(out, name, type, help);
    (void)fprintf(out, "%s %.17g\n", name, value);
}

static void write_histogram(FILE *out, const char *name, const char *label, const char *value, const histogram *h)
{
    unsigned long long sum = 0;
    for (int i = 0; i < BUCKETS; i++) {
        sum += h->buckets[i];
        (void)fprintf(out, "%s_bucket{%s=\"%s\",le=\"%g\"} %llu\n", name, label, value, bounds[i], sum);
    }
    (void)fprintf(out, "%s_bucket{%s=\"%s\",le=\"+Inf\"} %llu\n", name, label, value, h->count);
    (void)fprintf(out, "%s_sum{%s=\"%s\"} %.9g\n%s_count{%s=\"%s\"} %llu\n", name, label, value, h->sum, name, label,
                  value, h->count);
}

static double resident_bytes(void)
{
    unsigned long total, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f != NULL) {
        if (fscanf(f, "%lu %lu", &total, &resident) != 2) {
            resident = 0;
        }
        (void)fclose(f);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = -3; /* ".", ".." and its own */
    while (d != NULL && readdir(d) != NULL) {
        n++;
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return n > 0 ? n : 0;
}

static void write_process(FILE *out, const metrics *m)
{
    struct rusage u;
    double cpu = 0.0;
    if (getrusage(RUSAGE_SELF, &u) == 0) {
        cpu =
            (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + 1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    }
    single(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
    single(out, "process_cpu_seconds_total", "counter", "Processor time, without the decoders' processes.", cpu);
    single(out, "process_open_fds", "gauge", "Open descriptors.", open_descriptors());
    single(out, "process_start_time_seconds", "gauge", "Start, in seconds since 1970.", (double)m->started);
}

static void write_now(FILE *out, server *s)
{
    int waiting, running, n_photos;
    size_t photo_bytes;
    queue_count(s->queue, &waiting, &running);
    photos_count(s->photos, &n_photos, &photo_bytes);
    single(out, "mattebox_ready", "gauge", "1: the model has run once.", atomic_load(&s->ready));
    single(out, "mattebox_queue_waiting", "gauge", "Requests that wait, are decoded or encoded.", waiting);
    single(out, "mattebox_queue_running", "gauge", "Requests whose picture is computed.", running);
    single(out, "mattebox_queue_limit", "gauge", "Requests that may be under way before the answer is 429.",
           s->a->serve.queue + s->a->serve.jobs);
    single(out, "mattebox_upload_memory_bytes", "gauge", "Uploads in memory.", (double)atomic_load(&s->in_memory));
    single(out, "mattebox_photos_kept", "gauge", "Kept photos.", n_photos);
    single(out, "mattebox_photos_kept_bytes", "gauge", "Memory of kept photos.", (double)photo_bytes);
    single(out, "mattebox_decoder_restarts_total", "counter", "Decoders that crashed or were stopped.",
           (double)decoder_restarts());
}

void metrics_write(metrics *m, server *s, FILE *out)
{
    head(out, "mattebox_build_info", "gauge", "Version.");
    (void)fprintf(out, "mattebox_build_info{version=\"%s\"} 1\n", mb_version());
    write_now(out, s);
    write_process(out, m);
    (void)pthread_mutex_lock(&m->lock);
    head(out, "mattebox_requests_total", "counter", "Requests by route and status; 0: no answer could be sent.");
    for (int i = 0; i < SERIES && m->requests[i].n > 0; i++) {
        (void)fprintf(out, "mattebox_requests_total{route=\"%s\",status=\"%d\"} %llu\n", m->requests[i].path,
                      m->requests[i].status, m->requests[i].n);
    }
    head(out, "mattebox_request_seconds", "histogram", "From the head of a request to the end of its answer.");
    for (size_t i = 0; i < sizeof m->paths / sizeof m->paths[0] && m->paths[i].path[0] != '\0'; i++) {
        write_histogram(out, "mattebox_request_seconds", "route", m->paths[i].path, &m->paths[i].h);
    }
    head(out, "mattebox_stage_seconds", "histogram", "Time of each stage of a picture.");
    for (int i = 0; i < STAGES; i++) {
        write_histogram(out, "mattebox_stage_seconds", "stage", stages[i], &m->stages[i]);
    }
    double pixels = m->pixels;
    unsigned long long received = m->received, sent = m->sent;
    head(out, "mattebox_dropped_connections_total", "counter",
         "Connections closed by the server: head, idle, body, answer: too slow; crowd: idle while others waited.");
    for (int i = 0; i < CLOSINGS; i++) {
        (void)fprintf(out, "mattebox_dropped_connections_total{phase=\"%s\"} %llu\n", closings[i], m->dropped[i]);
    }
    (void)pthread_mutex_unlock(&m->lock);
    single(out, "mattebox_pixels_total", "counter", "Pixels of photos that were cut out.", pixels);
    single(out, "mattebox_received_bytes_total", "counter", "Bytes of requests' bodies.", (double)received);
    single(out, "mattebox_sent_bytes_total", "counter", "Bytes of answers.", (double)sent);
}
