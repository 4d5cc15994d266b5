/* One row per backbone. */
#include "models/backbone.h"

#include "models/dino_v3.h"
#include "models/pvt.h"
#include "models/resnet.h"
#include "models/swin.h"
#include "models/vgg.h"

#include <string.h>

static const mb_backbone_model *const rows[] = {&mb_backbone_swin, &mb_backbone_pvt, &mb_backbone_dino_v3,
                                                &mb_backbone_resnet, &mb_backbone_vgg};

/* A new backbone is a row above and a file that records it. */
mb_status mb_backbone_find(const mb_backbone_model **out, const mb_weights *w, mb_error *err)
{
    const char *name = mb_weights_meta(w, "arch.backbone");
    *out = NULL;
    if (name == NULL) {
        name = mb_backbone_swin.name;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i]->name, name) == 0) {
            *out = rows[i];
            return MB_OK;
        }
    }
    return mb_fail(err, MB_E_MISMATCH,
                   "the model file holds a BiRefNet with the backbone '%.40s', which this version "
                   "cannot run",
                   name);
}

void mb_backbone_fail(mb_scope s, const char *keys)
{
    mb_graph_fail(s.g, MB_E_FORMAT,
                  "the model file's description of its backbone is incomplete or out of range (%s)\nconvert the "
                  "checkpoint again",
                  keys);
}

void mb_backbone_tap(mb_scope s, const char *prefix, const char *name, int i, mb_value v)
{
    mb_graph_tap(
        s.g, i < 0 ? mb_graph_text(s.g, "%s.%s", prefix, name) : mb_graph_text(s.g, "%s.%s%d", prefix, name, i), v.id);
}
