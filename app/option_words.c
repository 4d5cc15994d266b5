/* The library's messages speak of its fields; here they become the program's options. The one place that
 * maps them.
 *
 * What counts as a mention: a field at the beginning of a refused value ("erode 300: 1 to 255"), an
 * assignment anywhere ("detail=guided"), and a field with an underscore or its struct's name in it
 * ("max_memory", "mb_load_options.max_megapixels"). Bare words such as "depth" in the middle of a sentence
 * are English. */
#include "args.h"
#include "message.h"

#include <ctype.h>
#include <string.h>

/* The row of the option that the library calls so; NULL if there is none. */
static const option_row *option_of(const char *word, size_t n)
{
    for (int i = 0; i < n_option_rows; i++) {
        const option_row *row = &option_rows[i];
        if (row->name != NULL && row->library != NULL && strlen(row->library) == n &&
            strncmp(row->library, word, n) == 0) {
            return row;
        }
    }
    return NULL;
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Is this the name of a file or a part of another word? Then it is left alone. */
static int is_inside(const char *text, const char *word, const char *end)
{
    return (word > text && strchr("/-=", word[-1]) != NULL) || *end == '/' || *end == '-';
}

typedef struct writer {
    char *dst;
    size_t bytes, at;
} writer;

/* Appends what fits; the text always ends. */
static void put(writer *w, const char *text, size_t n)
{
    for (size_t i = 0; i < n && w->at + 1 < w->bytes; i++) {
        w->dst[w->at++] = text[i];
    }
    w->dst[w->at] = '\0';
}

/* One word and what follows it: "detail=guided", "max_memory", or "erode" where `bare` words count too. Returns what is
 * left of the text. */
static const char *put_word(writer *w, const char *text, const char *word, int bare)
{
    const char *end = word;
    while (is_word(*end)) {
        end++;
    }
    size_t n = (size_t)(end - word);
    while (n > 0 && word[n - 1] == '.') { /* a full stop */
        n--;
    }
    const option_row *row = is_inside(text, word, end) ? NULL : option_of(word, n);
    int sets = row != NULL && word[n] == '=';
    if (row == NULL || !(sets || bare || memchr(word, '_', n) != NULL)) {
        put(w, word, (size_t)(end - word));
        return end;
    }
    put(w, "--", 2);
    put(w, row->name, strlen(row->name));
    if (!sets) {
        return word + n;
    }
    if (row->kind == KIND_FLAG) { /* --force, not --force 1 */
        return word + n + 1 + strspn(word + n + 1, "01");
    }
    put(w, " ", 1);
    end = word + n + 1;
    n = strcspn(end, " ,;:)\n");
    put(w, end, n);
    return end + n;
}

/* Two kinds of text come here: an error (its first line may begin with a field, or with the name of a
 * file, which may be anything; its hints are the library's own words) and a warning (MB_OK: the library's
 * words throughout). */
char *option_words(char *dst, size_t dst_bytes, const char *text, mb_status status)
{
    writer w = {dst, dst_bytes, 0};
    const char *first = text + strcspn(text, " \n");
    /* Only a refused value puts a field in front; other first lines begin with a file, which may be called anything. */
    int named = status == MB_E_ARGUMENT && *first == ' ' && option_of(text, (size_t)(first - text)) != NULL;
    const char *rest = text;
    dst[0] = '\0';
    if (status != MB_OK && !named) { /* the hints alone */
        size_t n = strcspn(text, "\n");
        put(&w, text, n);
        rest = text + n;
    }
    while (*rest != '\0') {
        if (is_word(*rest)) {
            rest = put_word(&w, text, rest, named && rest == text);
        } else {
            put(&w, rest++, 1);
        }
    }
    return dst;
}
