/* Colours as people write them: "#rgb", "#rrggbb", both with alpha, "r,g,b", "r,g,b,a", names of CSS. */
#ifndef MB_IMAGE_COMPOSE_COLOUR_H
#define MB_IMAGE_COMPOSE_COLOUR_H

#include <stdbool.h>
#include <stdint.h>

/* Straight RGBA, opaque where no alpha is given. False (and rgba untouched) if it is no colour. */
bool mb_colour_read(uint8_t rgba[4], const char *text);

#endif
