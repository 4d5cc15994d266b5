/* What the shape rules refuse, and that the messages name the op, the input and the numbers. */
#include "graph/graph.h"
#include "harness/check.h"

#include <string.h>

typedef struct wrong {
    const char *says; /* a part of the message */
    mb_op op;
    mb_attrs attrs;
    int64_t in[MB_MAX_INPUTS + 1][4];
    int n_in; /* 0: up to the last input that is given */
} wrong;

#define CONV(...) MB_OP_conv2d, .attrs.conv2d = {__VA_ARGS__}
#define DEF(...)  MB_OP_deform_conv2d, .attrs.deform_conv2d = {__VA_ARGS__}
#define SWIN(...) MB_OP_window_attention, .attrs.window_attention = {__VA_ARGS__}
#define VIT(...)  MB_OP_vit_attention, .attrs.vit_attention = {__VA_ARGS__}

static const wrong wrongs[] = {
    {"conv2d: weight [64,32,3,3] expects 32 input channels, the map has 48",
     CONV(1, 1),
     {{1, 48, 8, 8}, {64, 32, 3, 3}}},
    {"conv2d: input 1 is missing", CONV(1, 1), {{1, 48, 8, 8}}, 2},
    {"conv2d: got 1 inputs, expected 2 to 4", CONV(1, 1), {{1, 48, 8, 8}}},
    {"conv2d: stride is 0, expected 1 to 1048576", CONV(0, 1), {{1, 4, 8, 8}, {6, 4, 3, 3}}},
    {"conv2d: pad is -1", CONV(1, -1), {{1, 4, 8, 8}, {6, 4, 3, 3}}},
    {"conv2d: activation is 9", CONV(1, 1, (mb_activation)9), {{1, 4, 8, 8}, {6, 4, 3, 3}}},
    {"conv2d: the kernel 7x7 is larger than the padded map 8x6", CONV(1, 1), {{1, 4, 6, 4}, {6, 4, 7, 7}}},
    {"conv2d: bias has dims [5,1,1,1], expected [6,1,1,1]", CONV(1, 1), {{1, 4, 8, 8}, {6, 4, 3, 3}, {5}}},
    {"conv2d: addend has dims [1,6,8,7], expected [1,6,8,8]",
     CONV(1, 1),
     {{1, 4, 8, 8}, {6, 4, 3, 3}, {0}, {1, 6, 8, 7}}},
    {"conv2d: addend", CONV(2, 1), {{1, 4, 8, 8}, {6, 4, 3, 3}, {0}, {1, 6, 8, 8}}},
    {"conv2d: border variants", CONV(1, 1, MB_ACT_NONE, true), {{1, 4, 8, 8}, {6, 4, 3, 3}}},
    {"conv2d: border variants", CONV(2, 1, MB_ACT_NONE, true), {{1, 4, 8, 8}, {9, 4, 3, 3}}},
    {"conv2d: border variants", CONV(1, 1, MB_ACT_NONE, true), {{1, 4, 1, 8}, {9, 4, 3, 3}}},
    {"conv2d: input 0 has invalid dims [1,-4,8,8]", CONV(1, 1), {{1, -4, 8, 8}, {6, 4, 3, 3}}},
    {"conv2d: input 0 has invalid dims", CONV(1, 1), {{1, 2147483647, 2147483647, 8}, {6, 4, 3, 3}}},
    {"conv2d: the output would have invalid dims", CONV(1, 0), {{1, 1, 1 << 30, 1 << 20}, {2147483647, 1, 1, 1}}},
    {"depthwise_conv2d: weight has dims [8,2,3,3], expected [8,1,3,3]", MB_OP_depthwise_conv2d,
     .in = {{1, 8, 4, 4}, {8, 2, 3, 3}}},
    {"depthwise_conv2d: kernel 2x2, expected k x k with k odd", MB_OP_depthwise_conv2d,
     .in = {{1, 8, 4, 4}, {8, 1, 2, 2}}},
    {"depthwise_conv2d: kernel 3x1", MB_OP_depthwise_conv2d, .in = {{1, 8, 4, 4}, {8, 1, 3, 1}}},
    {"depthwise_conv2d: bias", MB_OP_depthwise_conv2d, .in = {{1, 8, 4, 4}, {8, 1, 3, 3}, {7}}},
    {"max_pool2d: kernel is 0", MB_OP_max_pool2d, .attrs.max_pool2d = {0, 2, 0}, {{1, 8, 4, 4}}},
    {"max_pool2d: stride is 0", MB_OP_max_pool2d, .attrs.max_pool2d = {2, 0, 0}, {{1, 8, 4, 4}}},
    {"max_pool2d: pad is 2, expected 0 to 1", MB_OP_max_pool2d, .attrs.max_pool2d = {3, 2, 2}, {{1, 8, 4, 4}}},
    {"max_pool2d: the window 2x2 is larger than the padded map 4x1",
     MB_OP_max_pool2d,
     .attrs.max_pool2d = {2, 2, 0},
     {{1, 8, 4, 1}}},
    {"cross_attention: number of heads is 0", MB_OP_cross_attention, .in = {{1, 8, 4, 4}, {1, 16, 2, 2}}},
    {"cross_attention: 8 channels of q are not 3 heads x d",
     MB_OP_cross_attention,
     .attrs.cross_attention = {3, 1},
     {{1, 8, 4, 4}, {1, 16, 2, 2}}},
    {"cross_attention: kv has dims [1,8,2,2], expected [1,16,2,2]",
     MB_OP_cross_attention,
     .attrs.cross_attention = {2, 1},
     {{1, 8, 4, 4}, {1, 8, 2, 2}}},
    {"cross_attention: kv has dims [1,16,2,2], expected [2,16,2,2]",
     MB_OP_cross_attention,
     .attrs.cross_attention = {2, 1},
     {{2, 8, 4, 4}, {1, 16, 2, 2}}},
    {"linear: weight [8,5] expects 5 input channels, the map has 6", MB_OP_linear, .in = {{1, 6, 2, 2}, {8, 5}}},
    {"linear: weight has dims [8,6,3,3]", MB_OP_linear, .in = {{1, 6, 2, 2}, {8, 6, 3, 3}}},
    {"linear: bias", MB_OP_linear, .in = {{1, 6, 2, 2}, {8, 6}, {6}}},
    {"linear: addend", MB_OP_linear, .in = {{1, 6, 2, 2}, {8, 6}, {0}, {1, 6, 2, 2}}},
    {"deform_conv2d: kernel 2x2 with pad 1, expected k x k with k odd",
     DEF(1, 2),
     {{1, 4, 6, 6}, {1, 8, 6, 6}, {1, 4, 6, 6}, {5, 4, 2, 2}}},
    {"deform_conv2d: kernel 3x3 with pad 0", DEF(0, 2), {{1, 4, 6, 6}, {1, 18, 6, 6}, {1, 9, 6, 6}, {5, 4, 3, 3}}},
    {"deform_conv2d: offset has", DEF(1, 2), {{1, 4, 6, 6}, {1, 9, 6, 6}, {1, 9, 6, 6}, {5, 4, 3, 3}}},
    {"deform_conv2d: modulator has", DEF(1, 2), {{1, 4, 6, 6}, {1, 18, 6, 6}, {1, 9, 6, 5}, {5, 4, 3, 3}}},
    {"deform_conv2d: weight expects 3", DEF(1, 2), {{1, 4, 6, 6}, {1, 18, 6, 6}, {1, 9, 6, 6}, {5, 3, 3, 3}}},
    {"layer_norm: eps is 0", MB_OP_layer_norm, .in = {{1, 4, 2, 2}, {4}, {4}}},
    {"layer_norm: weight", MB_OP_layer_norm, .attrs.layer_norm = {1e-5f}, {{1, 4, 2, 2}, {5}, {4}}},
    {"batch_norm: running variance",
     MB_OP_batch_norm,
     .attrs.batch_norm = {1e-5f},
     {{1, 4, 2, 2}, {4}, {4}, {4}, {1, 4}}},
    {"batch_norm: got 4 inputs, expected 5 to 5",
     MB_OP_batch_norm,
     .attrs.batch_norm = {1e-5f},
     {{1, 4, 2, 2}, {4}, {4}, {4}}},
    {"unary: activation", MB_OP_unary, .attrs.unary = {(mb_activation)-1}, {{1, 4, 2, 2}}},
    {"add: the second map has dims [1,4,2,3], expected [1,4,2,2]", MB_OP_add, .in = {{1, 4, 2, 2}, {1, 4, 2, 3}}},
    {"add: the second map", MB_OP_add, .in = {{1, 4, 2, 2}, {2, 4, 2, 2}}},
    {"scale_by_map: the map", MB_OP_scale_by_map, .in = {{1, 4, 2, 2}, {1, 4, 2, 2}}},
    {"concat: a map has dims [1,3,2,3]", MB_OP_concat, .in = {{1, 4, 2, 2}, {1, 3, 2, 3}}},
    {"concat: input 1 is missing", MB_OP_concat, .in = {{1, 4, 2, 2}, {0}, {1, 3, 2, 2}}},
    {"concat: got 0 inputs", MB_OP_concat, .in = {{0}}},
    {"concat: got 9 inputs, expected 1 to 8", MB_OP_concat, .in = {{1, 4, 2, 2}}, 9},
    {"window_attention: 20 channels of qkv are not 3 x 2", SWIN(2, 4, 0, 1), {{1, 20, 4, 4}, {49, 2}}},
    {"window_attention: the bias table", SWIN(2, 4, 0, 1), {{1, 24, 4, 4}, {48, 2}}},
    {"window_attention: shift is 4", SWIN(2, 4, 4, 1), {{1, 24, 4, 4}, {49, 2}}},
    {"window_attention: window is 0", SWIN(2, 0, 0, 1), {{1, 24, 4, 4}, {49, 2}}},
    {"window_attention: number of heads is 0", SWIN(0, 4, 0, 1), {{1, 24, 4, 4}, {49, 2}}},
    {"window_attention: pad_qkv has", SWIN(2, 4, 0, 1), {{1, 24, 4, 4}, {49, 2}, {23}}},
    {"pad_qkv is needed", SWIN(2, 4, 0, 1), {{1, 24, 4, 5}, {49, 2}}},
    {"vit_attention: rel_pos_h has dims [7,5,1,1], expected [7,4,1,1]",
     VIT(2, 0, 1, 1),
     {{1, 24, 4, 4}, {7, 5}, {7, 4}}},
    {"vit_attention: rel_pos_w", VIT(2, 0, 1, 1), {{1, 24, 4, 4}, {7, 4}, {7, 5}}},
    {"vit_attention: window is -1", VIT(2, -1, 1, 1), {{1, 24, 4, 4}, {7, 4}, {7, 4}}},
    {"vit_attention: 24 channels of qkv are not 3 x 3", VIT(3, 0, 1, 1), {{1, 24, 4, 4}, {7, 4}, {7, 4}}},
    {"pad_qkv is needed", VIT(2, 3, 1, 1), {{1, 24, 4, 4}, {5, 4}, {5, 4}}},
    {"vit_attention: pads_as_one needs windows and pad_qkv",
     MB_OP_vit_attention,
     .attrs.vit_attention = {2, 4, 1, 1, true},
     {{1, 24, 4, 4}, {7, 4}, {7, 4}}},
    {"vit_attention: pads_as_one needs windows and pad_qkv",
     MB_OP_vit_attention,
     .attrs.vit_attention = {2, 0, 1, 1, true},
     {{1, 24, 4, 4}, {7, 4}, {7, 4}, {24}}},
    {"vit_attention: one of rel_pos_h and rel_pos_w is there", VIT(2, 0, 1, 1), {{1, 24, 4, 4}, {7, 4}}},
    {"vit_attention: windows need rel_pos_h", VIT(2, 4, 1, 1), {{1, 24, 4, 4}}},
    {"join_tokens: the class token has dims [1,3,1,1], expected [1,4,1,1]", MB_OP_join_tokens,
     .in = {{1, 4, 2, 2}, {1, 3}}},
    {"join_tokens: the registers", MB_OP_join_tokens, .in = {{1, 4, 2, 2}, {1, 4}, {2, 5}}},
    {"patch_tokens: 8 tokens are fewer than 3 x 3", MB_OP_patch_tokens, .attrs.patch_tokens = {3, 3},
     .in = {{1, 4, 1, 8}}},
    {"patch_tokens: the sequence has dims [1,4,2,8]", MB_OP_patch_tokens, .attrs.patch_tokens = {2, 2},
     .in = {{1, 4, 2, 8}}},
    {"rotary_embedding: 20 channels of qkv are not 3 x 2", MB_OP_rotary_embedding, .attrs.rotary_embedding = {2},
     .in = {{1, 20, 1, 9}, {1, 8, 2, 2}}},
    {"rotary_embedding: the table has dims [1,8,2,2], expected [1,16,2,2]", MB_OP_rotary_embedding,
     .attrs.rotary_embedding = {2}, .in = {{1, 48, 1, 9}, {1, 8, 2, 2}}},
    {"rotary_embedding: 3 tokens are fewer than the table's 2 x 2", MB_OP_rotary_embedding,
     .attrs.rotary_embedding = {2}, .in = {{1, 48, 1, 3}, {1, 16, 2, 2}}},
    {"rotary_table: head width 6 is no multiple of 4", MB_OP_rotary_table, .attrs.rotary_table = {2, 2, 6, 100}},
    {"rotary_table: head width is 0", MB_OP_rotary_table, .attrs.rotary_table = {2, 2, 0, 100}},
    {"rotary_table: base 1 is outside", MB_OP_rotary_table, .attrs.rotary_table = {2, 2, 8, 1}},
    {"rotary_table: height is 0", MB_OP_rotary_table, .attrs.rotary_table = {0, 2, 8, 100}},
    {"silu_gate: the gated map", MB_OP_silu_gate, .in = {{1, 4, 2, 2}, {1, 4, 2, 3}}},
    {"layer_scale: gamma", MB_OP_layer_scale, .in = {{1, 4, 2, 2}, {5}}},
    {"image_to_tiles: the map 9x8 is not a multiple",
     MB_OP_image_to_tiles,
     .attrs.image_to_tiles = {4, 4},
     {{1, 3, 9, 8}}},
    {"image_to_tiles: tile height is 0", MB_OP_image_to_tiles, .attrs.image_to_tiles = {0, 4}, {{1, 3, 8, 8}}},
    {"resize_bilinear: height is 0", MB_OP_resize_bilinear, .attrs.resize_bilinear = {0, 4}, {{1, 3, 8, 8}}},
    {"resize_bilinear: addend", MB_OP_resize_bilinear, .attrs.resize_bilinear = {4, 4}, {{1, 3, 8, 8}, {1, 3, 8, 8}}},
    {"position_embedding: a table of 18 rows, expected 1 + g*g",
     MB_OP_position_embedding,
     .attrs.position_embedding = {4, 4},
     {{18, 3}}},
    {"position_embedding: a table of 1 rows", MB_OP_position_embedding, .attrs.position_embedding = {4, 4}, {{1, 3}}},
    {"position_embedding: width is 0", MB_OP_position_embedding, .attrs.position_embedding = {4, 0}, {{17, 3}}},
};

static void check_wrong(const wrong *w)
{
    mb_call c = {.attrs = &w->attrs, .n_in = w->n_in};
    for (int i = 0; i < MB_MAX_INPUTS; i++) {
        const int64_t *d = w->in[i];
        if (d[0] != 0) {
            c.in[i] = mb_view_of(NULL, d[0], d[1] ? d[1] : 1, d[2] ? d[2] : 1, d[3] ? d[3] : 1);
            c.n_in = w->n_in > 0 ? w->n_in : i + 1;
        }
    }
    mb_error err = {0};
    int64_t out[4];
    mb_status s = mb_op_get_rule(w->op)->shape(out, &c, &err);
    CHECK_MSG(s == MB_E_ARGUMENT || s == MB_E_MISMATCH, "'%s' is accepted", w->says);
    CHECK_MSG(strstr(err.message, w->says) != NULL && err.code == s, "'%s' is not in: %s", w->says, err.message);
}

TEST(refused)
{
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        check_wrong(&wrongs[i]);
    }
}

TEST(every_op_has_a_rule)
{
    for (int op = 0; op < MB_OP_COUNT; op++) {
        const mb_op_rule *r = mb_op_get_rule((mb_op)op);
        CHECK(r != NULL && (int)r->op == op && r->shape != NULL && r->macs != NULL);
        CHECK(r->least_inputs >= 0 && r->least_inputs <= r->most_inputs && r->most_inputs <= MB_MAX_INPUTS);
        CHECK(r->attrs_bytes <= sizeof(mb_attrs));
    }
    CHECK(mb_op_get_rule(MB_OP_COUNT) == NULL);
}
