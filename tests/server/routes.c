/* Every route of the server does what docs/server.md says, and a cut is the program's to the byte. */
#include "one_server.h"

#include "core/json.h"

#include <mattebox.h>

#include <math.h>
#include <sys/socket.h>
#include <unistd.h>

#define WIDTH  96
#define HEIGHT 72

static process p;
static char mask[4096];
static size_t mask_bytes;

/* A disc before a gradient; as a mask: white on black. */
static void draw(const char *name, int is_mask)
{
    static unsigned char v[HEIGHT * WIDTH * 3];
    const mb_image image = {
        .data = v, .width = WIDTH, .height = HEIGHT, .pixels = is_mask ? MB_PIXELS_GRAY : MB_PIXELS_RGB};
    mb_error err;
    void *data;
    size_t n;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            int inside = (x - 50) * (x - 50) + (y - 36) * (y - 36) < 24 * 24;
            if (is_mask) {
                v[y * WIDTH + x] = inside ? 255 : 0;
            } else {
                v[3 * (y * WIDTH + x)] = (unsigned char)(inside ? 220 : 40 + x);
                v[3 * (y * WIDTH + x) + 1] = (unsigned char)(inside ? 60 : 90 + y);
                v[3 * (y * WIDTH + x) + 2] = (unsigned char)(inside ? 50 : 120);
            }
        }
    }
    REQUIRE_OK(mb_image_encode(&data, &n, &image, NULL, &err), err);
    file_write(name, data, n);
    mb_buffer_free(data);
}

SETUP
{
    process_folder("server_routes");
    draw("photo.png", 0);
    draw("mask.png", 1);
    photo = file_read("photo.png", &photo_bytes);
    char *read = file_read("mask.png", &mask_bytes);
    REQUIRE(read != NULL && mask_bytes <= sizeof mask);
    memcpy(mask, read, mask_bytes);
    free(read);
    REQUIRE(serving_start(&s, "--model demo --model saliency", true));
}

static bool json_is_whole(const char *text, size_t bytes)
{
    mb_json_reader j;
    mb_json_read_init(&j, text, bytes);
    return mb_json_skip(&j) && mb_json_finish(&j);
}

#define PHOTO             ((part){"file", "a.png", photo, photo_bytes})
#define MASK              ((part){"mask", "m.png", mask, mask_bytes})
#define TEXT(name, value) ((part){name, NULL, value, 0})

static void post(const char *path, const part *parts, int n)
{
    reply_dispose(&r);
    serving_post(&s, &r, path, NULL, parts, n);
}
#define POST(path, ...)                                                                                                \
    post(path, (const part[]){__VA_ARGS__}, (int)(sizeof((const part[]){__VA_ARGS__}) / sizeof(part)))

static void get(const char *path)
{
    reply_dispose(&r);
    serving_ask(&s, &r, "GET", path, NULL);
}

/* Of one part in Server-Timing; negative: it is not there. */
static double milliseconds(const char *times, const char *name)
{
    char mark[40];
    (void)snprintf(mark, sizeof mark, "%s;dur=", name);
    const char *at = strstr(times, mark);
    return at != NULL ? strtod(at + strlen(mark), NULL) : -1.0;
}

static void is_png(int width, int height, int colour_type)
{
    int w, h, type;
    png_size(&r, &w, &h, &type);
    CHECK_MSG(r.status == 200 && w == width && h == height && type == colour_type, "%d: %d x %d, type %d: %.200s",
              r.status, w, h, type, r.body != NULL && type < 0 ? r.body : "");
}

/* The reply against a file that the program wrote. */
static void is_file(const char *name)
{
    size_t n = 0;
    char *data = file_read(name, &n);
    CHECK_MSG(data != NULL && n == r.bytes && memcmp(data, r.body, n) == 0, "%s has %zu bytes, the answer %zu", name, n,
              r.bytes);
    free(data);
}

TEST(facts)
{
    get("/health");
    CHECK_EQ(r.status, 200);
    CHECK_STR(r.body, "{\"status\":\"ok\"}\n");
    CHECK_STR(reply_header(&r, "X-Content-Type-Options"), "nosniff");
    get("/ready");
    CHECK_EQ(r.status, 200);
    get("/v1/models");
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(r.body, "\"default\":\"demo\"");
    CHECK_CONTAINS(r.body, "\"name\":\"saliency\"");
    get("/");
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(reply_header(&r, "Content-Type"), "text/html");
    CHECK_CONTAINS(reply_header(&r, "Content-Security-Policy"), "default-src 'none'; script-src 'sha256-");
    CHECK_CONTAINS(r.body, "</html>");
    get("/nothing");
    CHECK_EQ(r.status, 404);
    CHECK_CONTAINS(r.body, "\"status\":404");
    reply_dispose(&r);
    serving_ask(&s, &r, "DELETE", "/v1/cut", NULL);
    CHECK_EQ(r.status, 405);
    CHECK_STR(reply_header(&r, "Allow"), "POST");
    reply_dispose(&r);
    serving_ask(&s, &r, "HEAD", "/health", NULL);
    CHECK_EQ(r.status, 200);
}

TEST(description)
{
    static const char *const paths[] = {"/v1/cut", "/v1/matte", "/v1/trimap", "/v1/photos/{id}", "/api/remove"};
    get("/openapi.json");
    CHECK_EQ(r.status, 200);
    CHECK(r.body != NULL && json_is_whole(r.body, r.bytes));
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        CHECK_CONTAINS(r.body, paths[i]);
    }
    CHECK_CONTAINS(r.body, "\"guided-radius\":{\"type\":\"integer\"");
    CHECK(strstr(r.body, "files-from") == NULL);
}

/* Each family has HELP and TYPE once, before its samples. */
TEST(metrics)
{
    get("/metrics");
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(reply_header(&r, "Content-Type"), "version=0.0.4");
    char name[128] = "", type[32] = "";
    int n = 0;
    for (char *line = strtok(r.body, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char seen[128];
        if (sscanf(line, "# TYPE %127s %31s", seen, type) == 2) {
            CHECK_STR(seen, name);
            n++;
        } else if (sscanf(line, "# HELP %127s", seen) == 1) {
            (void)snprintf(name, sizeof name, "%s", seen);
        } else {
            CHECK_MSG(strncmp(line, name, strlen(name)) == 0, "%s is not of %s", line, name);
        }
    }
    CHECK_GT(n, 15);
}

TEST(cut_is_the_programs)
{
    process_run(
        &p,
        "mattebox photo.png --model demo -d guided -q -o cut.png && mattebox photo.png --model demo --only-mask -q -o "
        "only.png && mattebox matte photo.png --mask mask.png -q -o matte.png && mattebox trimap mask.png -o t.png -q");
    CHECK_RUN(&p, 0, "");
    POST("/v1/cut", PHOTO, TEXT("detail", "guided"));
    is_png(WIDTH, HEIGHT, 6);
    is_file("cut.png");
    CHECK_STR(reply_header(&r, "X-Mattebox-Model"), "demo");
    CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "\"kept_mask\":false");
    CHECK_CONTAINS(reply_header(&r, "Server-Timing"), "network;dur=");
    const char *times = reply_header(&r, "Server-Timing");
    static const char *const parts[] = {"decode",  "queue", "network", "refine",
                                        "compose", "other", "encode",  "overhead"};
    double sum = 0.0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        sum += milliseconds(times, parts[i]);
    }
    CHECK_LT(fabs(sum - milliseconds(times, "total")), 0.1); /* what is not a stage is the server's own */
    CHECK_GE(milliseconds(times, "receive"), 0.0);
    POST("/v1/cut", PHOTO, TEXT("settings", "{\"detail\": \"guided\"}"));
    is_file("cut.png");
    POST("/v1/cut", PHOTO, TEXT("output", "mask"));
    is_file("only.png");
    POST("/v1/matte", PHOTO, MASK);
    is_file("matte.png");
    POST("/v1/cut", PHOTO, MASK, TEXT("detail", "pymatting"));
    is_file("matte.png");
    POST("/v1/trimap", MASK);
    is_file("t.png");
    POST("/v1/remove-background", ((part){"image", "a.png", photo, photo_bytes}), TEXT("output", "matte"));
    is_file("only.png");
}

/* A form of a page has fields that nobody filled in; a trimap has no transparency. */
TEST(empty_fields_and_jpeg)
{
    POST("/v1/cut", PHOTO, TEXT("preset", ""), TEXT("model", ""), TEXT("background", ""), TEXT("output", "mask"));
    is_png(WIDTH, HEIGHT, 0);
    POST("/v1/trimap", MASK, TEXT("format", "jpeg"));
    CHECK_EQ(r.status, 200);
    CHECK_STR(reply_header(&r, "Content-Type"), "image/jpeg");
}

TEST(body_and_query)
{
    char head[300];
    int n = snprintf(head, sizeof head,
                     "POST /v1/cut?detail=guided&output=mask HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
                     "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                     photo_bytes);
    char *all = malloc((size_t)n + photo_bytes);
    REQUIRE(all != NULL);
    memcpy(all, head, (size_t)n);
    memcpy(all + n, photo, photo_bytes);
    serving_raw(&s, &r, all, (size_t)n + photo_bytes);
    is_png(WIDTH, HEIGHT, 0);
    free(all);
}

/* A client that waits for "100 Continue", has no body and sends its next request at once: libmicrohttpd hands over an empty piece,
 * to which nothing can be answered. The client waited for a minute, at the cost of a processor. */
TEST(continue_without_a_body)
{
    static const char both[] = "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\r\n"
                               "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const int fd = serving_connect(&s);
    REQUIRE(fd >= 0);
    CHECK_EQ(send(fd, both, sizeof both - 1, MSG_NOSIGNAL), (ssize_t)sizeof both - 1);
    reply_dispose(&r);
    serving_receive(fd, &r);
    CHECK_EQ(r.status, 422);
    reply_dispose(&r);
    serving_receive(fd, &r);
    CHECK_EQ(r.status, 200);
    CHECK_EQ(close(fd), 0);
}

TEST(outputs)
{
    POST("/v1/cut", PHOTO, TEXT("output", "trimap"), TEXT("detail", "guided"));
    is_png(WIDTH, HEIGHT, 0);
    POST("/v1/cut", PHOTO, TEXT("output", "raw-mask"));
    is_png(WIDTH, HEIGHT, 0);
    POST("/v1/cut", PHOTO, TEXT("background", "white"), TEXT("output", "composite"));
    is_png(WIDTH, HEIGHT, 2);
    POST("/v1/cut", PHOTO, ((part){"background_file", "b.png", photo, photo_bytes}));
    is_png(WIDTH, HEIGHT, 2);
    POST("/v1/cut", PHOTO, TEXT("background", "#102030"), TEXT("format", "jpeg"));
    CHECK_STR(reply_header(&r, "Content-Type"), "image/jpeg");
    POST("/v1/cut", PHOTO, TEXT("output", "zip"));
    CHECK_STR(reply_header(&r, "Content-Type"), "application/zip");
    file_write("all.zip", r.body, r.bytes);
    process_run(&p, "python3 -m zipfile -t all.zip && python3 -m zipfile -l all.zip");
    CHECK_MSG(p.code == 0 && strstr(p.out, "cutout.png") != NULL && strstr(p.out, "result.json") != NULL, "%s%s", p.out,
              p.err);
}

static void photo_id(char id[64])
{
    const char *at = r.body != NULL ? strstr(r.body, "\"id\":\"") : NULL;
    (void)snprintf(id, 64, "%.32s", at != NULL ? at + 6 : "");
}

/* The refinement of a kept mask gives what a run from the start gives, and no network runs. */
TEST(kept_photo)
{
    char id[64], path[128], *first;
    size_t bytes;
    POST("/v1/photos", PHOTO);
    CHECK_EQ(r.status, 201);
    photo_id(id);
    POST("/v1/cut", PHOTO, TEXT("detail", "pymatting"), TEXT("erode", "9"));
    first = r.body;
    bytes = r.bytes;
    r.body = NULL;
    for (int i = 0; i < 3; i++) {
        POST("/v1/cut", TEXT("photo", id), TEXT("detail", i == 0 ? "guided" : "pymatting"), TEXT("erode", "9"));
        is_png(WIDTH, HEIGHT, 6);
        CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), i == 0 ? "\"kept_mask\":false" : "\"kept_mask\":true");
        CHECK_MSG(i == 0 || (r.bytes == bytes && memcmp(r.body, first, bytes) == 0), "run %d differs", i);
    }
    free(first);
    POST("/v1/cut", TEXT("photo", id), TEXT("model", "saliency"));
    CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "\"kept_mask\":false");
    (void)snprintf(path, sizeof path, "/v1/photos/%s", id);
    get(path);
    CHECK_CONTAINS(r.body, "\"mask\":true");
    (void)snprintf(path, sizeof path, "/v1/photos/%s/picture", id);
    get(path);
    CHECK_STR(reply_header(&r, "Content-Type"), "image/jpeg");
    (void)snprintf(path, sizeof path, "/v1/estimate?photo=%s&detail=guided", id);
    get(path);
    CHECK_CONTAINS(r.body, "\"width\":96,\"height\":72");
    (void)snprintf(path, sizeof path, "/v1/photos/%s", id);
    reply_dispose(&r);
    serving_ask(&s, &r, "DELETE", path, NULL);
    CHECK_EQ(r.status, 200);
    POST("/v1/cut", TEXT("photo", id));
    CHECK_EQ(r.status, 404);
    CHECK_CONTAINS(r.body, "no_photo");
}

/* White strokes make subject, black ones background, in any size. */
TEST(hints)
{
    unsigned char strokes[2 * 2 * 4] = {0, 0, 0, 255, 255, 255, 255, 255, 9, 9, 9, 0, 128, 128, 128, 255};
    const mb_image image = {.data = strokes, .width = 2, .height = 2, .pixels = MB_PIXELS_RGBA};
    mb_error err;
    void *data, *gray = NULL;
    size_t n;
    CHECK_OK(mb_image_encode(&data, &n, &image, NULL, &err), err);
    POST("/v1/cut", PHOTO, ((part){"hints", "h.png", data, n}), TEXT("output", "raw-mask"));
    is_png(WIDTH, HEIGHT, 0);
    mb_image got = {0};
    CHECK_OK(mb_image_load_memory(&got, NULL, r.body, r.bytes, NULL, &err), err);
    const unsigned char *v = got.data;
    CHECK(v != NULL && v[3 * (10 * WIDTH + 10)] == 0 && v[3 * (10 * WIDTH + 80)] == 255);
    mb_image_dispose(&got);
    mb_buffer_free(data);
    free(gray);
}

/* A trimap is solved without being told to; a method that cannot says so, in the server's words. */
TEST(trimap)
{
    POST("/v1/trimap", MASK);
    CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "\"width\":96,\"height\":72,\"warnings\":[]");
    char *made = r.body;
    const part trimap = {"trimap", "t.png", made, r.bytes};
    r.body = NULL;
    POST("/v1/matte", PHOTO, trimap, TEXT("detail", "guided"));
    is_png(WIDTH, HEIGHT, 6);
    CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "detail guided does not solve a trimap");
    for (int i = 0; i < 2; i++) {
        POST(i == 0 ? "/v1/matte" : "/v1/cut?model=saliency", PHOTO, trimap, TEXT("erode", "9"));
        is_png(WIDTH, HEIGHT, 6);
        CHECK(strstr(reply_header(&r, "X-Mattebox-Result"), "does not solve") == NULL);
        CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "erode does nothing here");
    }
    POST("/v1/trimap", MASK, TEXT("erode", "1"), TEXT("dilate", "1"));
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "nothing of the trimap is unknown");
    free(made);
}

/* What cannot be the id of a request is none. */
TEST(ids)
{
    get("/v1/requests/a-request-to-come");
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(r.body, "\"state\":\"unknown\"");
    static const char *const bad[] = {"%C2%84", "zz", "1234567", "a.request.to.come",
                                      "01234567890123456789012345678901234567890123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[120];
        (void)snprintf(path, sizeof path, "/v1/requests/%s", bad[i]);
        get(path);
        CHECK_MSG(r.status == 404, "%s: %d", bad[i], r.status);
    }
}

TEST(estimate)
{
    get("/v1/estimate?width=4000&height=3000&detail=guided");
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(r.body, "\"fits\":true");
    CHECK_CONTAINS(r.body, "\"basis\":\"measured\"");
    get("/v1/estimate?width=4000");
    CHECK_EQ(r.status, 422);
    get("/v1/estimate?width=1&height=1&detail=what");
    CHECK_EQ(r.status, 422);
}

static const struct row {
    const char *name, *path;
    const char *field, *value;
    int status;
    const char *text;
} refused[] = {
    {"range", "/v1/cut", "erode", "300", 422, "erode 300: 1 to 255"},
    {"misspelt", "/v1/cut", "erod", "3", 422, "did you mean erode?"},
    {"of the program", "/v1/cut", "files-from", "/etc/passwd", 422, "unknown field"},
    {"a path as background", "/v1/cut", "background", "/etc/passwd", 422, "no colour"},
    {"a path as model", "/v1/cut", "model", "../../etc/passwd", 422, "no such model here; there are: demo, saliency"},
    {"another model", "/v1/cut", "model", "default.mbw", 422, "no such model"},
    {"matting model", "/v1/cut", "detail", "vitmatte", 422, "no matting model"},
    {"path as matting model", "/v1/matte", "matting-model", "/x.mbw", 422, "one of the files"},
    {"jpeg", "/v1/cut", "format", "jpeg", 422, "JPEG has no transparency"},
    {"composite", "/v1/cut", "output", "composite", 422, "needs a background"},
    {"output", "/v1/cut", "output", "all", 422, "one of cutout"},
    {"flag", "/v1/cut", "largest", "perhaps", 422, "true or false"},
    {"settings", "/v1/cut", "settings", "[1]", 422, "not a JSON object"},
    {"settings within", "/v1/cut", "settings", "{\"erode\":[]}", 422, "neither text"},
    {"settings' range", "/v1/cut", "settings", "{\"erode\":0}", 422, "1 to 255"},
    {"settings' text", "/v1/cut", "settings", "{\"background\":3}", 422, "a text is needed"},
    {"unknown photo", "/v1/cut", "photo", "0123456789abcdef0123456789abcdef", 422, "one of them"},
    {"matte without mask", "/v1/matte", "detail", "guided", 422, "one of the files"},
};

TEST_ROWS(refuses, refused)
{
    POST(row->path, PHOTO, TEXT(row->field, row->value));
    CHECK_EQ(r.status, row->status);
    CHECK_CONTAINS(r.body != NULL ? r.body : "", row->text);
    CHECK_STR(reply_header(&r, "Content-Type"), "application/json");
}

TEST(broken_pictures)
{
    static const char text[] = "this is no picture at all";
    POST("/v1/cut", ((part){"file", "a.png", text, sizeof text - 1}));
    CHECK_EQ(r.status, 415);
    POST("/v1/cut", ((part){"file", "a.png", photo, photo_bytes / 2}));
    CHECK_EQ(r.status, 422);
    CHECK_CONTAINS(r.body, "bad_picture");
    POST("/v1/cut", ((part){"file", "a.png", "", 0}));
    CHECK_EQ(r.status, 422);
    POST("/v1/cut", TEXT("detail", "guided"));
    CHECK_EQ(r.status, 422);
    CHECK_CONTAINS(r.body, "no photo");
    POST("/v1/cut", PHOTO, PHOTO);
    CHECK_EQ(r.status, 422);
    POST("/v1/matte", PHOTO, ((part){"mask", "m.png", text, sizeof text - 1}));
    CHECK_EQ(r.status, 415);
    POST("/v1/matte", PHOTO, ((part){"mask", "m.png", photo, photo_bytes}),
         ((part){"trimap", "t.png", photo, photo_bytes}));
    CHECK_EQ(r.status, 422);
    CHECK_CONTAINS(r.body, "a mask and a trimap: one of them");
    POST("/v1/cut", PHOTO);
    CHECK_EQ(r.status, 200);
}
