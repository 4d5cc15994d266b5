/* One table for both directions (docs/weights-tool.md, "FeyNobg"): to our names when a checkpoint is read, and from
 * ours when the known names are listed. Lists count from the deepest level, our modules' numbers from the finest. */
#include "nobg_names.h"

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

#define MOST_NAME 300

/* Parts of a block's tensors; several of theirs may stand for one of ours (releases of transformers differ). */
static const struct {
    const char *ours, *theirs;
} parts[] = {
    {"norm1", "layernorm_before"},
    {"norm2", "layernorm_after"},
    {"attn.q", "attention.q_proj"},
    {"attn.k", "attention.k_proj"},
    {"attn.v", "attention.v_proj"},
    {"attn.proj", "attention.o_proj"},
    {"attn.relative_position_bias_table", "attention.relative_position_bias.relative_position_bias_table"},
    {"attn.relative_position_index", "attention.relative_position_bias.relative_position_index"},
    {"attn.q", "attention.self.query"},
    {"attn.k", "attention.self.key"},
    {"attn.v", "attention.self.value"},
    {"attn.proj", "attention.output.dense"},
    {"attn.relative_position_bias_table", "attention.self.relative_position_bias_table"},
    {"attn.relative_position_index", "attention.self.relative_position_index"},
    {"mlp.fc1", "intermediate.dense"},
    {"mlp.fc2", "output.dense"},
};

/* Modules outside of the blocks. */
static const struct {
    const char *ours, *theirs;
} modules[] = {
    {"bb.patch_embed.proj.", "bb.swin.embeddings.patch_embeddings.projection."},
    {"bb.patch_embed.norm.", "bb.swin.embeddings.norm."},
    {"bb.norm0.", "bb.hidden_states_norms.stage1."},
    {"bb.norm1.", "bb.hidden_states_norms.stage2."},
    {"bb.norm2.", "bb.hidden_states_norms.stage3."},
    {"bb.norm3.", "bb.hidden_states_norms.stage4."},
};

/* Modules with a number at their end are lists there: entry `first` - number. */
static const struct {
    const char *ours, *theirs;
    int first;
} lists[] = {
    {"decoder.decoder_block", "decoder.decoder_blocks.", 4},
    {"decoder.lateral_block", "decoder.lateral_blocks.", 4},
    {"decoder.ipt_blk", "decoder.ipt_blks.", 5},
    {"decoder.conv_ms_spvn_", "decoder.conv_ms_spvn.", 4},
    {"decoder.gdt_convs_pred_", "decoder.gdt_convs_pred.", 4},
    {"decoder.gdt_convs_attn_", "decoder.gdt_convs_attn.", 4},
    {"decoder.gdt_convs_", "decoder.gdt_convs.", 4},
};

static const char ours_layers[] = "bb.layers.", their_layers[] = "bb.swin.encoder.layers.";

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

bool nobg_has(const char *name)
{
    return strncmp(name, "bb.swin.", 8) == 0 || strncmp(name, "bb.hidden_states_norms.", 23) == 0;
}

/* The prefix, if `text` begins with it: what comes behind; else NULL. */
static const char *behind(const char *text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* The same for whole components: the end of the text, or a dot, follows. */
static const char *behind_part(const char *text, const char *part)
{
    const char *rest = behind(text, part);
    return rest != NULL && (*rest == '.' || *rest == '\0') ? rest : NULL;
}

/* Behind "S.blocks.N.", or NULL. */
static const char *behind_block(const char *text)
{
    const char *blocks = text + strspn(text, "0123456789");
    const char *number = behind(blocks, ".blocks.");
    const char *end = number != NULL ? number + strspn(number, "0123456789") : NULL;
    return end != NULL && *end == '.' ? end + 1 : NULL;
}

static char *joined(const char *a, int n, const char *b, const char *c, const char *d)
{
    char name[MOST_NAME];
    (void)snprintf(name, sizeof name, "%s%.*s%s%s", a, n, b, c, d);
    return mb_strdup(name);
}

char *nobg_to_ours(const char *name)
{
    const char *rest = behind(name, their_layers);
    if (rest != NULL) {
        const char *part = behind_block(rest);
        for (size_t i = 0; part != NULL && i < COUNT(parts); i++) {
            const char *end = behind_part(part, parts[i].theirs);
            if (end != NULL) {
                return joined(ours_layers, (int)(part - rest), rest, parts[i].ours, end);
            }
        }
        return joined(ours_layers, (int)strlen(rest), rest, "", "");
    }
    for (size_t i = 0; i < COUNT(modules); i++) {
        rest = behind(name, modules[i].theirs);
        if (rest != NULL) {
            return joined(modules[i].ours, 0, "", rest, "");
        }
    }
    for (size_t i = 0; i < COUNT(lists); i++) {
        rest = behind(name, lists[i].theirs);
        const int number = rest != NULL ? lists[i].first - (*rest - '0') : 0;
        if (number >= 1 && number <= lists[i].first && rest[1] == '.') {
            char digit[2] = {(char)('0' + number), '\0'};
            return joined(lists[i].ours, 1, digit, rest + 1, "");
        }
    }
    return mb_strdup(name);
}

/* Adds a form; false: no memory. */
static bool add(char *forms[NOBG_FORMS], int *n, char *form)
{
    if (form != NULL && *n < NOBG_FORMS) {
        forms[(*n)++] = form;
        return true;
    }
    mb_free(form);
    return false;
}

/* All names there of a block's tensor `part`, whose place in the name is `rest`. */
static bool add_parts(char *forms[NOBG_FORMS], int *n, const char *rest, const char *part)
{
    const char *qkv = behind_part(part, "attn.qkv");
    bool ok = true, found = false;
    for (size_t i = 0; i < COUNT(parts) && ok; i++) {
        const bool third = qkv != NULL && strlen(parts[i].ours) == strlen("attn.q");
        const char *end = third ? qkv : behind_part(part, parts[i].ours);
        if (end != NULL && (qkv == NULL || third)) {
            ok = add(forms, n, joined(their_layers, (int)(part - rest), rest, parts[i].theirs, end));
            found = true;
        }
    }
    const bool mlp = behind(part, "mlp.") != NULL; /* releases differ here too: the same name may stay */
    if (ok && (mlp || !found)) {
        ok = add(forms, n, joined(their_layers, (int)strlen(rest), rest, "", ""));
    }
    return ok;
}

int nobg_from_ours(char *forms[NOBG_FORMS], const char *name)
{
    int n = 0;
    bool ok = true;
    const char *rest = behind(name, ours_layers);
    if (rest != NULL) {
        const char *part = behind_block(rest);
        ok = part != NULL ? add_parts(forms, &n, rest, part)
                          : add(forms, &n, joined(their_layers, (int)strlen(rest), rest, "", ""));
    }
    for (size_t i = 0; i < COUNT(modules) && ok && n == 0; i++) {
        rest = behind(name, modules[i].ours);
        ok = rest == NULL || add(forms, &n, joined(modules[i].theirs, 0, "", rest, ""));
    }
    for (size_t i = 0; i < COUNT(lists) && ok && n == 0; i++) {
        rest = behind(name, lists[i].ours);
        if (rest != NULL && *rest >= '1' && *rest <= '5' && rest[1] == '.') {
            char digit[2] = {(char)('0' + lists[i].first - (*rest - '0')), '\0'};
            ok = add(forms, &n, joined(lists[i].theirs, 1, digit, rest + 1, ""));
        }
    }
    for (int i = 0; i < n && !ok; i++) {
        mb_free(forms[i]);
    }
    return ok ? n : -1;
}
