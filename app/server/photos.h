/* Photos that were uploaded once and are worked on several times, as the page does: decoded, with the mask of the last
 * network run. Bounded in number, bytes and time. Any thread may call. */
#ifndef SERVER_PHOTOS_H
#define SERVER_PHOTOS_H

#include "decoder.h"

#define PHOTO_ID_BYTES  33
#define PHOTO_KEY_BYTES 256

typedef struct photos photos;

typedef struct photo {
    char id[PHOTO_ID_BYTES]; /* 32 hexadecimal digits, not to be guessed */
    decoded picture;         /* not changed once it is kept */
    size_t bytes;
    struct photo *next; /* of the list; with its lock, as all below */
    int references;     /* the list has one */
    double used_ms;
    mb_image mask; /* grey, 8 bits; empty: none yet */
    char mask_key[PHOTO_KEY_BYTES];
    double confidence;
    int doubtful;
    photos *owner; /* whose lock guards it, on the list or off */
} photo;

photos *photos_create(int most, double most_bytes, double seconds);
void photos_free(photos *list);
/* Takes the picture over and returns the photo with a reference for the caller, or NULL: it does not fit even alone, or
 * no memory; then the picture is still the caller's. Older ones make room. */
photo *photos_keep(photos *list, decoded *picture);
/* With a reference; NULL: there is none (any more). */
photo *photos_find(photos *list, const char *id);
int photos_remove(photos *list, const char *id); /* 0: there is none */
void photo_release(photo *p);                    /* may be NULL */
/* A copy of the mask, if it is the one that `key` describes; 1, 0 (none) or -1 (no memory). */
int photo_mask(photo *p, mb_image *out, const char *key, double *confidence, int *doubtful);
/* Keeps a copy. A mask that does not fit is not kept. */
void photo_keep_mask(photo *p, const mb_image *mask, const char *key, const mb_result *result);
int photo_has_mask(photo *p);
/* Drops what is too old. */
void photos_expire(photos *list);
void photos_count(photos *list, int *n, size_t *bytes);

#endif
