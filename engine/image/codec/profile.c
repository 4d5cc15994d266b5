/* Colours from one ICC profile to another, by Little CMS 2 where that is built in. */
#include "image/codec/load.h"
#include "image/codec/profile.h"
#include "image/convert.h"

#if MB_HAVE_LCMS

#include <lcms2.h>

#define TEXT_OF(x)       #x
#define TEXT_OF_VALUE(x) TEXT_OF(x)

const char *mb_profile_library(void)
{
    return "Little CMS 2 (" TEXT_OF_VALUE(LCMS_VERSION) ")";
}

/* NULL or without a profile: sRGB. */
static cmsHPROFILE open_profile(const mb_metadata *m)
{
    return m != NULL && m->icc != NULL ? cmsOpenProfileFromMem(m->icc, (cmsUInt32Number)m->icc_bytes)
                                       : cmsCreate_sRGBProfile();
}

static cmsUInt32Number format_of(const mb_image *image)
{
    static const cmsUInt32Number narrow[] = {0, TYPE_RGB_8, TYPE_BGR_8, TYPE_RGBA_8, TYPE_BGRA_8},
                                 wide[] = {0, TYPE_RGB_16, TYPE_BGR_16, TYPE_RGBA_16, TYPE_BGRA_16};
    return image->depth == MB_DEPTH_U16 ? wide[image->pixels] : image->depth == MB_DEPTH_U8 ? narrow[image->pixels] : 0;
}

mb_status mb_image_convert_profile(const mb_image *image, const mb_metadata *from, const mb_metadata *to, mb_error *err)
{
    mb_status status = mb_image_check(image, err);
    if (status != MB_OK) {
        return status;
    }
    const cmsUInt32Number format = format_of(image);
    if (format == 0) {
        return mb_fail(err, MB_E_ARGUMENT, "profiles: pictures in colours, 8 or 16 bits, can be converted");
    }
    /* With 16 bits the library would look colours up in a coarse table: off by several 8-bit levels near the gamut's
     * edge.
     */
    const cmsUInt32Number flags =
        cmsFLAGS_NOCACHE | (image->depth == MB_DEPTH_U16 ? (cmsUInt32Number)cmsFLAGS_NOOPTIMIZE : 0);
    cmsHPROFILE a = open_profile(from), b = open_profile(to);
    cmsHTRANSFORM t =
        a != NULL && b != NULL && cmsGetColorSpace(a) == cmsSigRgbData && cmsGetColorSpace(b) == cmsSigRgbData
            ? cmsCreateTransform(a, format, b, format, INTENT_RELATIVE_COLORIMETRIC, flags)
            : NULL;
    const size_t samples = image->pixels == MB_PIXELS_RGB || image->pixels == MB_PIXELS_BGR ? 3 : 4;
    const size_t packed = (size_t)image->width * samples * (image->depth == MB_DEPTH_U16 ? 2 : 1);
    const size_t stride = image->row_bytes != 0 ? image->row_bytes : packed;
    for (size_t y = 0; t != NULL && y < (size_t)image->height; y++) {
        uint8_t *row = (uint8_t *)image->data + y * stride;
        cmsDoTransform(t, row, row, (cmsUInt32Number)image->width); /* in place: alpha stays as it is */
    }
    if (t == NULL) {
        status = mb_fail(err, MB_E_FORMAT, "its colour profile is damaged or of a kind that cannot be converted");
    } else {
        cmsDeleteTransform(t);
    }
    if (a != NULL) {
        cmsCloseProfile(a);
    }
    if (b != NULL) {
        cmsCloseProfile(b);
    }
    return status;
}

struct mb_to_srgb {
    cmsHTRANSFORM transform;
};

/* Takes over `from`, which may be NULL. */
static mb_to_srgb *create(cmsHPROFILE from, cmsColorSpaceSignature space, cmsUInt32Number format, cmsUInt32Number flags,
                          mb_budget *budget)
{
    mb_to_srgb *t = mb_budget_alloc(budget, sizeof *t);
    cmsHPROFILE to = cmsCreate_sRGBProfile();
    if (t != NULL && from != NULL && to != NULL && cmsGetColorSpace(from) == space) {
        t->transform =
            cmsCreateTransform(from, format, to, TYPE_RGB_16, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE | flags);
    }
    if (from != NULL) {
        cmsCloseProfile(from);
    }
    if (to != NULL) {
        cmsCloseProfile(to);
    }
    return t != NULL && t->transform != NULL ? t : NULL;
}

mb_to_srgb *mb_to_srgb_create(mb_bytes icc, int channels, mb_budget *budget)
{
    cmsHPROFILE from = icc.v != NULL ? cmsOpenProfileFromMem(icc.v, (cmsUInt32Number)icc.n) : NULL;
    /* Of four inks the library makes one table, which is what makes it fast enough; grey is a curve. */
    return channels == 4 ? create(from, cmsSigCmykData, TYPE_CMYK_16,
                                  cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_HIGHRESPRECALC, budget)
                         : create(from, cmsSigGrayData, TYPE_GRAY_16,
                                  cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOOPTIMIZE, budget);
}

mb_to_srgb *mb_to_srgb_create_lab(mb_budget *budget)
{
    return create(cmsCreateLab4Profile(NULL), cmsSigLabData, TYPE_Lab_16, cmsFLAGS_NOOPTIMIZE, budget);
}

void mb_to_srgb_run(const mb_to_srgb *t, uint16_t *rgb, const uint16_t *samples, size_t n)
{
    cmsDoTransform(t->transform, samples, rgb, (cmsUInt32Number)n);
}

void mb_to_srgb_free(mb_to_srgb *t)
{
    if (t != NULL) {
        cmsDeleteTransform(t->transform);
    }
}

#else

const char *mb_profile_library(void)
{
    return "carried, not converted";
}

mb_to_srgb *mb_to_srgb_create(mb_bytes icc, int channels, mb_budget *budget)
{
    (void)budget;
    (void)icc;
    (void)channels;
    return NULL;
}

mb_to_srgb *mb_to_srgb_create_lab(mb_budget *budget)
{
    (void)budget;
    return NULL;
}

void mb_to_srgb_run(const mb_to_srgb *t, uint16_t *rgb, const uint16_t *samples, size_t n)
{
    (void)t;
    (void)rgb;
    (void)samples;
    (void)n;
}

void mb_to_srgb_free(mb_to_srgb *t)
{
    (void)t;
}

mb_status mb_image_convert_profile(const mb_image *image, const mb_metadata *from, const mb_metadata *to, mb_error *err)
{
    (void)image;
    (void)from;
    (void)to;
    return mb_fail(err, MB_E_UNSUPPORTED,
                   "converting colour profiles is not in this build\ninstall liblcms2-dev and "
                   "rebuild, or keep the profile");
}

#endif
