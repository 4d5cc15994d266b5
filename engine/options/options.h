/* The table of options (options.def) as the engine uses it. */
#ifndef MB_OPTIONS_OPTIONS_H
#define MB_OPTIONS_OPTIONS_H

#include "core/status.h"

/* MB_OPTION_erode ...: the rows of options.def. */
typedef enum mb_option_id {
#define MB_OPTION(field, ...) MB_OPTION_##field,
#include "options/options.def"
#undef MB_OPTION
    MB_N_OPTIONS
} mb_option_id;

typedef enum mb_option_kind {
    MB_OPTION_KIND_ENUM,
    MB_OPTION_KIND_FLAG,
    MB_OPTION_KIND_INT,
    MB_OPTION_KIND_REAL,
    MB_OPTION_KIND_CODE,
    MB_OPTION_KIND_OTHER
} mb_option_kind;

typedef struct mb_option_row {
    const char *field; /* of mb_options */
    mb_option_kind kind;
    size_t offset; /* in mb_options */
    double least, most, standard;
    const char *zero;         /* "" or what 0 stands for, which is then legal too */
    const char *const *names; /* of values; ends with NULL */
    const char *unit;         /* "" or that of a number */
} mb_option_row;
extern const mb_option_row mb_option_rows[MB_N_OPTIONS];

/* An option's value as a number; 0 for those of no number. */
double mb_option_get(const mb_options *options, mb_option_id id);
void mb_option_set(mb_options *options, mb_option_id id, double value); /* a value of the field's type */

/* Is `value` in the option's range? If not: MB_E_ARGUMENT, "erode 300: 1 to 255". */
MB_MUST_CHECK mb_status mb_option_check(mb_option_id id, double value, mb_error *err);

#endif
