/* Weights and pictures by formula, for every test that needs a model (weights_tool/generate.h says what they are). */
#ifndef MB_TEST_GENWEIGHTS_H
#define MB_TEST_GENWEIGHTS_H

#include "weights/reader.h"

/* variant: "tiny7", "tiny12", "tiny_legacy", "tiny7_columns", "swin_t", "swin_l", "legacy_l", "vitmatte_s",
 * "vitmatte_b", "vitmatte_tiny4", "vitmatte_tiny14": as the converter would write the file, in f32 (or rounded to
 * dtype). */
MB_MUST_CHECK mb_status gen_weights(mb_weights **out, const char *variant, uint64_t seed, mb_error *err);
MB_MUST_CHECK mb_status gen_weights_as(mb_weights **out, const char *variant, uint64_t seed, mb_dtype dtype,
                                       mb_error *err);
MB_MUST_CHECK mb_status gen_weights_file(const char *path, const char *variant, uint64_t seed, mb_dtype dtype,
                                         mb_error *err); /* .mbw, replacing */

/* The test picture: 8-bit RGB [height][width][3] into dst; integer value noise, colours inverted inside an ellipse. */
void gen_image(uint8_t *dst, uint64_t seed, int height, int width, uint64_t index);

#endif
