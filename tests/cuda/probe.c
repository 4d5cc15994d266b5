/* The words of --device, and what a machine says that has no usable GPU. (With one, only the shape of the report.) */
#include "device.h"
#include "harness/check.h"

#include <string.h>

TEST(words)
{
    static const struct {
        const char *text;
        mb_device_wish wish;
    } good[] = {{"auto", {MB_DEVICE_AUTO, 0}},
                {"cpu", {MB_DEVICE_CPU, 0}},
                {"cuda", {MB_DEVICE_CUDA, 0}},
                {"cuda:0", {MB_DEVICE_CUDA, 0}},
                {"cuda:12", {MB_DEVICE_CUDA, 12}}};
    static const char *const bad[] = {"", "gpu", "CUDA", "cuda:", "cuda:x", "cuda:1x", "cuda:-1", "cuda:12345", "cpu "};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        mb_device_wish w = {MB_DEVICE_CPU, 9};
        mb_error err;
        CHECK_OK(mb_device_parse(&w, good[i].text, &err), err);
        CHECK_MSG(w.kind == good[i].wish.kind && w.index == good[i].wish.index, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        mb_device_wish w;
        mb_error err = {0};
        CHECK_MSG(mb_device_parse(&w, bad[i], &err) == MB_E_ARGUMENT && err.message[0] != '\0', "'%s'", bad[i]);
    }
}

TEST(probe)
{
    mb_device_report report;
    mb_error err = {0};
    CHECK_OK(mb_device_probe(&report, (mb_device_wish){MB_DEVICE_CPU, 0}, &err), err);
    CHECK(report.kind == MB_DEVICE_CPU && report.note[0] == '\0');
    CHECK_OK(mb_device_probe(&report, (mb_device_wish){MB_DEVICE_AUTO, 0}, &err), err);
    if (report.kind == MB_DEVICE_CUDA) {
        CHECK(report.name[0] != '\0' && report.compute >= 75 && report.total_bytes > 0);
        return;
    }
    CHECK_MSG(strncmp(report.note, "CUDA: ", 6) == 0 && strstr(report.note, "; using the CPU. ") != NULL &&
                  strchr(report.note, '\n') == NULL,
              "%s", report.note);
    err = (mb_error){0};
    CHECK(mb_device_probe(&report, (mb_device_wish){MB_DEVICE_CUDA, 0}, &err) == MB_E_DEVICE);
    CHECK_MSG(strncmp(err.message, "CUDA: ", 6) == 0 && strstr(err.message, "using the CPU") == NULL &&
                  strchr(err.message, '\n') != NULL,
              "%s", err.message);
}
