/* The JSON writer's output is read back; the reader refuses what RFC 8259 refuses. Text helpers beside it. */
#include "core/json.h"
#include "core/text.h"
#include "harness/check.h"

#include <math.h>
#include <string.h>

TEST(writing)
{
    mb_json j;
    mb_json_init(&j);
    mb_json_begin_object(&j);
    mb_json_key(&j, "a\"b");
    mb_json_string(&j, "x\\\n\x01\x7f \xc3\xa4 \xff");
    mb_json_key(&j, "list");
    mb_json_begin_array(&j);
    mb_json_int(&j, -3);
    mb_json_uint(&j, UINT64_MAX);
    mb_json_number(&j, 0.1);
    mb_json_number(&j, NAN);
    mb_json_begin_object(&j);
    mb_json_end(&j);
    mb_json_begin_array(&j);
    mb_json_end(&j);
    mb_json_end(&j);
    mb_json_key(&j, "t");
    mb_json_bool(&j, true);
    mb_json_key(&j, "n");
    mb_json_string(&j, NULL);
    mb_json_end(&j);
    mb_json_line(&j);
    mb_json_begin_object(&j);
    mb_json_end(&j);
    mb_json_line(&j);
    const char *want =
        "{\"a\\\"b\":\"x\\\\\\n\\u0001\\u007f \xc3\xa4 \xef\xbf\xbd\",\"list\":[-3,18446744073709551615,0.1,"
        "null,{},[]],\"t\":true,\"n\":null}\n{}\n";
    CHECK_MSG(strcmp(mb_json_text(&j), want) == 0, "got %s", mb_json_text(&j));
    mb_json_dispose(&j);
}

static bool accepts(const char *text)
{
    mb_json_reader r;
    mb_json_read_init(&r, text, strlen(text));
    return mb_json_skip(&r) && mb_json_finish(&r);
}

TEST(strictness)
{
    static const char *const good[] = {"{}",
                                       " [ ] ",
                                       "[1,-2.5e3,0]",
                                       "\"\\u00e4\\ud83d\\ude00\"",
                                       "{\"a\":{\"b\":[{}]}}",
                                       "true",
                                       "[null,\"\"]",
                                       "[0.5,1E+2,[]]",
                                       "-0",
                                       "[{\"a\":1},{}]"};
    static const char *const bad[] = {"",         "{",         "[1,]",       "{\"a\"}", "{\"a\":}",    "{a:1}",
                                      "01",       "[1 2]",     "+1",         "1.",      "\"\\x\"",     "\"\x01\"",
                                      "\"\xff\"", "tru",       "[]]",        "\"abc",   "\"\\ud800\"", "nul",
                                      "{,}",      "[,1]",      "{\"a\":1,}", ".5",      "1e",          "\"\\u12\"",
                                      "[1}",      "{\"a\":1]", "'a'",        "-",       "\"\\u0000\"", "/**/1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        CHECK_MSG(accepts(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK_MSG(!accepts(bad[i]), "%s", bad[i]);
    }
    char deep[2001];
    memset(deep, '[', 1000);
    memset(deep + 1000, ']', 1000);
    deep[2000] = '\0';
    CHECK_MSG(!accepts(deep), "depth is bounded");
}

TEST(reading)
{
    const char *text =
        "{\"x\": [1, 20, 300], \"mean\": 0.485, \"skip\": {\"a\":[1,{\"b\":2}]}, \"s\": \"a\\u00e4\\n\"}";
    mb_json_reader r;
    mb_json_read_init(&r, text, strlen(text));
    char key[8], value[8];
    size_t n;
    uint64_t sum = 0, v;
    double mean = 0;
    CHECK(mb_json_enter(&r, '{'));
    while (mb_json_next_key(&r, key, sizeof key, &n)) {
        if (strcmp(key, "x") == 0) {
            CHECK(mb_json_enter(&r, '['));
            while (mb_json_next_item(&r)) {
                sum += mb_json_get_u64(&r, &v) ? v : 0;
            }
        } else if (strcmp(key, "mean") == 0) {
            CHECK(mb_json_get_number(&r, &mean));
        } else if (strcmp(key, "s") == 0) {
            CHECK(mb_json_get_string(&r, value, sizeof value, &n) && n == 4 && strcmp(value, "a\xc3\xa4\n") == 0);
        } else {
            CHECK(mb_json_skip(&r));
        }
    }
    CHECK(mb_json_finish(&r) && sum == 321 && mean == 0.485);
    mb_json_read_init(&r, "[1.5]", 5);
    CHECK(mb_json_enter(&r, '[') && mb_json_next_item(&r) && !mb_json_get_u64(&r, &v));
    mb_json_read_init(&r, "18446744073709551616", 20);
    CHECK(!mb_json_get_u64(&r, &v) && strcmp(r.problem, "a number is too large") == 0);
    mb_json_read_init(&r, "{\"123456789\":1}", 15);
    CHECK(mb_json_enter(&r, '{') && !mb_json_next_key(&r, key, sizeof key, &n) && r.problem != NULL);
}

/* Numbers that leave what a double can hold are refused; nothing that is read is no number. */
TEST(numbers)
{
    static const struct {
        const char *text;
        double want;
    } good[] = {{"0e400", 0.0},
                {"-0e99999999999", 0.0},
                {"0.000e308", 0.0},
                {"0.485", 0.485},
                {"-1.25e2", -125.0},
                {"1e308", 1e308},
                {"123456789012345678901234567890", 123456789012345678901234567890.0},
                {"1e-400", 0.0},
                {"0.1e1", 1.0},
                {"12345678901234567890123e-23", 0.12345678901234567890123}};
    static const char *const bad[] = {"1e309", "-1e400", "1e99999999999", "17976931348623159e300"};
    char text[1000];
    mb_json_reader r;
    double v = 0;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        mb_json_read_init(&r, good[i].text, strlen(good[i].text));
        CHECK_MSG(mb_json_get_number(&r, &v) && fabs(v - good[i].want) <= 1e-15 * fabs(good[i].want), "%s: %.17g",
                  good[i].text, v);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mb_json_read_init(&r, bad[i], strlen(bad[i]));
        CHECK_MSG(!mb_json_get_number(&r, &v) && strcmp(r.problem, "a number is too large") == 0, "%s: %.17g", bad[i],
                  v);
    }
    memset(text, '3', sizeof text); /* a thousand digits, which an exponent takes back */
    memcpy(text + sizeof text - 6, "e-993", 6);
    mb_json_read_init(&r, text, strlen(text));
    CHECK_MSG(mb_json_get_number(&r, &v) && fabs(v - 3.3333333333333333) < 1e-12, "%.17g", v);
}

TEST(text)
{
    char out[16];
    CHECK_STR(mb_printable(out, sizeof out, "a\x1b[31m", 6), "a\\x1b[31m");
    CHECK_STR(mb_printable(out, sizeof out, "\xc2\x9b\xff", 3), "\\xc2\\x9b\\xff");
    CHECK_STR(mb_printable(out, sizeof out, "0123456789abcdef", 16), "0123456789ab...");
    CHECK(mb_is_name("bb.x", 4, 4) && !mb_is_name("bb.x", 4, 3) && !mb_is_name("", 0, 4) && !mb_is_name("a\n", 2, 4));
    CHECK(!mb_is_utf8("\xc0\x80", 2) && !mb_is_utf8("\xed\xa0\x80", 3) && !mb_is_utf8("\xf4\x90\x80\x80", 4));
    CHECK(mb_is_utf8("\xf0\x9f\x98\x80", 4) && !mb_is_utf8("\xf0\x9f\x98", 3));
}
