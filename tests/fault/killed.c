/* A batch is killed without warning at random moments: inputs keep their bytes, every result is whole or absent, and
 * the next run completes what is missing and clears temporary files away. 20 kills (4 under sanitizers); MATTEBOX_KILLS=500 asks for more. */
#include "harness/check.h"
#include "harness/process.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PHOTOS 8

static process p;
static char inputs[2048], whole[4096];
static double seconds; /* of an undisturbed run */

#define AGAIN    "mattebox in/ -m saliency -d guided -q -f -o out/ --mask"
#define BATCH    "mattebox in/ -m saliency -d guided -q -n -o out/ --mask"
#define CONTENTS "(cd %s && find . -type f ! -name '.*.mattebox-*' | sort | xargs -r sha256sum)"

static void keep(char *text, size_t capacity, const char *folder)
{
    process_run(&p, CONTENTS, folder);
    (void)snprintf(text, capacity, "%.*s", (int)capacity - 1, p.out);
}

/* Every line of the folder is one of the undisturbed run's. Returns how many there are; -1: one is not. */
static int check_results(int number)
{
    int n = 0;
    process_run(&p, CONTENTS, "out");
    for (char *line = strtok(p.out, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        n++;
        if (!CHECK_MSG(strstr(whole, line) != NULL, "kill %d: a result that is not whole: %s", number, line)) {
            return -1;
        }
    }
    return n;
}

TEST(at_random_moments)
{
    const char *text = getenv("MATTEBOX_KILLS");
#ifdef __SANITIZE_ADDRESS__ /* a batch takes several times as long, and kills test the system's side */
    const int usual = 4;
#else
    const int usual = 20;
#endif
    const int kills = text != NULL ? atoi(text) : usual;
    int partly = 0, none = 0, done = 0, temporary = 0;
    unsigned long long state = 20261130;
    for (int i = 0; i < kills; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        const double after = 1.2 * seconds * (double)(state >> 33) / 2147483648.0;
        if (i % 4 == 0) { /* else on from where the last one was killed */
            process_run(&p, "rm -rf out");
        }
        process_run(&p, "mkdir -p out; " BATCH " & pid=$!; sleep %.4f; kill -9 $pid 2>/dev/null; wait $pid; true",
                    after);
        const int n = check_results(i);
        partly += n > 0 && n < 2 * PHOTOS;
        none += n == 0;
        done += n == 2 * PHOTOS;
        process_run(&p, "ls -A out | grep -c 'mattebox-'");
        temporary += atoi(p.out) > 0;
        if (i % 4 == 3 || i + 1 == kills) {
            process_run(&p, BATCH);
            CHECK_MSG(p.code == 0, "kill %d: the next run: %s", i, p.err);
            process_run(&p, CONTENTS, "out");
            CHECK_STR(p.out, whole);
            process_run(&p, AGAIN "; ls -A out | grep 'mattebox-'");
            CHECK_MSG(p.out_bytes == 0, "kill %d: left behind for ever: %s", i, p.out);
        }
    }
    keep(p.err, sizeof inputs, "in");
    CHECK_STR(p.err, inputs);
    printf("%d kills: %d before any result, %d among them, %d after all; %d left a temporary file\n", kills, none,
           partly, done, temporary);
    CHECK_MSG(kills < 20 || partly > 0, "no moment was within the batch");
}

SETUP
{
    (void)process_folder("fault_killed");
    process_run(&p, "mkdir in out");
    unsigned noise = 1;
    for (int i = 0; i < PHOTOS; i++) {
        static unsigned char file[15 + 3 * 120 * 90];
        char name[40];
        (void)snprintf(name, sizeof name, "in/%d.ppm", i);
        memcpy(file, "P6\n120 090\n255\n", 15);
        for (int k = 0; k < 3 * 120 * 90; k++) {
            const int x = k / 3 % 120 - 50 - i, y = k / 360 - 45;
            noise = noise * 1103515245u + 12345u;
            file[15 + k] = (unsigned char)((x * x + y * y < 900 ? (k % 3 == 0 ? 200 : 70) : 120) + (noise >> 16 & 31));
        }
        file_write(name, file, sizeof file);
    }
    keep(inputs, sizeof inputs, "in");
    process_run(&p, BATCH);
    REQUIRE_MSG(p.code == 0, "%s", p.err);
    keep(whole, sizeof whole, "out");
    process_run(&p, AGAIN);
    REQUIRE_MSG(p.code == 0, "%s", p.err);
    seconds = p.seconds;
}
