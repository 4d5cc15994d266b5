/* Makes the pictures of tests/cli/formats.c that Pillow cannot write: HEIC (libheif with x265), JPEG XL (libjxl) and TIFF
 * in tiles, planes, inks and more (libtiff). Their pixels come from photo.ppm and sticker.pam, which make_coded.sh makes.
 *
 *     sh tests/data/pictures/make_coded.sh
 *
 * The results are committed: tests need no encoder. Written with libheif 1.15.1, libjxl 0.7.0, libtiff 4.5.0. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jxl/encode.h>
#include <libheif/heif.h>
#include <tiffio.h>

typedef struct picture {
    int width, height, channels;
    uint8_t v[64 * 64 * 4];
} picture;

static uint8_t icc[1 << 14];
static size_t icc_bytes;

static void must(int condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "make_coded: %s failed\n", what);
        exit(1);
    }
}

static size_t read_file(const char *path, uint8_t *v, size_t most)
{
    FILE *f = fopen(path, "rb");
    must(f != NULL, path);
    const size_t n = fread(v, 1, most, f);
    fclose(f);
    return n;
}

/* Raw samples behind "WIDTH HEIGHT CHANNELS\n". */
static picture read_picture(const char *path)
{
    picture p = {0};
    FILE *f = fopen(path, "rb");
    must(f != NULL && fscanf(f, "%d %d %d", &p.width, &p.height, &p.channels) == 3 && fgetc(f) == '\n', path);
    const size_t n = (size_t)(p.width * p.height * p.channels);
    must(n <= sizeof p.v && fread(p.v, 1, n, f) == n, path);
    fclose(f);
    return p;
}

/* ---- HEIC */

static void check(struct heif_error e)
{
    must(e.code == heif_error_Ok, e.message);
}

static struct heif_image *heif_picture(const picture *p, int bits)
{
    struct heif_image *image;
    int stride;
    const int deep = bits > 8;
    check(heif_image_create(p->width, p->height, heif_colorspace_RGB,
                            deep               ? heif_chroma_interleaved_RRGGBB_LE
                            : p->channels == 4 ? heif_chroma_interleaved_RGBA
                                               : heif_chroma_interleaved_RGB,
                            &image));
    check(heif_image_add_plane(image, heif_channel_interleaved, p->width, p->height, deep ? bits : p->channels * 8));
    uint8_t *plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
    for (int y = 0; y < p->height; y++) {
        for (int i = 0; i < p->width * p->channels; i++) {
            const uint8_t v = p->v[y * p->width * p->channels + i];
            if (deep) {
                const unsigned wide = (v * ((1u << bits) - 1) + 127) / 255;
                plane[y * stride + 2 * i] = (uint8_t)wide;
                plane[y * stride + 2 * i + 1] = (uint8_t)(wide >> 8);
            } else {
                plane[y * stride + i] = v;
            }
        }
    }
    return image;
}

/* The writer's bytes, kept to be changed. */
static uint8_t coded[1 << 17];
static size_t n_coded;

static struct heif_error keep(struct heif_context *c, const void *data, size_t n, void *user)
{
    (void)c;
    (void)user;
    must(n <= sizeof coded, "a buffer");
    memcpy(coded, data, n);
    n_coded = n;
    return (struct heif_error){heif_error_Ok, heif_suberror_Unspecified, ""};
}

static void write_bytes(const char *path)
{
    FILE *f = fopen(path, "wb");
    must(f != NULL && fwrite(coded, 1, n_coded, f) == n_coded && fclose(f) == 0, path);
}

/* One or two pictures; turn: quarter turns counter-clockwise of an irot box, by libheif's own orientation. */
static void write_heic(const char *path, const picture *p, const picture *second, int bits, int orientation,
                       int with_profile)
{
    struct heif_context *c = heif_context_alloc();
    struct heif_encoder *encoder;
    check(heif_context_get_encoder_for_format(c, heif_compression_HEVC, &encoder));
    check(heif_encoder_set_lossless(encoder, 1));
    (void)heif_encoder_set_parameter_string(encoder, "chroma", "444");
    struct heif_encoding_options *o = heif_encoding_options_alloc();
    struct heif_color_profile_nclx *nclx = heif_nclx_color_profile_alloc();
    nclx->matrix_coefficients = heif_matrix_coefficients_RGB_GBR;
    nclx->full_range_flag = 1;
    o->output_nclx_profile = nclx;
    o->image_orientation = (enum heif_orientation)orientation;
    for (int i = 0; i < (second != NULL ? 2 : 1); i++) {
        struct heif_image *image = heif_picture(i == 0 ? p : second, bits);
        struct heif_image_handle *handle;
        if (with_profile) {
            check(heif_image_set_raw_color_profile(image, "prof", icc, icc_bytes));
        }
        check(heif_context_encode_image(c, image, encoder, o, &handle));
        if (orientation > 1) { /* the EXIF says it once more, as phones do */
            uint8_t exif[] = {'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
            exif[18] = (uint8_t)orientation;
            check(heif_context_add_exif_metadata(c, handle, exif, sizeof exif));
        }
        heif_image_handle_release(handle);
        heif_image_release(image);
    }
    heif_encoding_options_free(o);
    heif_encoder_release(encoder);
    struct heif_writer writer = {1, keep};
    check(heif_context_write(c, &writer, NULL));
    heif_context_free(c);
    write_bytes(path);
}

/* ---- JPEG XL */

typedef struct jxl_kind {
    int deep, with_profile, lossy, orientation, frames, grey;
} jxl_kind;

static void set_info(JxlEncoder *e, const picture *p, const jxl_kind *k)
{
    JxlBasicInfo info;
    JxlEncoderInitBasicInfo(&info);
    info.xsize = (uint32_t)p->width;
    info.ysize = (uint32_t)p->height;
    info.bits_per_sample = k->deep ? 16 : 8;
    info.num_color_channels = k->grey ? 1 : 3;
    info.uses_original_profile = !k->lossy;
    info.orientation = k->orientation > 0 ? (JxlOrientation)k->orientation : JXL_ORIENT_IDENTITY;
    if (p->channels == 4) {
        info.num_extra_channels = 1;
        info.alpha_bits = info.bits_per_sample;
    }
    if (k->frames > 1) {
        info.have_animation = JXL_TRUE;
        info.animation.tps_numerator = 1000;
        info.animation.tps_denominator = 1;
        info.animation.num_loops = 3;
    }
    must(JxlEncoderSetBasicInfo(e, &info) == JXL_ENC_SUCCESS, "basic info");
    if (k->with_profile) {
        must(JxlEncoderSetICCProfile(e, icc, icc_bytes) == JXL_ENC_SUCCESS, "profile");
    } else {
        JxlColorEncoding c;
        JxlColorEncodingSetToSRGB(&c, k->grey);
        must(JxlEncoderSetColorEncoding(e, &c) == JXL_ENC_SUCCESS, "colours");
    }
}

static void write_jxl(const char *path, const picture *p, jxl_kind k)
{
    static uint16_t wide[64 * 64 * 4];
    static uint8_t narrow[64 * 64 * 4];
    JxlEncoder *e = JxlEncoderCreate(NULL);
    const size_t n = (size_t)(p->width * p->height * p->channels);
    const uint32_t channels = k.grey ? 1 : (uint32_t)p->channels;
    const JxlPixelFormat format = {channels, k.deep ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
    set_info(e, p, &k);
    for (int f = 0; f < (k.frames > 1 ? k.frames : 1); f++) {
        JxlEncoderFrameSettings *s = JxlEncoderFrameSettingsCreate(e, NULL);
        if (k.lossy) {
            JxlEncoderSetFrameDistance(s, 0.1f);
        } else {
            JxlEncoderSetFrameLossless(s, JXL_TRUE);
        }
        if (k.frames > 1) {
            JxlFrameHeader header;
            JxlEncoderInitFrameHeader(&header);
            header.duration = (uint32_t)(40 + 10 * f);
            must(JxlEncoderSetFrameHeader(s, &header) == JXL_ENC_SUCCESS, "a frame's head");
        }
        for (size_t i = 0; i < n; i++) {
            const size_t row = (size_t)(p->width * p->channels), y = i / row, x = i % row;
            const size_t from = y * row + (x + (size_t)(f * 8 * p->channels)) % row; /* moves eight pixels a frame */
            const unsigned v = p->v[from];
            wide[i] = (uint16_t)(v * 257);
            narrow[i] = (uint8_t)v;
        }
        const size_t samples = k.grey ? (size_t)(p->width * p->height) : n;
        must(JxlEncoderAddImageFrame(s, &format, k.deep ? (void *)wide : (void *)narrow, samples * (k.deep ? 2 : 1)) ==
                 JXL_ENC_SUCCESS,
             "a frame");
    }
    JxlEncoderCloseInput(e);
    uint8_t *next = coded;
    size_t rest = sizeof coded;
    must(JxlEncoderProcessOutput(e, &next, &rest) == JXL_ENC_SUCCESS, "encoding");
    n_coded = sizeof coded - rest;
    JxlEncoderDestroy(e);
    write_bytes(path);
}

/* ---- TIFF */

typedef struct tiff_kind {
    const char *mode;
    uint16_t bits, photometric, planar, extra, compression;
    int tiled, inks;
} tiff_kind;

/* Samples of row y of plane s (or all of them), from pixel x on, `width` pixels; beyond the picture: zero. */
static void fill(uint8_t *dst, const picture *p, const tiff_kind *k, int s, int x0, int y, int width)
{
    for (int x = 0; x < width; x++) {
        for (int c = 0; c < p->channels; c++) {
            if (k->planar == PLANARCONFIG_SEPARATE && c != s) {
                continue;
            }
            const int at = k->planar == PLANARCONFIG_SEPARATE ? x : x * p->channels + c;
            const uint8_t v = x0 + x < p->width && y < p->height ? p->v[(y * p->width + x0 + x) * p->channels + c] : 0;
            if (k->bits == 16) {
                const uint16_t wide = (uint16_t)(v * 257);
                memcpy(dst + 2 * at, &wide, 2);
            } else {
                dst[at] = v;
            }
        }
    }
}

static void write_tiff(const char *path, const picture *p, tiff_kind k)
{
    TIFF *t = TIFFOpen(path, k.mode);
    static uint8_t row[1 << 16];
    const int planes = k.planar == PLANARCONFIG_SEPARATE ? p->channels : 1, tile = 16;
    must(t != NULL, path);
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, p->width);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, p->height);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, k.bits);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, p->channels);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, k.photometric);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, k.planar);
    TIFFSetField(t, TIFFTAG_COMPRESSION, k.compression);
    if (k.extra != 0) {
        TIFFSetField(t, TIFFTAG_EXTRASAMPLES, 1, &k.extra);
    }
    if (k.inks) {
        TIFFSetField(t, TIFFTAG_ICCPROFILE, (uint32_t)icc_bytes, icc);
    }
    if (!k.tiled) {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 7);
    } else {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, tile);
        TIFFSetField(t, TIFFTAG_TILELENGTH, tile);
    }
    for (int s = 0; s < planes; s++) {
        for (int y = 0; y < p->height; y += k.tiled ? tile : 1) {
            for (int x = 0; x < p->width; x += k.tiled ? tile : p->width) {
                const int width = k.tiled ? tile : p->width;
                const size_t bytes = (size_t)width * (planes > 1 ? 1 : p->channels) * k.bits / 8;
                for (int i = 0; i < (k.tiled ? tile : 1); i++) {
                    fill(row + (size_t)i * bytes, p, &k, s, x, y + i, width);
                }
                must(k.tiled ? TIFFWriteTile(t, row, (uint32_t)x, (uint32_t)y, 0, (uint16_t)s) > 0
                             : TIFFWriteScanline(t, row, (uint32_t)y, (uint16_t)s) == 1,
                     path);
            }
        }
    }
    TIFFClose(t);
}

int main(int argc, char **argv)
{
    must(argc == 2, "usage: make_coded FOLDER_OF_RAW_PICTURES");
    char path[4][1024];
    static const char *const names[] = {"photo.raw", "sticker.raw", "cmyk.raw", "photo64.raw"};
    for (int i = 0; i < 4; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/%s", argv[1], names[i]);
    }
    const picture photo = read_picture(path[0]), sticker = read_picture(path[1]), cmyk = read_picture(path[2]),
                  large = read_picture(path[3]);
    picture grey = photo;
    for (int i = 0; i < photo.width * photo.height; i++) {
        grey.v[i] = photo.v[3 * i];
    }
    picture other = large; /* upside down */
    for (int i = 0; i < large.width * large.height; i++) {
        memcpy(other.v + 3 * i, large.v + 3 * (large.width * large.height - 1 - i), 3);
    }
    (void)snprintf(path[0], sizeof path[0], "%s/p3.icc", argv[1]);
    icc_bytes = read_file(path[0], icc, sizeof icc);
    write_heic("heif/photo.heic", &large, NULL, 8, 1, 1);
    write_heic("heif/deep.heic", &large, NULL, 10, 1, 0);
    write_heic("heif/sticker.heic", &sticker, NULL, 8, 1, 0);
    write_heic("heif/two.heic", &large, &other, 8, 1, 0);
    static const char *const turned[] = {"2", "3", "4", "5", "6", "7", "8"};
    for (int o = 2; o <= 8; o++) {
        char name[64];
        (void)snprintf(name, sizeof name, "heif/orientation%s.heic", turned[o - 2]);
        write_heic(name, &large, NULL, 8, o, 0);
    }
    write_jxl("jxl/photo.jxl", &photo, (jxl_kind){.with_profile = 1});
    write_jxl("jxl/deep.jxl", &photo, (jxl_kind){.with_profile = 1, .deep = 1});
    write_jxl("jxl/lossy.jxl", &photo, (jxl_kind){.lossy = 1});
    write_jxl("jxl/lossy_p3.jxl", &photo, (jxl_kind){.lossy = 1, .with_profile = 1});
    write_jxl("jxl/grey.jxl", &grey, (jxl_kind){.grey = 1});
    write_jxl("jxl/sticker.jxl", &sticker, (jxl_kind){0});
    write_jxl("jxl/turned.jxl", &photo, (jxl_kind){.orientation = 6});
    write_jxl("jxl/animated.jxl", &sticker, (jxl_kind){.frames = 4});
    const uint16_t rgb = PHOTOMETRIC_RGB, whole = PLANARCONFIG_CONTIG, apart = PLANARCONFIG_SEPARATE;
    write_tiff("tiff/tiled.tif", &photo, (tiff_kind){"w", 8, rgb, whole, 0, COMPRESSION_ADOBE_DEFLATE, 1, 0});
    write_tiff("tiff/tiled16.tif", &photo, (tiff_kind){"w", 16, rgb, apart, 0, COMPRESSION_LZW, 1, 0});
    write_tiff("tiff/tiled_straight.tif", &sticker,
               (tiff_kind){"w", 8, rgb, whole, EXTRASAMPLE_UNASSALPHA, COMPRESSION_ADOBE_DEFLATE, 1, 0});
    write_tiff("tiff/planes.tif", &photo, (tiff_kind){"w", 8, rgb, apart, 0, COMPRESSION_NONE, 0, 0});
    write_tiff("tiff/planes_straight16.tif", &sticker,
               (tiff_kind){"wb", 16, rgb, apart, EXTRASAMPLE_UNASSALPHA, COMPRESSION_ADOBE_DEFLATE, 0, 0});
    write_tiff("tiff/big.tif", &photo, (tiff_kind){"w8", 8, rgb, whole, 0, COMPRESSION_LZW, 0, 0});
    write_tiff("tiff/big_other_order.tif", &photo, (tiff_kind){"w8b", 16, rgb, whole, 0, COMPRESSION_LZW, 1, 0});
    write_tiff("tiff/cmyk_plain.tif", &cmyk,
               (tiff_kind){"w", 8, PHOTOMETRIC_SEPARATED, whole, 0, COMPRESSION_ADOBE_DEFLATE, 0, 0});
    (void)snprintf(path[0], sizeof path[0], "%s/cmyk.icc", argv[1]);
    icc_bytes = read_file(path[0], icc, sizeof icc);
    write_tiff("tiff/cmyk.tif", &cmyk,
               (tiff_kind){"w", 8, PHOTOMETRIC_SEPARATED, whole, 0, COMPRESSION_ADOBE_DEFLATE, 0, 1});
    write_tiff("tiff/cmyk16.tif", &cmyk,
               (tiff_kind){"w", 16, PHOTOMETRIC_SEPARATED, whole, 0, COMPRESSION_ADOBE_DEFLATE, 1, 1});
    return 0;
}
