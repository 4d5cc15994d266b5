/* F11: small pictures with any mask, trimap and options through each refinement that needs no network. The guided filter
 * equals a plain one in f64; alphas are finite, in [0,1] and of the photo's size; colours are the photo's where nothing is
 * transparent. */
#include "fuzz.h"
#include "image/view.h"
#include "matting/foreground.h"
#include "matting/guided.h"
#include "matting/matte.h"
#include "options/options.h"

#include <math.h>
#include <string.h>

#define SIDE 20

typedef struct picture {
    uint8_t rgb[SIDE * SIDE * 3], mask[SIDE * SIDE];
    int width, height;
} picture;

/* ---- the guided filter of one grey guide, by its definition */

static double mean(const double *v, const picture *p, int x, int y, int radius)
{
    double sum = 0;
    for (int dy = -radius; dy <= radius; dy++) {
        for (int dx = -radius; dx <= radius; dx++) {
            sum += v[mb_reflect(y + dy, p->height) * p->width + mb_reflect(x + dx, p->width)];
        }
    }
    return sum / ((2 * radius + 1) * (2 * radius + 1));
}

static void plain_guided(double *out, const double *guide, const double *source, const picture *p, int radius,
                         double eps)
{
    static double gs[SIDE * SIDE], gg[SIDE * SIDE], a[SIDE * SIDE], b[SIDE * SIDE];
    const int n = p->width * p->height;
    for (int i = 0; i < n; i++) {
        gs[i] = guide[i] * source[i];
        gg[i] = guide[i] * guide[i];
    }
    for (int i = 0; i < n; i++) {
        const int x = i % p->width, y = i / p->width;
        const double mg = mean(guide, p, x, y, radius), ms = mean(source, p, x, y, radius);
        a[i] = (mean(gs, p, x, y, radius) - mg * ms) / (mean(gg, p, x, y, radius) - mg * mg + eps);
        b[i] = ms - a[i] * mg;
    }
    for (int i = 0; i < n; i++) {
        const int x = i % p->width, y = i / p->width;
        out[i] = mean(a, p, x, y, radius) * guide[i] + mean(b, p, x, y, radius);
    }
}

static void check_guided(picture *p, int radius, double eps)
{
    static double guide[SIDE * SIDE], source[SIDE * SIDE], want[SIDE * SIDE];
    static uint8_t grey[SIDE * SIDE];
    const mb_guided_options o = {radius, eps, 1.0};
    mb_image_f32 out = {0};
    const int n = p->width * p->height;
    for (int i = 0; i < n; i++) {
        grey[i] = p->rgb[3 * i];
        guide[i] = grey[i] / 255.0;
        source[i] = p->mask[i] / 255.0;
    }
    const mb_image_u8 g = {p->width, p->height, 1, grey}, s = {p->width, p->height, 1, p->mask};
    const mb_image_view gv = mb_image_view_u8(&g), sv = mb_image_view_u8(&s);
    FUZZ_MUST(mb_guided_filter(NULL, &out, &gv, &sv, &o, NULL) == MB_OK);
    plain_guided(want, guide, source, p, radius, eps);
    for (int i = 0; i < n; i++) {
        FUZZ_MUST(isfinite(out.v[i]) && fabs((double)out.v[i] - want[i]) < 1e-3);
    }
    mb_image_f32_dispose(&out);
}

/* ---- a refinement with any options */

static void set_options(mb_options *o, fuzz_input *in)
{
    static const mb_option_id ids[] = {MB_OPTION_erode,        MB_OPTION_dilate,         MB_OPTION_black_point,
                                       MB_OPTION_white_point,  MB_OPTION_guided_radius,  MB_OPTION_guided_eps,
                                       MB_OPTION_guided_scale, MB_OPTION_matting_epsilon};
    mb_options_init(o);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        const mb_option_row *row = &mb_option_rows[ids[i]];
        const int part = fuzz_range(in, 0, 300);
        if (part < 256) { /* else its default */
            const double share = part / 255.0, most = row->most < 64 ? row->most : 64;
            mb_option_set(o, ids[i], row->least + share * share * (most - row->least));
        }
    }
    o->detail = fuzz_range(in, 0, 1) == 0 ? MB_DETAIL_GUIDED : MB_DETAIL_PYMATTING;
}

static void check_matte(picture *p, fuzz_input *in)
{
    mb_options o;
    mb_error err = {0};
    const mb_image_u8 photo = {p->width, p->height, 3, p->rgb}, mask = {p->width, p->height, 1, p->mask};
    set_options(&o, in);
    mb_matte_job job = {.photo = &photo, .options = &o, .want_f32 = true};
    *(fuzz_range(in, 0, 1) == 0 ? &job.mask : &job.user_trimap) = &mask;
    const mb_status status = mb_options_check(&o, &err) == MB_OK ? mb_matte_run(NULL, &job, &err) : err.code;
    if (status == MB_OK) {
        FUZZ_MUST(job.alpha.width == p->width && job.alpha.height == p->height && job.alpha.channels == 1);
        FUZZ_MUST(job.alpha_f32.width == p->width && job.alpha_f32.height == p->height);
        for (int i = 0; i < p->width * p->height; i++) {
            FUZZ_MUST(job.alpha_f32.v[i] >= 0.0F && job.alpha_f32.v[i] <= 1.0F); /* false for NaN */
        }
    } else {
        FUZZ_MUST(err.message[0] != '\0' && job.alpha.v == NULL && job.alpha_f32.v == NULL);
    }
    mb_matte_job_dispose(&job);
}

static void check_foreground(picture *p, mb_foreground method)
{
    static const mb_foreground_options standard = {0};
    mb_image_u8 out = {0};
    const mb_image_u8 photo = {p->width, p->height, 3, p->rgb}, alpha = {p->width, p->height, 1, p->mask};
    FUZZ_MUST(mb_foreground_estimate(NULL, &out, method, &photo, &alpha, &standard, NULL) == MB_OK);
    FUZZ_MUST(out.width == p->width && out.height == p->height && out.channels == 3);
    for (int i = 0; i < p->width * p->height; i++) {
        FUZZ_MUST(p->mask[i] != 255 || memcmp(out.v + 3 * i, p->rgb + 3 * i, 3) == 0);
    }
    mb_image_u8_dispose(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static picture p;
    fuzz_input in = {bytes, bytes + n};
    p.width = fuzz_range(&in, 1, SIDE);
    p.height = fuzz_range(&in, 1, SIDE);
    const int way = fuzz_range(&in, 0, 3), radius = fuzz_range(&in, 1, 12), eps = fuzz_range(&in, 0, 6);
    fuzz_input options = in;
    const size_t rest = (size_t)(in.end - in.at);
    for (int i = 0; i < p.width * p.height * 3; i++) {
        p.rgb[i] = rest > 0 ? in.at[(size_t)i % rest] : (uint8_t)(i * 7);
    }
    for (int i = 0; i < p.width * p.height; i++) { /* mostly decided, as masks are */
        const uint8_t v = rest > 0 ? in.at[(size_t)(i / 3) % rest] : 128;
        p.mask[i] = v < 110 ? 0 : v > 146 ? 255 : v;
    }
    switch (way) {
    case 0:
        check_guided(&p, radius, pow(10, -eps / 2.0));
        break;
    case 1:
        check_foreground(&p, MB_FOREGROUND_ML);
        check_foreground(&p, MB_FOREGROUND_BLURFUSION);
        check_foreground(&p, MB_FOREGROUND_NONE);
        break;
    default:
        check_matte(&p, &options);
        break;
    }
    return 0;
}
