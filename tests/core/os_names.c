/* Names that the system cannot have: none by POSIX, many on Windows, where this runs under Wine (tests/windows.sh). */
#include "core/alloc.h"
#include "core/file.h"
#include "core/os_file.h"
#include "harness/check.h"

#include <stdio.h>
#include <string.h>

/* What tells the systems apart for names: '\' separates on Windows. */
static bool is_windows(void)
{
    char path[] = "a\\b";
    return strcmp(mb_os_tidy_path(path), "a/b") == 0;
}

static const char *const possible[] = {"a.png",   "./a.png",     "../a",    "a b/c.d/e", "Früchte/猫.png",
                                       ".hidden", "console.png", "com.png", "COM10.png", "lpt.txt",
                                       "nul",     "a/NUL",       "-"};

static const struct {
    const char *path, *says;
} impossible[] = {{"a*.png", "no file matches"},
                  {"b/a?.png", "no file matches"},
                  {"a.png:b", "stream"},
                  {"bc:d/a.png", "stream"},
                  {"C:\\Photos\" -o x", "quotation mark"},
                  {"a<b.png", "<, > and |"},
                  {"a|b.png", "<, > and |"},
                  {"a\nb.png", "control characters"},
                  {"a.png.", "dot or a blank"},
                  {"a.png ", "dot or a blank"},
                  {"folder./a.png", "dot or a blank"},
                  {".../a.png", "dot or a blank"},
                  {"con", "device"},
                  {"CON.png", "device"},
                  {"b/aux.tar.gz", "device"},
                  {"nul.png", "device"},
                  {"nul/a.png", "device"},
                  {"Com1.png", "device"},
                  {"lpt\xc2\xb3.png", "device"},
                  {"CONOUT$", "device"},
                  {"prn .png", "device"},
                  {"//?/C:/con.png", "device"},
                  {"\\\\?\\C:\\a?.png", "no file matches"},
                  {"a\xff.png", "UTF-8"}};

TEST(names_that_are_possible)
{
    char text[256];
    for (size_t i = 0; i < sizeof possible / sizeof possible[0]; i++) {
        CHECK_MSG(!mb_os_name_trouble(text, sizeof text, possible[i]), "%s", possible[i]);
    }
}

TEST(names_that_windows_cannot_have)
{
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++) {
        char text[256] = "";
        CHECK_MSG(mb_os_name_trouble(text, sizeof text, impossible[i].path) == is_windows(), "%s", impossible[i].path);
        CHECK_CONTAINS(text, is_windows() ? impossible[i].says : "");
    }
}

/* No file is made, and nothing of another name either: not even the temporary one. */
TEST(outputs_of_such_names_are_refused)
{
    if (!is_windows()) {
        SKIP("every name is possible here");
    }
    static const char *const names[] = {"os_names_a.png:b", "os_names_a*.png", "con.png", "os_names_a.png.",
                                        "Q:/os_names_a.png"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        mb_error err = {0};
        CHECK_EQ(mb_write_file(names[i], "x", 1, true, &err), MB_E_ARGUMENT);
        CHECK_CONTAINS(err.message, names[i]);
    }
    CHECK(!mb_os_exists("os_names_a.png") && !mb_os_exists(".os_names_a.png"));
    mb_error err = {0};
    CHECK_OK(mb_write_file("nul", "x", 1, true, &err), err);
}

TEST(verbatim_paths)
{
    if (!is_windows()) {
        SKIP("no such paths here");
    }
    char here[MB_OS_PATH_BYTES], path[MB_OS_PATH_BYTES + 64];
    mb_error err = {0};
    void *data;
    size_t bytes;
    CHECK_EQ(mb_os_real_path(here, "."), 0);
    (void)snprintf(path, sizeof path, "//?/%s//os_names_verbatim.txt", here); /* both separators, one of them twice */
    CHECK_EQ(mb_write_file(path, "verbatim", 8, true, &err), MB_OK);
    CHECK_EQ(mb_read_file(&data, &bytes, "os_names_verbatim.txt", 0, &err), MB_OK);
    CHECK_EQ(bytes, 8);
    mb_free(data);
    CHECK_EQ(mb_os_remove(path), 0);
}
