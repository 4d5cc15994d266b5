/* One table for both directions (docs/weights-tool.md, "FeyNobg"): to our names when a checkpoint is read, and from
 * ours when the known names are listed. Lists count from the deepest level, our modules' numbers from the finest. */
#include "nobg_names.h"

#include "core/alloc.h"

#include <stdio.h>
#include <string.h>

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

/* a, then n characters of b, c, d; cut where it ends (no known name is half as long). */
static void join(char out[NOBG_NAME], const char *a, int n, const char *b, const char *c, const char *d)
{
    (void)snprintf(out, NOBG_NAME, "%s%.*s%s%s", a, n, b, c, d);
}

static char *joined(const char *a, int n, const char *b, const char *c, const char *d)
{
    char name[NOBG_NAME];
    join(name, a, n, b, c, d);
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

/* All names there of a block's tensor `part`, whose place in the name is `rest`. */
static int part_forms(char forms[NOBG_FORMS][NOBG_NAME], const char *rest, const char *part)
{
    const char *qkv = behind_part(part, "attn.qkv");
    int n = 0;
    for (size_t i = 0; i < COUNT(parts) && n < NOBG_FORMS; i++) {
        const bool third = qkv != NULL && strlen(parts[i].ours) == strlen("attn.q");
        const char *end = third ? qkv : behind_part(part, parts[i].ours);
        if (end != NULL && (qkv == NULL || third)) {
            join(forms[n++], their_layers, (int)(part - rest), rest, parts[i].theirs, end);
        }
    }
    if (n == 0 || behind(part, "mlp.") != NULL) { /* the same name may stay */
        join(forms[n++], their_layers, (int)strlen(rest), rest, "", "");
    }
    return n;
}

int nobg_from_ours(char forms[NOBG_FORMS][NOBG_NAME], const char *name)
{
    const char *rest = behind(name, ours_layers);
    if (rest != NULL) {
        const char *part = behind_block(rest);
        if (part != NULL) {
            return part_forms(forms, rest, part);
        }
        join(forms[0], their_layers, (int)strlen(rest), rest, "", "");
        return 1;
    }
    for (size_t i = 0; i < COUNT(modules); i++) {
        rest = behind(name, modules[i].ours);
        if (rest != NULL) {
            join(forms[0], modules[i].theirs, 0, "", rest, "");
            return 1;
        }
    }
    for (size_t i = 0; i < COUNT(lists); i++) {
        rest = behind(name, lists[i].ours);
        if (rest != NULL && *rest >= '1' && *rest <= '5' && rest[1] == '.') {
            char digit[2] = {(char)('0' + lists[i].first - (*rest - '0')), '\0'};
            join(forms[0], lists[i].theirs, 1, digit, rest + 1, "");
            return 1;
        }
    }
    return 0;
}
