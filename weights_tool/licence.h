/* The licence that a converted model carries. */
#ifndef TOOL_LICENCE_H
#define TOOL_LICENCE_H

#include "known.h"
#include "source.h"

/* The licence to record, in this order: as told, as the file's metadata say, LICENSE or README.md beside the file. The
 * text travels with the weights, as most licences ask. The result is the caller's (mb_free). Reading LICENSE or
 * README.md may fail for any reason but memory: these files are a courtesy. `told`, `known`: NULL where
 * there is none. */
mb_status licence_find(char **out, const source *s, const char *told, const known_model *known, mb_error *err);

#endif
