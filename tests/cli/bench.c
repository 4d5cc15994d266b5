/* `mattebox bench`: one row per number of threads in every form, shares of measured peaks, the memory of the network
 * and not of the measuring. */
#include "harness/check.h"
#include "harness/genweights.h"
#include "harness/process.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static process p;
static const char *folder;

/* m.mbw: the tiny BiRefNet. */
SETUP
{
    char path[600];
    folder = process_folder("cli_bench");
    (void)snprintf(path, sizeof path, "%s/m.mbw", folder);
    mb_error err = {0};
    mb_weights *w = NULL;
    mbw_writer *to = NULL;
    CHECK_OK(gen_weights(&w, "tiny7", 3, &err), err);
    CHECK_OK(mbw_writer_create(&to, &err), err);
    for (size_t i = 0; i < mb_weights_meta_count(w); i++) {
        const char *key, *text;
        mb_weights_meta_at(w, i, &key, &text);
        CHECK_OK(mbw_writer_meta(to, key, text, &err), err);
    }
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        CHECK_OK(mbw_writer_tensor(to, t->name, t->dtype, t->rank, t->dims, &err), err);
    }
    CHECK_OK(mbw_writer_start_file(to, path, true, &err), err);
    for (size_t i = 0; i < mb_weights_count(w); i++) {
        const mb_tensor *t = mb_weights_at(w, i);
        CHECK_OK(mbw_writer_data(to, t->data, t->bytes, &err), err);
    }
    CHECK_OK(mbw_writer_finish_file(to, &err), err);
    mbw_writer_free(to);
    mb_weights_free(w);
}

/* The number behind "key": in one line of JSON; -1: there is none. */
static double number(const char *json, const char *key)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(json, quoted);
    return at != NULL ? strtod(at + strlen(quoted), NULL) : -1;
}

TEST(rows)
{
    process_run(&p, "mattebox bench m.mbw --device cpu --size 64 --runs 2 --threads 2,1 --csv");
    CHECK_EQ(p.code, 0);
    char *two = strchr(p.out, '\n'), *one = two != NULL ? strchr(two + 1, '\n') : NULL;
    CHECK_CONTAINS(p.out, "model,device,threads,batch,width,height,runs,median_ms,");
    CHECK(one != NULL && strstr(two, ",2,1,64,64,2,") != NULL && strstr(one, ",1,1,64,64,2,") != NULL);
    CHECK_MSG(strstr(two, ",1,1,64,64,") > one, "rows in another order: %s", p.out);

    process_run(&p, "mattebox bench m.mbw --device cpu --size 64 --runs 1 --threads 1 --csv --profile");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "op,kernel,nodes,ms,gflops,share_of_peak,gbytes_per_s,share_of_memory\n");
    CHECK_CONTAINS(p.out, "\"window_attention\"");

    process_run(&p, "mattebox bench m.mbw --device cpu --size 64 --runs 1 --threads 1,2 --profile");
    CHECK_EQ(p.code, 0);
    CHECK_CONTAINS(p.out, "1.00x");
    CHECK_CONTAINS(p.out, "at most, measured with 2 threads: ");
    CHECK_CONTAINS(p.out, "slowest nodes");
    process_run(&p, "mattebox bench m.mbw --json --csv");
    CHECK_RUN(&p, 2, "--json and --csv: one of them");
    process_run(&p, "MATTEBOX_THREADS=1,2 mattebox bench m.mbw --device cpu --size 64 --runs 1 --csv | wc -l");
    CHECK_EQ(atoi(p.out), 3);
}

/* Peaks are of what computes: the generic set in 16 bits is known, f32 has none. A network reaches a part of them. */
TEST(peaks)
{
    process_run(&p, "mattebox bench m.mbw --device cpu --size 64 --runs 1 --threads 1 --json");
    CHECK_EQ(p.code, 0);
    CHECK_MSG(number(p.out, "peak_gflops") > 0.1 && number(p.out, "peak16_gflops") == 0, "%s", p.out);
    CHECK_MSG(number(p.out, "memory_gbytes_per_s") > 0.01, "%s", p.out);
    CHECK_MSG(number(p.out, "share_of_peak") > 0 && number(p.out, "share_of_peak") < 1.2, "%s", p.out);
    CHECK_MSG(number(p.out, "peak_rss_mb") > 1 && number(p.out, "peak_rss_mb") < 190, "%s", p.out); /* not the maps */
    process_run(&p, "MATTEBOX_ISA=generic mattebox bench m.mbw --device cpu --size 64 --runs 1 --threads 1 --json "
                    "--precision bf16");
    CHECK_EQ(p.code, 0);
    CHECK_MSG(number(p.out, "peak16_gflops") > 0.01, "%s", p.out);
}
