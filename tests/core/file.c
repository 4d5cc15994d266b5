/* Output files are complete or absent; existing files are kept unless replacing was asked for; inputs are judged by
 * their descriptor. */
#define _GNU_SOURCE
#include "core/alloc.h"
#include "core/file.h"
#include "harness/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/mattebox-file-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static bool holds(const char *path, const char *text)
{
    void *data;
    size_t n;
    bool same = mb_read_file(&data, &n, path, 1000, NULL) == MB_OK && n == strlen(text) && memcmp(data, text, n) == 0;
    mb_free(data);
    return same;
}

static int n_entries(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.' || strlen(e->d_name) > 2;
    }
    closedir(d);
    return n;
}

TEST(write_and_replace)
{
    mb_error err;
    const char *a = in_folder("a.txt");
    CHECK_OK(mb_write_file(a, "one", 3, false, &err), err);
    CHECK(holds(a, "one"));
    err = (mb_error){0};
    CHECK(mb_write_file(a, "two", 3, false, &err) == MB_E_ARGUMENT && strstr(err.message, "a.txt exists\n") != NULL);
    CHECK(holds(a, "one"));
    CHECK_OK(mb_write_file(a, "three", 5, true, &err), err);
    CHECK(holds(a, "three"));
    mode_t mask = umask(0);
    umask(mask);
    struct stat st;
    CHECK(stat(a, &st) == 0 && (st.st_mode & 0777) == (0666 & ~mask));
    CHECK_EQ(symlink("a.txt", in_folder("link")), 0);
    CHECK_OK(mb_write_file(in_folder("link"), "four", 4, true, &err), err);
    CHECK(lstat(in_folder("link"), &st) == 0 && S_ISLNK(st.st_mode) && holds(a, "four"));
    CHECK_EQ(n_entries(), 2);
}

/* Until the commit the old contents are there; an abort leaves them; a name taken meanwhile is not overwritten. */
TEST(atomic)
{
    mb_error err;
    mb_output *o;
    const char *b = in_folder("b.txt");
    CHECK_OK(mb_output_open(&o, b, false, 1000, &err), err);
    CHECK(mb_output_is_regular(o) && access(b, F_OK) != 0);
    CHECK_OK(mb_output_write(o, "xxxx", 4, &err), err);
    mb_output_abort(o);
    CHECK(access(b, F_OK) != 0 && n_entries() == 0);

    CHECK_OK(mb_output_open(&o, b, false, 0, &err), err);
    CHECK_OK(mb_output_write(o, "0123", 4, &err), err);
    CHECK_OK(mb_output_write_at(o, 1, "ab", 2, &err), err);
    CHECK_OK(mb_output_write(o, "4", 1, &err), err);
    CHECK_OK(mb_output_commit(o, &err), err);
    CHECK(holds(b, "0ab34"));

    const char *c = in_folder("c.txt");
    CHECK_OK(mb_output_open(&o, c, false, 0, &err), err);
    CHECK_OK(mb_write_file(c, "other", 5, false, &err), err);
    CHECK_OK(mb_output_write(o, "mine", 4, &err), err);
    CHECK_EQ(mb_output_commit(o, NULL), MB_E_ARGUMENT);
    CHECK(holds(c, "other") && n_entries() == 2);

    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = '\0';
    CHECK_OK(mb_write_file(in_folder(longest), "z", 1, false, &err), err);
    CHECK_EQ(unlink(in_folder(longest)), 0);
}

TEST(not_regular)
{
    mb_error err = {0};
    CHECK(mb_write_file("/dev/full", "x", 1, false, &err) == MB_E_IO && strstr(err.message, "no space") != NULL);
    CHECK_OK(mb_write_file("/dev/null", "x", 1, false, &err), err);
    err = (mb_error){0};
    CHECK(mb_write_file(folder, "x", 1, true, &err) == MB_E_IO && strstr(err.message, "is a folder") != NULL);
    err = (mb_error){0};
    CHECK(mb_write_file(in_folder("none/x"), "x", 1, true, &err) == MB_E_IO && strstr(err.message, "folder") != NULL);
    mb_output *o;
    CHECK_OK(mb_output_open(&o, "/dev/null", false, 0, &err), err);
    CHECK_EQ(mb_output_write_at(o, 0, "x", 1, NULL), MB_E_IO);
    mb_output_abort(o);
    err = (mb_error){0};
    CHECK(mb_output_open(&o, in_folder("huge"), false, (uint64_t)1 << 60, &err) == MB_E_IO && o == NULL);
    CHECK_EQ(n_entries(), 0);
}

TEST(reading)
{
    mb_error err = {0};
    mb_mapping m;
    void *data;
    size_t n;
    CHECK_OK(mb_write_file(in_folder("b.txt"), "0ab34", 5, false, &err), err);
    CHECK_OK(mb_map_file(&m, in_folder("b.txt"), &err), err);
    CHECK(m.bytes == 5 && memcmp(m.data, "0ab34", 5) == 0);
    mb_unmap_file(&m);
    CHECK(m.data == NULL);
    mb_unmap_file(&m);
    CHECK_EQ(mkfifo(in_folder("pipe"), 0600), 0);
    CHECK(mb_map_file(&m, in_folder("pipe"), &err) == MB_E_IO && strstr(err.message, "regular") != NULL);
    CHECK(mb_map_file(&m, folder, NULL) == MB_E_IO && mb_map_file(&m, "/dev/zero", NULL) == MB_E_IO);
    err = (mb_error){0};
    CHECK(mb_map_file(&m, in_folder("none"), &err) == MB_E_IO && strstr(err.message, "no such file") != NULL);
    CHECK_OK(mb_write_file(in_folder("empty"), "", 0, false, &err), err);
    CHECK_OK(mb_map_file(&m, in_folder("empty"), &err), err);
    CHECK(m.data != NULL && m.bytes == 0);
    mb_unmap_file(&m);
    CHECK_OK(mb_read_file(&data, &n, in_folder("empty"), 10, &err), err);
    CHECK(n == 0 && *(char *)data == '\0');
    mb_free(data);
    CHECK(mb_read_file(&data, &n, in_folder("b.txt"), 4, NULL) == MB_E_FORMAT && data == NULL);
    CHECK_OK(mb_read_file(&data, &n, in_folder("b.txt"), 5, &err), err);
    CHECK(n == 5 && ((char *)data)[5] == '\0');
    mb_free(data);
    CHECK_EQ(mb_read_file(&data, &n, folder, 100, NULL), MB_E_IO);
    CHECK_EQ(mb_read_file(&data, &n, "/dev/zero", 100000, NULL), MB_E_FORMAT); /* endless: stops at the limit */
}

TEST(leftovers)
{
    mb_error err;
    size_t n;
    const char *old = in_folder(".b.txt.mattebox-abc123");
    CHECK_OK(mb_write_file(in_folder("b.txt"), "kept", 4, false, &err), err);
    CHECK_OK(mb_write_file(old, "x", 1, false, &err), err);
    CHECK_OK(mb_output_leftovers(folder, true, &n, &err), err);
    CHECK_MSG(n == 0, "a fresh one may belong to a running process");
    struct timespec times[2] = {{time(NULL) - 90000, 0}, {time(NULL) - 90000, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, old, times, 0), 0);
    CHECK_OK(mb_output_leftovers(folder, false, &n, &err), err);
    CHECK(n == 1 && access(old, F_OK) == 0);
    CHECK_OK(mb_output_leftovers(folder, true, &n, &err), err);
    CHECK(n == 1 && access(old, F_OK) != 0 && holds(in_folder("b.txt"), "kept"));
    CHECK_EQ(mb_output_leftovers(in_folder("none"), false, &n, NULL), MB_E_IO);
}

SETUP
{
    REQUIRE(mkdtemp(folder) != NULL);
}

BEFORE_EACH
{
    char command[600];
    (void)snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", folder, folder);
    REQUIRE(system(command) == 0);
}

TEARDOWN
{
    char command[600];
    (void)snprintf(command, sizeof command, "rm -r '%s'", folder);
    CHECK_EQ(system(command), 0);
}
