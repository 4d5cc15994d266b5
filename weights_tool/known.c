/* The table of published models (docs/models/birefnet.md, variants). Patch order by date of training: what the code of
 * that time used; the kernels themselves, where they tell, go before it. A name is a weak hint: people rename files.
 * It is asked for what the tensors cannot tell, such as the size that a model was trained at. */
#include "known.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define R PATCH_ROWS
#define C PATCH_COLUMNS

static const known_model models[] = {
    {"birefnet", "birefnet-general", "general", 1024, 1024, C, NULL},
    {"birefnet_general", "birefnet-general", "general", 1024, 1024, C, NULL},
    {"birefnet_general_epoch_244", "birefnet-general", "general", 1024, 1024, C, NULL},
    {"birefnet_lite", "birefnet-general-lite", "general", 1024, 1024, C, NULL},
    {"birefnet_general_bb_swin_v1_tiny_epoch_232", "birefnet-general-lite", "general", 1024, 1024, C, NULL},
    {"birefnet_lite_2k", "birefnet-general-lite-2k", "general", 2560, 1440, C, NULL},
    {"birefnet_hr", "birefnet-hr", "general", 2048, 2048, R, NULL},
    {"birefnet_hr_general_epoch_130", "birefnet-hr", "general", 2048, 2048, R, NULL},
    {"birefnet_hr_matting", "birefnet-hr-matting", "matting", 2048, 2048, R, NULL},
    {"birefnet_hr_matting_epoch_135", "birefnet-hr-matting", "matting", 2048, 2048, R, NULL},
    {"birefnet_matting", "birefnet-matting", "matting", 1024, 1024, C, NULL},
    {"birefnet_matting_epoch_100", "birefnet-matting", "matting", 1024, 1024, C, NULL},
    {"birefnet_lite_matting", "birefnet-matting-lite", "matting", 1024, 1024, C, NULL},
    {"birefnet_dynamic", "birefnet-dynamic", "general", 1024, 1024, R, NULL},
    {"birefnet_dynamic_general_epoch_174", "birefnet-dynamic", "general", 1024, 1024, R, NULL},
    {"birefnet_dynamic_matting", "birefnet-dynamic-matting", "matting", 1024, 1024, R, NULL},
    {"birefnet_portrait", "birefnet-portrait", "portrait", 1024, 1024, C, NULL},
    {"birefnet_portrait_epoch_150", "birefnet-portrait", "portrait", 1024, 1024, C, NULL},
    {"birefnet_512x512", "birefnet-512", "general", 512, 512, C, NULL},
    {"birefnet_legacy", "birefnet-legacy", "general", 1024, 1024, C, NULL},
    {"birefnet_dis5k", "birefnet-dis", "dis", 1024, 1024, C, NULL},
    {"birefnet_dis5k_tr_tes", "birefnet-massive", "dis", 1024, 1024, C, NULL},
    {"birefnet_dis_epoch_590", "birefnet-dis", "dis", 1024, 1024, C, NULL},
    {"birefnet_massive_tr_dis5k_tr_tes_epoch_420", "birefnet-massive", "dis", 1024, 1024, C, NULL},
    {"birefnet_cod", "birefnet-cod", "cod", 1024, 1024, C, NULL},
    {"birefnet_cod_epoch_125", "birefnet-cod", "cod", 1024, 1024, C, NULL},
    {"birefnet_hrsod", "birefnet-hrsod", "hrsod", 1024, 1024, C, NULL},
    {"birefnet_hrsod_dhu_epoch_115", "birefnet-hrsod", "hrsod", 1024, 1024, C, NULL},
    {"rmbg_2.0", "rmbg-2.0", "general", 1024, 1024, C, "CC BY-NC 4.0 (non-commercial)"},
    {"birefnet_ep480", "birefnet-ep480", "general", 1024, 1024, C, NULL},
    {"birefnet_dis_ep580", "birefnet-dis-ep580", "dis", 1024, 1024, C, NULL},
    {"lucida", "lucida", "general", 1024, 1024, R, "MIT"},
    {"feynobg", "feynobg", "general", 1024, 1024, R, "Apache-2.0"},
    {"vitmatte_small_composition_1k", "vitmatte-small", "matting", 0, 0, PATCH_AUTO, NULL},
    {"vitmatte_small_distinctions_646", "vitmatte-small-distinctions", "matting", 0, 0, PATCH_AUTO, NULL},
    {"vitmatte_base_composition_1k", "vitmatte-base", "matting", 0, 0, PATCH_AUTO, NULL},
    {"vitmatte_base_distinctions_646", "vitmatte-base-distinctions", "matting", 0, 0, PATCH_AUTO, NULL},
    {"vitmatte_s_com", "vitmatte-small", "matting", 0, 0, PATCH_AUTO, NULL},
    {"vitmatte_s_dis", "vitmatte-small-distinctions", "matting", 0, 0, PATCH_AUTO, NULL},
    {"vitmatte_b_com", "vitmatte-base", "matting", 0, 0, PATCH_AUTO, NULL},
    {"vitmatte_b_dis", "vitmatte-base-distinctions", "matting", 0, 0, PATCH_AUTO, NULL},
};

/* Lower case; '-' and ' ' become '_'; without a known ending and the hub cache's "models--AUTHOR--". `text` has n
 * bytes without a closing zero; the result is cut at the capacity. */
static void normalise(char *dst, size_t capacity, const char *text, size_t n)
{
    static const char *const endings[] = {".safetensors", ".pth", ".bin", ".pt", ".ckpt"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t m = strlen(endings[i]);
        if (n > m && memcmp(text + n - m, endings[i], m) == 0) {
            n -= m;
            break;
        }
    }
    for (size_t i = n; i >= 2; i--) {
        if (text[i - 1] == '-' && text[i - 2] == '-') {
            text += i;
            n -= i;
            break;
        }
    }
    size_t at = 0;
    for (; at < n && at + 1 < capacity; at++) {
        char c = text[at];
        dst[at] = c == '-' || c == ' ' ? '_' : (char)tolower((unsigned char)c);
    }
    dst[at] = '\0';
}

/* File names that say nothing: then the folders above are asked. */
static bool is_generic(const char *name)
{
    static const char *const names[] = {"model", "pytorch_model", "diffusion_pytorch_model",
                                        "model.safetensors.index.json", "snapshots"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return strlen(name) == 40 && strspn(name, "0123456789abcdef") == 40; /* a revision in the hub's cache */
}

/* From the file upwards through at most four components, as long as they are generic: in a hub cache the path is
 * models--AUTHOR--NAME/snapshots/REVISION/model.safetensors. */
const known_model *known_find(const char *path)
{
    size_t end = strlen(path);
    bool generic = true;
    for (int component = 0; component < 4 && end > 0 && generic; component++) {
        while (end > 0 && path[end - 1] == '/') {
            end--;
        }
        size_t start = end;
        while (start > 0 && path[start - 1] != '/') {
            start--;
        }
        char name[128];
        normalise(name, sizeof name, path + start, end - start);
        for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
            if (strcmp(name, models[i].key) == 0) {
                return &models[i];
            }
        }
        generic = is_generic(name);
        end = start;
    }
    return NULL;
}
