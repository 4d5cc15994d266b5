/* What a form may hold is taken as it is written, or refused: nothing of it is dropped without a word. */
#define _GNU_SOURCE
#include "one_server.h"

#include <sys/socket.h>
#include <unistd.h>

SETUP
{
    process_folder("server_forms");
    (void)setenv("MATTEBOX_TEST_DECODER", "1", 1);
    process p;
    process_run(&p, "cp '%s/docs/pictures/astronaut_mask.png' photo.png", MB_SOURCE_DIR);
    CHECK_RUN(&p, 0, "");
    photo = file_read("photo.png", &photo_bytes);
    REQUIRE(photo != NULL);
    REQUIRE(serving_start(&s, "--model saliency", true));
}

#define FILE_PART(name)                                                                                                \
    {                                                                                                                  \
        name, "a.png", NULL, 0                                                                                         \
    } /* the photo, when it is sent */
#define TEXT(name, value)                                                                                              \
    {                                                                                                                  \
        name, NULL, value, 0                                                                                           \
    }

static void post(const char *path, const part *parts, int n)
{
    part whole[4];
    for (int i = 0; i < n; i++) {
        whole[i] = parts[i];
        if (parts[i].data == NULL) {
            whole[i].data = photo;
            whole[i].bytes = photo_bytes;
        }
    }
    reply_dispose(&r);
    serving_post(&s, &r, path, NULL, whole, n);
}

static const struct row {
    const char *name, *path;
    part parts[4];
    int status;
    const char *said; /* NULL: it is answered */
} rows[] = {
    {"field",
     "/v1/cut",
     {FILE_PART("file"), TEXT("detail", "none"), TEXT("detail", "guided")},
     422,
     "\"detail\\\" is given twice"},
    {"form and query",
     "/v1/cut?detail=none",
     {FILE_PART("file"), TEXT("detail", "guided")},
     422,
     "\"detail\\\" is given twice"},
    {"query", "/v1/cut?erode=3&erode=4", {FILE_PART("file")}, 422, "\"erode\\\" is given twice"},
    {"two spellings",
     "/v1/cut",
     {FILE_PART("file"), TEXT("guided-radius", "9"), TEXT("guided_radius", "8")},
     422,
     "\"guided_radius\\\" is given twice"},
    {"output",
     "/v1/cut",
     {FILE_PART("file"), TEXT("output", "mask"), TEXT("output", "zip")},
     422,
     "\"output\\\" is given twice"},
    {"settings",
     "/v1/cut",
     {FILE_PART("file"), TEXT("settings", "{}"), TEXT("settings", "{}")},
     422,
     "\"settings\\\" is given twice"},

    {"key",
     "/v1/cut",
     {FILE_PART("file"), TEXT("settings", "{\"erode\": 3, \"erode\": 4}")},
     422,
     "settings: \\\"erode\\\" is given twice"},
    {"output as key",
     "/v1/cut",
     {FILE_PART("file"), TEXT("settings", "{\"output\": \"mask\", \"output\": \"zip\"}")},
     422,
     "settings: \\\"output\\\" is given twice"},
    {"two backgrounds",
     "/v1/cut",
     {FILE_PART("file"), TEXT("background", "white"), FILE_PART("background_file")},
     422,
     "background white and a file for the background"},
    {"one of them in settings",
     "/v1/cut",
     {FILE_PART("file"), TEXT("settings", "{\"background\": \"white\"}"), FILE_PART("background")},
     422,
     "background white and a file"},
    {"trimap: file",
     "/v1/trimap",
     {FILE_PART("mask"), FILE_PART("file")},
     422,
     "\"mask\\\" and \\\"file\\\": one of them"},
    {"trimap: hints", "/v1/trimap", {FILE_PART("mask"), FILE_PART("hints")}, 422, "\"hints\\\" has no meaning here"},
    {"trimap: output", "/v1/trimap", {FILE_PART("mask"), TEXT("output", "mask")}, 422, "unknown field \\\"output\\\""},
    {"photos: mask", "/v1/photos", {FILE_PART("file"), FILE_PART("mask")}, 422, "\"mask\\\" has no meaning here"},
    {"matte: hints on a trimap",
     "/v1/matte",
     {FILE_PART("file"), FILE_PART("trimap"), FILE_PART("hints")},
     422,
     "hints and a trimap"},
    {"cut: hints on a trimap",
     "/v1/cut",
     {FILE_PART("file"), FILE_PART("trimap"), FILE_PART("hints")},
     422,
     "hints and a trimap"},
    {"single field over settings",
     "/v1/cut",
     {FILE_PART("file"), TEXT("settings", "{\"detail\": \"guided\", \"output\": \"zip\"}"), TEXT("detail", "none"),
      TEXT("output", "mask")},
     200,
     NULL},
    {"unfilled",
     "/v1/cut?background=",
     {FILE_PART("file"), TEXT("background", ""), FILE_PART("background_file")},
     200,
     NULL},
    {"trimap by file", "/v1/trimap", {FILE_PART("file")}, 200, NULL},
    {"rembg", "/api/remove?om=true", {FILE_PART("file"), TEXT("om", "true"), TEXT("om", "false")}, 200, NULL},
};

TEST_ROWS(nothing_is_dropped, rows)
{
    int n = 0;
    while (n < 4 && row->parts[n].name != NULL) {
        n++;
    }
    post(row->path, row->parts, n);
    CHECK_EQ(r.status, row->status);
    CHECK_CONTAINS(row->said != NULL ? r.body : "", row->said != NULL ? row->said : "");
}

TEST(estimate_twice)
{
    static const char *const queries[] = {"width=40&height=30&width=41",
                                          "width=40&height=30&detail=none&detail=guided"};
    for (size_t i = 0; i < 2; i++) {
        char path[100];
        (void)snprintf(path, sizeof path, "/v1/estimate?%s", queries[i]);
        reply_dispose(&r);
        serving_ask(&s, &r, "GET", path, NULL);
        CHECK_EQ(r.status, 422);
        CHECK_CONTAINS(r.body, "is given twice");
    }
}

static void post_typed(const char *type, const char *body, size_t bytes)
{
    char head[400];
    const int n = snprintf(head, sizeof head,
                           "POST /v1/cut HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\n"
                           "Content-Length: %zu\r\n\r\n",
                           type, bytes);
    char *all = malloc((size_t)n + bytes);
    REQUIRE(all != NULL);
    memcpy(all, head, (size_t)n);
    memcpy(all + n, body, bytes);
    reply_dispose(&r);
    serving_raw(&s, &r, all, (size_t)n + bytes);
    free(all);
}

/* Names of parameters have no case, values may be quoted, and others may stand before and behind. */
TEST(boundaries)
{
    static const char *const types[] = {"multipart/form-data; boundary=a.form",
                                        "multipart/form-data; Boundary=a.form",
                                        "Multipart/Form-Data;BOUNDARY=\"a.form\"",
                                        "multipart/form-data; boundary=\"a.form\"; charset=utf-8",
                                        "multipart/form-data; boundary=a.form ; charset=utf-8",
                                        "multipart/form-data; charset=\"boundary=x; \"; boundary=\"a\\.form\""};
    static const char body[] = "--a.form\r\nContent-Disposition: form-data; name=\"erode\"\r\n\r\n300\r\n"
                               "--a.form\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n"
                               "--a.form--\r\n";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        post_typed(types[i], body, sizeof body - 1);
        CHECK_MSG(r.status == 422 && strstr(r.body, "erode 300") != NULL, "%s: %d %s", types[i], r.status, r.body);
    }
    static const char *const none[] = {"multipart/form-data", "multipart/form-data; Boundary",
                                       "multipart/form-data; b=\"", "multipart/form-data; boundary="};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        post_typed(none[i], body, sizeof body - 1);
        CHECK_MSG(r.status == 400, "%s: %d", none[i], r.status);
    }
}

/* Width in the head of a PNG. */
static unsigned width_of(const char *png)
{
    return (unsigned)(unsigned char)png[18] << 8 | (unsigned char)png[19];
}

/* A field of its own takes back what the settings ask for. */
TEST(crop_taken_back)
{
    static const char settings[] = "{\"crop\": 5, \"detail\": \"none\"}";
    const part parts[] = {{"file", "a", photo, photo_bytes},
                          {"mask", "b", photo, photo_bytes},
                          {"settings", NULL, settings, sizeof settings - 1},
                          {"crop", NULL, "false", 5}};
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, parts, 3);
    CHECK_EQ(r.status, 200);
    CHECK_LT(width_of(r.body), width_of((const char *)photo));
    reply_dispose(&r);
    serving_post(&s, &r, "/v1/cut", NULL, parts, 4);
    CHECK_EQ(r.status, 200);
    CHECK_EQ(width_of(r.body), width_of((const char *)photo));
}

/* As curl --data-binary sends it. */
TEST(picture_called_a_form)
{
    post_typed("application/x-www-form-urlencoded", photo, photo_bytes);
    CHECK_EQ(r.status, 400);
    CHECK_CONTAINS(r.body, "the body is no form");
    CHECK_CONTAINS(r.body, "-F file=@photo.jpg");
    CHECK_CONTAINS(r.body, "Content-Type: image/jpeg");
    static const char form[] = "erode=300&background=%23fff\r\n";
    post_typed("application/x-www-form-urlencoded", form, sizeof form - 1);
    CHECK_EQ(r.status, 422);
    CHECK_CONTAINS(r.body, "no photo");
}

/* A client that closes its own side is taken for gone, as elsewhere; the answer, which it can read, says that, and not that
 * somebody asked for it. */
TEST(half_closed)
{
    const part file = {"file", "a", "mattebox-test:hang", 0};
    size_t n = 0;
    char *all = serving_form(&n, "/v1/cut", NULL, &file, 1);
    const int fd = serving_connect(&s);
    CHECK(fd >= 0 && send(fd, all, n, MSG_NOSIGNAL) == (ssize_t)n);
    CHECK_EQ(shutdown(fd, SHUT_WR), 0);
    free(all);
    serving_receive(fd, &r);
    CHECK_EQ(r.status, 409);
    CHECK_CONTAINS(r.body, "the client has closed its side of the connection");
    (void)close(fd);
}
