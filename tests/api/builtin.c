/* The built-in model through the library: one call, no file, and the bytes that the program writes. */
#define _GNU_SOURCE
#include "harness/check.h"
#include "harness/process.h"
#include "mattebox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static process p;

TEST(same_bytes_as_the_program)
{
    mb_error err;
    const char *folder = process_folder("api_builtin");
    char photo[4200], png[4200];
    char info[2048];
    mb_build_info(info, sizeof info);
    if (strstr(info, "built-in model: demo") == NULL) {
        SKIP("this build has no built-in model");
    }
    process_run(&p, "cp %s/pictures/chelsea.ppm cat.ppm && mattebox cat.ppm -o program.png -q", MB_TEST_DATA);
    REQUIRE(p.code == 0);
    (void)snprintf(photo, sizeof photo, "%s/cat.ppm", folder);
    (void)snprintf(png, sizeof png, "%s/library.png", folder);
    unsetenv("MATTEBOX_MODELS");
    setenv("HOME", folder, 1);
    setenv("XDG_DATA_HOME", folder, 1);
    CHECK_OK(mb_cutout_file("default", photo, png, &err), err);
    CHECK(file_equal("program.png", "library.png"));
    CHECK(mb_cutout_file("default", photo, photo, &err) == MB_E_ARGUMENT);
}

TEST(any_installed_model_is_the_default)
{
    const char *folder = process_folder("api_builtin_installed");
    char path[4200] = "", expected[4200];
    setenv("MATTEBOX_MODELS", folder, 1);
    process_run(&p,
                "mattebox-weights generate vitmatte-tiny4 -o a.mbw -q && mattebox-weights generate birefnet-tiny7 -o "
                "mine.mbw -q");
    REQUIRE(p.code == 0);
    (void)snprintf(expected, sizeof expected, "%s/mine.mbw", folder);
    CHECK(mb_find_default_model(path, sizeof path) == 1);
    CHECK_STR(path, expected);
    process_run(&p, "cp mine.mbw birefnet-general-lite.mbw");
    (void)snprintf(expected, sizeof expected, "%s/birefnet-general-lite.mbw", folder);
    CHECK(mb_find_default_model(path, sizeof path) == 1);
    CHECK_STR(path, expected);
    unsetenv("MATTEBOX_MODELS");
}
