/* The fields of a request: query, multipart form, urlencoded form, or a bare picture as the body. */
#ifndef SERVER_FORM_H
#define SERVER_FORM_H

#include "mhd.h"
#include "upload.h"

#define FORM_MAX_FIELDS     64
#define FORM_MAX_TEXT_BYTES 8192
#define FORM_NAME_BYTES     48

/* The files that a request may bring, by the names of their fields. */
typedef enum form_file { FILE_PHOTO, FILE_MASK, FILE_TRIMAP, FILE_HINTS, FILE_BACKGROUND, FORM_FILES } form_file;

typedef struct form_field {
    char name[FORM_NAME_BYTES];
    char *text; /* owned */
    size_t bytes;
} form_field;

typedef struct form {
    form_field fields[FORM_MAX_FIELDS]; /* of the form first, then of the query */
    int n;
    upload files[FORM_FILES];
    size_t file_bytes; /* of all files so far */
    int bare;          /* the body is the picture itself */
    int urlencoded;    /* the body is text */
    int current;       /* the file whose data is coming, -1: none */
    struct MHD_PostProcessor *parser;
    /* The first thing that was wrong: an HTTP status with its text, else 0. */
    int status;
    char message[256];
} form;

/* Prepares for the body of this request; where it can have none, only the query is read. */
void form_begin(form *f, struct MHD_Connection *connection, int has_body);
/* A piece of the body. What is wrong is remembered in f->status. */
void form_add(form *f, const char *data, size_t n);
/* After the last piece: seals the files, reads the query. */
void form_end(form *f, struct MHD_Connection *connection);
void form_dispose(form *f);

/* The value of a field, NULL if there is none. Fields of the form come before those of the query. */
const char *form_text(const form *f, const char *name);
/* Notes the first mistake. */
void form_fail(form *f, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
