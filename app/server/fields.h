/* Options of a request: fields of its form are options of the program, by the same table. */
#ifndef SERVER_FIELDS_H
#define SERVER_FIELDS_H

#include "lanes.h"

/* Reads all of a /v1 request's form into w->a and w->options. What is wrong is the work's answer. */
void fields_read(work *w, const form *f);
/* Refuses a field that is given twice: the first step of fields_read, for whoever hands it a part of the fields only. */
void fields_once(work *w, const form *f);
/* Chooses the model and makes w->options of w->a: the end of fields_read, for whoever filled w->a himself. */
void fields_finish(work *w, const char *model);
/* Is this row of the table an option of requests of that command? */
int fields_has(const option_row *row, unsigned bit);
/* "true", "1", "on", "yes" or "": 1; "false", "0", "off", "no": 0; else -1. */
int fields_flag(const char *text);
const char *want_name(int i); /* of `output`, NULL after the last */

#endif
