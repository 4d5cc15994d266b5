/* One row per architecture. */
#include "models/registry.h"

#include "core/text.h"
#include "models/birefnet.h"
#include "models/vitmatte.h"

#include <string.h>

static const mb_architecture rows[] = {
    {MB_FAMILY_BIREFNET, "birefnet", "input", "logits", 3, mb_birefnet_record, mb_birefnet_size_step},
    {MB_FAMILY_VITMATTE, "vitmatte", "input", "alphas", 4, mb_vitmatte_record, mb_vitmatte_size_step},
};

/* A new architecture is a row above and a file that records it. */
mb_status mb_registry_find(const mb_architecture **out, const mb_weights *w, mb_error *err)
{
    const char *family = mb_weights_meta(w, "arch.family");
    *out = NULL;
    for (size_t i = 0; family != NULL && i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, family) == 0) {
            *out = &rows[i];
            return MB_OK;
        }
    }
    char shown[45];
    family = family != NULL ? family : "(none)";
    return mb_fail(err, MB_E_MISMATCH, "the model file holds the architecture '%s', which this version does not know",
                   mb_printable(shown, sizeof shown, family, strlen(family)));
}
