/* mattebox frames: the same pixels as `mattebox PHOTO`, from raw frames and from YUV4MPEG2, and every way a stream can end. */
#include "harness/check.h"
#include "harness/process.h"

#include <mattebox.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static process p;
static int width, height;

/* The photo reduced to what a test needs, as raw RGB, and the cut-out of the same pixels as raw RGBA. */
SETUP
{
    mb_image photo = {0};
    mb_error err = {0};
    char path[2][1024];
    const char *folder = process_folder("cli-frames");
    (void)snprintf(path[0], sizeof path[0], "%s/photo.png", folder);
    (void)snprintf(path[1], sizeof path[1], "%s/photo.cutout.png", folder);
    CHECK(mb_image_load(&photo, NULL, MB_SOURCE_DIR "/docs/pictures/cat.jpg", NULL, &err) == MB_OK);
    width = photo.width / 2;
    height = photo.height / 2;
    unsigned char *rgb = malloc((size_t)width * (size_t)height * 3);
    for (int i = 0; i < width * height; i++) {
        memcpy(rgb + 3 * i, (unsigned char *)photo.data + 3 * (2 * (i / width) * photo.width + 2 * (i % width)), 3);
    }
    file_write("one.rgb", rgb, (size_t)width * (size_t)height * 3);
    const mb_image small = {.data = rgb, .width = width, .height = height, .pixels = MB_PIXELS_RGB};
    CHECK(mb_image_save(&small, path[0], NULL, &err) == MB_OK);
    process_run(&p, "mattebox photo.png --model saliency -q -f");
    CHECK_RUN(&p, 0, "");
    mb_load_options o;
    mb_load_options_init(&o);
    o.keep_alpha = 1;
    mb_image_dispose(&photo);
    CHECK(mb_image_load(&photo, NULL, path[1], &o, &err) == MB_OK && photo.pixels == MB_PIXELS_RGBA);
    file_write("one.rgba", photo.data, (size_t)width * (size_t)height * 4);
    mb_image_dispose(&photo);
    free(rgb);
}

/* Eight frames, more than there are slots: as many photos one by one. */
TEST(as_photos)
{
    process_run(
        &p,
        "for i in 1 2 3 4 5 6 7 8; do cat one.rgb; done | mattebox frames --model saliency --size %dx%d >out && "
        "for i in 1 2 3 4 5 6 7 8; do cat one.rgba; done | cmp - out",
        width, height);
    CHECK_RUN(&p, 0, "Processed 8 frame(s), ");
    process_run(&p, "mattebox frames --model saliency --size %dx%d --out gray -q <one.rgb >gray", width, height);
    CHECK_RUN(&p, 0, "");
    size_t n, m;
    unsigned char *rgba = (unsigned char *)file_read("one.rgba", &n), *gray = (unsigned char *)file_read("gray", &m);
    CHECK(m == (size_t)width * (size_t)height);
    int differ = 0;
    for (size_t i = 0; i < m; i++) {
        differ += gray[i] != rgba[4 * i + 3];
    }
    CHECK_MSG(differ == 0, "%d values of alpha differ", differ);
    free(rgba);
    free(gray);
}

/* 16-bit samples, other orders, and what is composed over a background: sizes and single values. */
TEST(formats)
{
    static const struct {
        const char *pix, *out;
        int bytes;
    } rows[] = {{"rgb24", "bgra", 4}, {"rgb24", "rgba64le", 8}, {"rgb24", "gray16le", 2}, {"rgb24", "yuva444p", 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        process_run(&p, "mattebox frames --model saliency -q --size %dx%d --pix %s --out %s <one.rgb >out", width,
                    height, rows[i].pix, rows[i].out);
        CHECK_RUN(&p, 0, "");
        CHECK(file_bytes("out") == (long)width * height * rows[i].bytes);
    }
    process_run(&p, "mattebox frames --model saliency -q --size %dx%d --out rgb24 <one.rgb", width, height);
    CHECK_RUN(&p, 2, "--out rgb24 has no transparency\n  --background, or --out rgba\n");
    process_run(&p,
                "mattebox frames --model saliency -q --size 4x4 --out rgb24 -b '#102030' </dev/zero | head -c 48 >out");
    size_t n;
    unsigned char *out = (unsigned char *)file_read("out", &n);
    CHECK(n == 48 && out[0] == 0x10 && out[1] == 0x20 && out[47] == 0x30); /* nothing is found in black */
    free(out);
}

/* Colours through YUV: each of 4:4:4 and 4:2:0, 8 and 10 bits, of one colour, whose values are known. */
TEST(yuv)
{
    static const struct {
        const char *head;
        int luma, u, v, wide, chroma; /* chroma samples of the 4x2 picture */
        int r, g, b;
    } rows[] = {{"YUV4MPEG2 W4 H2 F25:1 Ip C444", 81, 90, 240, 0, 8, 255, 0, 0},           /* BT.601 red */
                {"YUV4MPEG2 W4 H2 F25:1 C420jpeg", 145, 54, 34, 0, 2, 0, 255, 0},          /* green */
                {"YUV4MPEG2 W4 H2 C420p10 XYSCSS=420P10", 164, 960, 440, 1, 2, 0, 0, 255}, /* blue */
                {"YUV4MPEG2 W4 H2 Cmono", 126, 0, 0, 0, 0, 128, 128, 128},
                {"YUV4MPEG2 W4 H2 C444 XCOLORRANGE=FULL", 76, 85, 255, 0, 8, 254, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        unsigned char stream[400];
        size_t n = (size_t)snprintf((char *)stream, sizeof stream, "%s\nFRAME\n", rows[i].head);
        const int samples[3] = {rows[i].luma, rows[i].u, rows[i].v};
        for (int plane = 0; plane < 3; plane++) {
            for (int k = 0; k < (plane == 0 ? 8 : rows[i].chroma); k++) {
                stream[n++] = (unsigned char)samples[plane];
                if (rows[i].wide) {
                    stream[n++] = (unsigned char)(samples[plane] >> 8);
                }
            }
        }
        file_write("in.y4m", stream, n);
        /* inverted and with its own colours: nothing is found, so all of the photo is kept */
        process_run(&p, "mattebox frames --model saliency --invert --foreground none -q <in.y4m >out");
        CHECK_RUN(&p, 0, "");
        size_t m;
        unsigned char *out = (unsigned char *)file_read("out", &m);
        CHECK_MSG(m == 32 && abs(out[0] - rows[i].r) <= 3 && abs(out[1] - rows[i].g) <= 3 &&
                      abs(out[2] - rows[i].b) <= 3,
                  "%s: %zu bytes, %d %d %d", rows[i].head, m, out[0], out[1], out[2]);
        free(out);
    }
    file_write_text("bad.y4m", "YUV4MPEG2 W4 H2 C444alpha\nFRAME\n");
    process_run(&p, "mattebox frames --model saliency -q <bad.y4m | cat");
    CHECK(strstr(p.err, "YUV4MPEG2 with samples \"C444alpha\" is not read") != NULL);
    static const char *const sizes[][2] = {{"W99999999 H2", "with \"W99999999\": 1 to 65535 is possible"},
                                           {"W4 H0", "with \"H0\": 1 to 65535"},
                                           {"W4 F25:1", "without a height"}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        process_run(&p, "echo YUV4MPEG2 %s | mattebox frames --model saliency -q | cat", sizes[i][0]);
        CHECK_CONTAINS(p.err, sizes[i][1]);
    }
    process_run(&p, "mattebox frames --model saliency -q --size 4x2 <in.y4m | cat");
    CHECK(strstr(p.err, "stdin is YUV4MPEG2, which names its own size\n  leave out --size and --pix\n") != NULL);
}

/* The end of a stream: between frames, inside one, before the first, and a reader that has enough. */
TEST(ends)
{
    process_run(
        &p,
        "(cat one.rgb one.rgb; head -c 1000 one.rgb) | mattebox frames --model saliency --size %dx%d >out; code=$?; "
        "cat one.rgba one.rgba | cmp - out && exit $code",
        width, height);
    CHECK_RUN(&p, 1, "stdin ended inside frame 3: 1000 of ");
    CHECK_RUN(&p, 1, "Processed 2 frame(s), ");
    process_run(&p, "mattebox frames --model saliency --size 10x10 </dev/null >out");
    CHECK_RUN(&p, 2, "no frames on stdin");
    process_run(&p, "echo hello, world | mattebox frames --model saliency >out");
    CHECK_RUN(&p, 2, "stdin is not YUV4MPEG2, and the size of its frames is not known");
    process_run(&p, "mattebox frames one.rgb </dev/null >out");
    CHECK_RUN(&p, 2, "frames reads stdin, not one.rgb");
    /* An endless stream, of which one frame is read. */
    process_run(&p,
                "(yes | mattebox frames --model saliency --size 8x8; echo $? >code) | head -c 256 | wc -c; cat code");
    CHECK(strstr(p.out, "256\n5\n") != NULL && strstr(p.err, "could not be written") == NULL);
    process_run(&p, "yes | mattebox frames --model saliency --size 8x8 >/dev/full");
    CHECK_RUN(&p, 5, "standard output: No space left on device");
}

TEST(interrupt)
{
    process_run(&p, "mkfifo -m 600 f; sleep 20 >f & mattebox frames --model saliency --size 8x8 <f >out & "
                    "for i in $(seq 200); do [ -e out ] && break; sleep 0.02; done; sleep 0.2; kill -INT $!; wait $!; "
                    "code=$?; kill %%1; rm f; exit $code");
    CHECK(p.code == 130);
}

/* ffmpeg on both sides, as docs/frames.md says. */
TEST(ffmpeg)
{
    process_run(&p, "command -v ffmpeg && command -v ffprobe");
    if (p.code != 0) {
        SKIP("ffmpeg is not installed");
    }
    process_run(&p, "ffmpeg -v error -f lavfi -i testsrc=size=160x120:rate=10 -t 0.5 -pix_fmt yuv420p -y in.mp4 && "
                    "ffmpeg -v error -i in.mp4 -f yuv4mpegpipe - | mattebox frames --model saliency -q | "
                    "ffmpeg -v error -f rawvideo -pix_fmt rgba -s 160x120 -r 10 -i - -c:v png -y out.mov && "
                    "ffprobe -v error -count_frames -show_entries stream=pix_fmt,nb_read_frames -of csv=p=0 out.mov");
    CHECK_RUN(&p, 0, "");
    CHECK_MSG(strcmp(p.out, "rgba,5\n") == 0, "%s", p.out);
}
