/* From an answer to HTTP: status, headers, the one form of errors, the line in the log. */
#ifndef SERVER_ANSWERS_H
#define SERVER_ANSWERS_H

#include "http.h"

void request_answer(request *r, answer *a); /* takes the body over */
void request_error(request *r, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* text: from open_memstream; NULL is out of memory. */
void request_json(request *r, int status, char *text, size_t bytes);
/* data: stays where it is for ever. */
void request_static(request *r, const char *type, const void *data, size_t bytes);
/* The work is done: its answer is the request's. */
void answer_work(request *r);
/* The request has ended, with or without an answer. */
void answer_log(request *r);

#endif
