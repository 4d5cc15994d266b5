/* Prefixes of wrappers; VITMatte's two sets of names (docs/models/vitmatte.md, checkpoint layouts). */
#include "names.h"

#include "core/alloc.h"

#include <string.h>

const char *names_strip(const char *name)
{
    static const char *const prefixes[] = {"module.", "_orig_mod."};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0];) {
        size_t n = strlen(prefixes[i]);
        if (strncmp(name, prefixes[i], n) == 0 && name[n] != '\0') {
            name += n;
            i = 0;
        } else {
            i++;
        }
    }
    return name;
}

/* Rules are tried at every dot-separated position; the first that fits is taken. */
static const struct {
    const char *from, *to;
} rules[] = {
    {"backbone.pos_embed", "backbone.embeddings.position_embeddings"},
    {"backbone.patch_embed.proj.", "backbone.embeddings.projection."},
    {"backbone.blocks.", "backbone.encoder.layer."},
    {"decoder.fusion_blks.", "decoder.fusion_blocks."},
    {".attn.", ".attention."},
    {".bn.", ".batch_norm."},
};

/* Row r of the rules read from left to right, or from right to left. */
static const char *from_of(size_t r, bool backwards)
{
    return backwards ? rules[r].to : rules[r].from;
}

static char *rename_by_rules(const char *name, bool backwards)
{
    char *out = mb_alloc_array(strlen(name) + 64, 2); /* no rule doubles a name; the longest adds 23 characters */
    if (out == NULL) {
        return NULL;
    }
    char *at = out;
    for (const char *p = name; *p != '\0';) {
        size_t i = 0, n = 0;
        for (; i < sizeof rules / sizeof rules[0]; i++) {
            const char *from = from_of(i, backwards);
            n = strlen(from);
            if (strncmp(p, from, n) == 0 && (p == name || from[0] == '.')) {
                break;
            }
        }
        if (i == sizeof rules / sizeof rules[0]) {
            *at++ = *p++;
            continue;
        }
        const char *to = from_of(i, !backwards);
        size_t m = strlen(to), keep = n > 1 && p[n - 1] == '.' ? 1 : 0;
        memcpy(at, to, m - keep); /* the closing dot may open the next rule */
        at += m - keep;
        p += n - keep;
    }
    *at = '\0';
    return out;
}

char *names_vitmatte_to_hub(const char *name)
{
    return rename_by_rules(name, false);
}

char *names_vitmatte_to_original(const char *name)
{
    return rename_by_rules(name, true);
}
