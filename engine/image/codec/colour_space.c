/* Profiles of three primaries and a curve (see the header), made by Little CMS 2 where that is built in. */
#include "image/codec/colour_space.h"

#include "core/alloc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#if MB_HAVE_LCMS
#include <lcms2.h>
#endif

#define D65 0.3127, 0.3290

/* H.273, table 2: code, name, white, red, green, blue. What is missing there is rare, and taken for sRGB. */
static const struct primaries {
    unsigned code;
    const char *name;
    double xy[8];
} known[] = {
    {1, "sRGB", {D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060}},
    {5, "BT.601 (625 lines)", {D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060}},
    {6, "BT.601 (525 lines)", {D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
    {7, "SMPTE 240M", {D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070}},
    {9, "BT.2020", {D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046}},
    {11, "DCI-P3", {0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
    {12, "Display P3", {D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060}},
};

/* Sample x to light: (a x + b)^g from d on, c x below. */
typedef struct curve {
    double g, a, b, c, d;
} curve;
static const curve srgb = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045},
                   bt709 = {1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081};

#if MB_HAVE_LCMS

static cmsHPROFILE open_made(const char *name, const double xy[8], const curve *c)
{
    const cmsCIExyY white = {xy[0], xy[1], 1.0};
    const cmsCIExyYTRIPLE corners = {{xy[2], xy[3], 1.0}, {xy[4], xy[5], 1.0}, {xy[6], xy[7], 1.0}};
    const cmsFloat64Number params[] = {c->g, c->a, c->b, c->c, c->d};
    cmsToneCurve *t = cmsBuildParametricToneCurve(NULL, c->d > 0.0 ? 4 : 1, params);
    cmsHPROFILE p = t != NULL ? cmsCreateRGBProfile(&white, &corners, (cmsToneCurve *[3]){t, t, t}) : NULL;
    cmsMLU *text = p != NULL ? cmsMLUalloc(NULL, 1) : NULL;
    const int is_named =
        text != NULL && cmsMLUsetASCII(text, "en", "US", name) && cmsWriteTag(p, cmsSigProfileDescriptionTag, text);
    cmsMLUfree(text);
    cmsFreeToneCurve(t);
    if (p != NULL && !is_named) {
        cmsCloseProfile(p);
        return NULL;
    }
    if (p != NULL) {
        cmsSetProfileVersion(p, 4.2);
    }
    return p;
}

static mb_status make(mb_colour_profile *out, const char *name, const double xy[8], const curve *c, mb_error *err)
{
    static const uint8_t date[12] = {0x07, 0xEA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0}; /* 1 January 2026 */
    cmsHPROFILE p = open_made(name, xy, c);
    cmsUInt32Number n = 0;
    uint8_t *v = p != NULL && cmsSaveProfileToMem(p, NULL, &n) ? mb_alloc(n) : NULL;
    mb_status status = MB_OK;
    if (v != NULL && n >= 132 && cmsSaveProfileToMem(p, v, &n)) {
        memcpy(v + 24, date, sizeof date); /* the same bytes at any time */
        memset(v + 40, 0, 4);              /* and on any system */
        out->icc = v;
        out->bytes = n;
    } else {
        mb_free(v);
        status = mb_fail_memory(err, 1024, "a colour profile");
    }
    if (p != NULL) {
        cmsCloseProfile(p);
    }
    return status;
}

#else

static mb_status make(mb_colour_profile *out, const char *name, const double xy[8], const curve *c, mb_error *err)
{
    (void)xy;
    (void)c;
    (void)err;
    (void)snprintf(out->note, sizeof out->note, "its colours (%.24s) are lost: this build has no Little CMS", name);
    return MB_OK;
}

#endif

mb_status mb_colour_profile_of_points(mb_colour_profile *out, unsigned primaries, unsigned transfer, mb_error *err)
{
    const struct primaries *p = &known[0];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        p = known[i].code == primaries ? &known[i] : p;
    }
    const curve power = {.g = transfer == 4 ? 2.2 : transfer == 5 ? 2.8 : 1.0, .a = 1.0};
    const bool by_power = transfer == 4 || transfer == 5 || transfer == 8;
    const bool video = transfer == 1 || transfer == 6 || transfer == 7 || transfer == 14 || transfer == 15;
    *out = (mb_colour_profile){0};
    if (transfer == 16) {
        (void)snprintf(out->note, sizeof out->note, "it is HDR (PQ): its samples are taken as they are and look pale");
        return MB_OK;
    }
    /* HLG is made to be shown as if it were BT.709's, and sRGB with video's curve is shown as sRGB everywhere. */
    if (p == &known[0] && !by_power) {
        return MB_OK;
    }
    return make(out, p->name, p->xy, by_power ? &power : video || transfer == 18 ? &bt709 : &srgb, err);
}

mb_status mb_colour_profile_of_chromaticities(mb_colour_profile *out, const char *name, const double xy[8],
                                              double gamma, mb_error *err)
{
    double off = 0.0;
    for (int i = 0; i < 8; i++) {
        off = fmax(off, fabs(xy[i] - known[0].xy[i]));
    }
    const double area = (xy[4] - xy[2]) * (xy[7] - xy[3]) - (xy[6] - xy[2]) * (xy[5] - xy[3]);
    bool sound = fabs(area) > 0.02 && gamma >= 0.5 && gamma <= 5.0;
    for (int i = 0; i < 8; i++) {
        sound = sound && xy[i] > 0.0 && xy[i] < 1.0;
    }
    const bool nearly_srgb = off < 0.005 && fabs(gamma - 2.2) < 0.05;
    const curve power = {.g = gamma, .a = 1.0};
    *out = (mb_colour_profile){0};
    return !sound || nearly_srgb ? MB_OK : make(out, name, xy, &power, err);
}
