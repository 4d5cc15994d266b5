/* Lists of small numbers in metadata, checked. */
#include "models/meta.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* Whole numbers have no locale: strtol serves. */
int mb_meta_list(int *out, int most, const mb_weights *w, const char *key, long least, long limit)
{
    const char *text = mb_weights_meta(w, key);
    int n = 0;
    if (text != NULL && text[0] == '\0') {
        return 0;
    }
    while (text != NULL && n < most) {
        char *end;
        long v = strtol(text, &end, 10);
        if (end == text || v < least || v > limit || (*end != ',' && *end != '\0')) {
            return -1;
        }
        out[n++] = (int)v;
        if (*end == '\0') {
            return n;
        }
        text = end + 1;
    }
    return -1;
}

bool mb_meta_number(int *out, const mb_weights *w, const char *key, long least, long limit)
{
    return mb_meta_list(out, 1, w, key, least, limit) == 1;
}

bool mb_meta_flag(bool *out, const mb_weights *w, const char *key)
{
    const char *text = mb_weights_meta(w, key);
    *out = text != NULL && strcmp(text, "1") == 0;
    return text != NULL && (*out || strcmp(text, "0") == 0);
}

/* Numbers with a point: not strtod or sscanf, which expect the locale's decimal sign. */
bool mb_meta_floats(float *out, int n, const mb_weights *w, const char *key)
{
    const char *text = mb_weights_meta(w, key);
    for (int i = 0; i < n; i++) {
        double v;
        text = text != NULL ? mb_text_number(&v, text) : NULL;
        if (text == NULL || (*text != ',' && *text != '\0')) {
            return false;
        }
        out[i] = (float)v;
        if (*text == '\0') {
            for (int k = 1; i == 0 && k < n; k++) {
                out[k] = out[0];
            }
            return i == 0 || i == n - 1;
        }
        text++;
    }
    return false;
}
