/* /api/remove answers what clients of rembg really send (tests/data/server, made by tests/server/record.py), and each of
 * its options does what docs/server.md says. */
#include "one_server.h"

#include <mattebox.h>

SETUP
{
    process_folder("server_rembg");
    REQUIRE(serving_start(&s, "--model demo", true));
    /* the picture of the recorded requests */
    size_t n = 0;
    char *request = file_read(MB_TEST_DATA "/server/curl.http", &n), *from = NULL;
    for (size_t i = 0; request != NULL && from == NULL && i + 8 < n; i++) {
        from = memcmp(request + i, "\x89PNG\r\n\x1a\n", 8) == 0 ? request + i : NULL;
    }
    REQUIRE(from != NULL);
    for (char *end = from; end + 8 < request + n; end++) {
        photo_bytes = memcmp(end,
                             "IEND\xae"
                             "B`\x82",
                             8) == 0
                          ? (size_t)(end + 8 - from)
                          : photo_bytes;
    }
    photo = malloc(photo_bytes);
    REQUIRE(photo != NULL);
    memcpy(photo, from, photo_bytes);
    free(request);
}

static const struct recorded {
    const char *name;
    int status, colour_type;
} recordings[] = {
    {"curl", 200, 6},     {"curl_form_matting", 200, 6}, {"curl_query", 200, 0},      {"curl_url", 403, -1},
    {"requests", 200, 6}, {"requests_mask", 200, 0},     {"requests_colour", 200, 6}, {"httpx", 200, 6},
    {"aiohttp", 200, 6}};

TEST_ROWS(recorded, recordings)
{
    char path[4200];
    size_t n = 0;
    int w, h, type;
    (void)snprintf(path, sizeof path, "%s/server/%s.http", MB_TEST_DATA, row->name);
    char *data = file_read(path, &n);
    REQUIRE(data != NULL);
    serving_raw(&s, &r, data, n);
    free(data);
    png_size(&r, &w, &h, &type);
    CHECK_EQ(r.status, row->status);
    CHECK_EQ(type, row->colour_type);
    CHECK(row->status != 200 || (w == 96 && h == 72));
    CHECK_STR(reply_header(&r, "Content-Type"), row->status == 200 ? "image/png" : "application/json");
    CHECK(row->status == 200 || strstr(r.body, "{\"detail\":\"") == r.body);
}

static void post(const char *field, const char *value, const char *query)
{
    const part parts[] = {{"file", "a.png", photo, photo_bytes}, {field, NULL, value, 0}};
    char path[300];
    (void)snprintf(path, sizeof path, "/api/remove%s", query);
    reply_dispose(&r);
    serving_post(&s, &r, path, NULL, parts, field != NULL ? 2 : 1);
}

static const struct refusal {
    const char *name, *field, *value;
} refusals[] = {{"flag", "a", "perhaps"},
                {"above", "af", "256"},
                {"number", "ae", "ten"},
                {"model", "model", "u2net"},
                {"path as model", "model", "/etc/passwd"},
                {"extras", "extras", "{"},
                {"path in extras", "extras", "{\"model_path\": \"/etc/passwd\"}"},
                {"sam_model", "extras", "{\"sam_model\": \"../../x\"}"},
                {"vitmatte_model", "extras", "{\"vitmatte_model\": \"../x\"}"},
                {"colour", "bgc", "1,2"},
                {"no vitmatte here", "vm", "true"}};

TEST_ROWS(refuses, refusals)
{
    post(row->field, row->value, "");
    CHECK_EQ(r.status, 422);
    CHECK_CONTAINS(r.body != NULL ? r.body : "", "\"detail\":");
}

static mb_image decoded(void)
{
    mb_image image = {0};
    mb_error err;
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_alpha = 1;
    CHECK_OK(mb_image_load_memory(&image, NULL, r.body, r.bytes, &o, &err), err);
    return image;
}

/* ppm leaves nothing between black and white. */
TEST(smoothed)
{
    int others = 0;
    post("om", "true", "?ppm=true");
    CHECK_EQ(r.status, 200);
    mb_image image = decoded();
    const unsigned char *v = image.data;
    for (int i = 0; v != NULL && i < 96 * 72 * 3; i++) {
        others += v[i] != 0 && v[i] != 255;
    }
    CHECK_EQ(others, 0);
    mb_image_dispose(&image);
}

/* A colour from the form as from the query, behind the subject, with four channels as there. */
TEST(colour)
{
    for (int i = 0; i < 2; i++) {
        post(i == 0 ? "bgc" : NULL, "0,0,255,255", i == 0 ? "" : "?bgc=0,0,255,255");
        CHECK_EQ(r.status, 200);
        int w, h, type;
        png_size(&r, &w, &h, &type);
        CHECK_EQ(type, 6);
        mb_image image = decoded(); /* opaque: RGB here */
        const unsigned char *v = image.data;
        CHECK(v != NULL && v[0] < 3 && v[1] < 3 && v[2] > 252);
        mb_image_dispose(&image);
    }
}

/* The thresholds matter: a trimap that is unknown everywhere cannot be solved the same way. */
TEST(thresholds)
{
    post("a", "true", "");
    CHECK_EQ(r.status, 200);
    char *first = r.body;
    size_t n = r.bytes;
    r.body = NULL;
    post("a", "true", "?af=250&ab=2&ae=25");
    CHECK_EQ(r.status, 200);
    CHECK(r.bytes != n || memcmp(first, r.body, n) != 0);
    free(first);
    post("a", "1", "?ae=0");
    CHECK_EQ(r.status, 200);
}

/* An empty model is none; what rembg does not know it ignores, and so do we here, with a word. */
TEST(lenient)
{
    post("model", "", "");
    CHECK_EQ(r.status, 200);
    post("resize", "true", "");
    CHECK_EQ(r.status, 200);
    CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "unknown fields were ignored");
}

/* A client that names one of rembg's networks is told what there is, and what the server's owner can do. */
TEST(another_model)
{
    post("model", "u2net", "");
    CHECK_EQ(r.status, 422);
    CHECK_CONTAINS(r.body, "no such model here; there are: demo");
    CHECK_CONTAINS(r.body, "any-model, the server takes its default");
}

/* With --any-model a client that asks for another network gets the default one, and is told. */
TEST(any_model)
{
    serving other;
    REQUIRE(serving_start(&other, "--model demo --any-model", true));
    const part parts[] = {{"file", "a.png", photo, photo_bytes}, {"model", NULL, "isnet-general-use", 0}};
    serving_post(&other, &r, "/api/remove", NULL, parts, 2);
    CHECK_EQ(r.status, 200);
    CHECK_STR(reply_header(&r, "X-Mattebox-Model"), "demo");
    CHECK_CONTAINS(reply_header(&r, "X-Mattebox-Result"), "the default was taken");
    reply_dispose(&r);
    serving_post(&other, &r, "/v1/cut", NULL, parts, 2); /* not here: a request of ours means what it says */
    CHECK_EQ(r.status, 422);
    CHECK_EQ(serving_stop(&other), 0);
}
