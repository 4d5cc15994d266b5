/* A list under one lock: there are tens of photos, and what is done with the lock held is short. */
#include "photos.h"

#include "../batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct photos {
    pthread_mutex_t lock;
    photo *first;
    int n, most;
    size_t bytes, most_bytes;
    double keep_ms;
};

photos *photos_create(int most, double most_bytes, double seconds)
{
    photos *list = calloc(1, sizeof *list);
    if (list != NULL) {
        (void)pthread_mutex_init(&list->lock, NULL);
        list->most = seconds > 0.0 ? most : 0;
        list->most_bytes = (size_t)most_bytes;
        list->keep_ms = 1e3 * seconds;
    }
    return list;
}

static void destroy(photo *p)
{
    decoded_dispose(&p->picture);
    mb_image_dispose(&p->mask);
    free(p);
}

/* With the lock held: takes it off the list. What nobody uses any more is returned for destroy(). */
static photo *unlink_photo(photos *list, photo **at)
{
    photo *p = *at;
    *at = p->next;
    list->n--;
    list->bytes -= p->bytes;
    p->next = NULL;
    return --p->references == 0 ? p : NULL;
}

/* The least recently used; the list has at least one. */
static photo **oldest(photos *list)
{
    photo **best = &list->first;
    for (photo **at = &list->first; *at != NULL; at = &(*at)->next) {
        best = (*at)->used_ms < (*best)->used_ms ? at : best;
    }
    return best;
}

static size_t mask_bytes(const photo *p)
{
    return (size_t)p->picture.image.width * (size_t)p->picture.image.height;
}

static size_t picture_bytes(const decoded *d)
{
    static const int channels[] = {1, 3, 3, 4, 4};
    size_t row = d->image.row_bytes != 0 ? d->image.row_bytes
                                         : (size_t)d->image.width * (size_t)channels[d->image.pixels] *
                                               (d->image.depth == MB_DEPTH_U16 ? 2 : 1);
    return d->map != NULL ? d->map_bytes : row * (size_t)d->image.height;
}

static int make_id(char id[PHOTO_ID_BYTES])
{
    unsigned char raw[16];
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw) {
        return 0;
    }
    for (size_t i = 0; i < sizeof raw; i++) {
        (void)snprintf(id + 2 * i, 3, "%02x", raw[i]);
    }
    return 1;
}

photo *photos_keep(photos *list, decoded *picture)
{
    photo *p = calloc(1, sizeof *p);
    if (p == NULL || !make_id(p->id)) {
        free(p);
        return NULL;
    }
    p->picture = *picture;
    p->bytes = picture_bytes(picture) + mask_bytes(p); /* its mask will come */
    if (p->bytes > list->most_bytes || list->most == 0) {
        free(p);
        return NULL;
    }
    p->references = 2;
    p->used_ms = clock_ms();
    p->owner = list;
    photo *gone = NULL;
    (void)pthread_mutex_lock(&list->lock);
    while (list->n >= list->most || list->bytes + p->bytes > list->most_bytes) {
        photo *dead = unlink_photo(list, oldest(list));
        if (dead != NULL) {
            dead->next = gone;
            gone = dead;
        }
    }
    p->next = list->first;
    list->first = p;
    list->n++;
    list->bytes += p->bytes;
    (void)pthread_mutex_unlock(&list->lock);
    while (gone != NULL) {
        photo *next = gone->next;
        destroy(gone);
        gone = next;
    }
    *picture = (decoded){0};
    return p;
}

static photo **find(photos *list, const char *id)
{
    for (photo **at = &list->first; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->id, id) == 0) {
            return at;
        }
    }
    return NULL;
}

photo *photos_find(photos *list, const char *id)
{
    (void)pthread_mutex_lock(&list->lock);
    photo **at = find(list, id);
    photo *p = at != NULL ? *at : NULL;
    if (p != NULL) {
        p->references++;
        p->used_ms = clock_ms();
    }
    (void)pthread_mutex_unlock(&list->lock);
    return p;
}

int photos_remove(photos *list, const char *id)
{
    (void)pthread_mutex_lock(&list->lock);
    photo **at = find(list, id), *dead = at != NULL ? unlink_photo(list, at) : NULL;
    (void)pthread_mutex_unlock(&list->lock);
    if (dead != NULL) {
        destroy(dead);
    }
    return at != NULL;
}

void photo_release(photo *p)
{
    if (p == NULL) {
        return;
    }
    photos *list = p->owner;
    (void)pthread_mutex_lock(&list->lock);
    int dead = --p->references == 0;
    (void)pthread_mutex_unlock(&list->lock);
    if (dead) {
        destroy(p);
    }
}

int photo_mask(photo *p, mb_image *out, const char *key, double *confidence, int *doubtful)
{
    int found = 0;
    *out = (mb_image){0};
    (void)pthread_mutex_lock(&p->owner->lock);
    if (p->mask.data != NULL && strcmp(p->mask_key, key) == 0) {
        mb_error err = {0};
        found = mb_image_create(out, p->mask.width, p->mask.height, MB_PIXELS_GRAY, MB_DEPTH_U8, &err) == MB_OK &&
                        mb_image_convert(out, &p->mask, &err) == MB_OK
                    ? 1
                    : -1;
        *confidence = p->confidence;
        *doubtful = p->doubtful;
    }
    (void)pthread_mutex_unlock(&p->owner->lock);
    return found;
}

void photo_keep_mask(photo *p, const mb_image *mask, const char *key, const mb_result *result)
{
    mb_image copy = {0};
    mb_error err = {0};
    if (mb_image_create(&copy, mask->width, mask->height, MB_PIXELS_GRAY, MB_DEPTH_U8, &err) != MB_OK ||
        mb_image_convert(&copy, mask, &err) != MB_OK) {
        mb_image_dispose(&copy);
        return;
    }
    (void)pthread_mutex_lock(&p->owner->lock);
    mb_image old = p->mask;
    p->mask = copy;
    (void)snprintf(p->mask_key, sizeof p->mask_key, "%s", key);
    p->confidence = result->confidence;
    p->doubtful = result->doubtful;
    (void)pthread_mutex_unlock(&p->owner->lock);
    mb_image_dispose(&old);
}

int photo_has_mask(photo *p)
{
    (void)pthread_mutex_lock(&p->owner->lock);
    int has = p->mask.data != NULL;
    (void)pthread_mutex_unlock(&p->owner->lock);
    return has;
}

void photos_expire(photos *list)
{
    photo *gone = NULL;
    double limit = clock_ms() - list->keep_ms;
    (void)pthread_mutex_lock(&list->lock);
    for (photo **at = &list->first; *at != NULL;) {
        if ((*at)->used_ms >= limit) {
            at = &(*at)->next;
            continue;
        }
        photo *dead = unlink_photo(list, at);
        if (dead != NULL) {
            dead->next = gone;
            gone = dead;
        }
    }
    (void)pthread_mutex_unlock(&list->lock);
    while (gone != NULL) {
        photo *next = gone->next;
        destroy(gone);
        gone = next;
    }
}

void photos_count(photos *list, int *n, size_t *bytes)
{
    (void)pthread_mutex_lock(&list->lock);
    *n = list->n;
    *bytes = list->bytes;
    (void)pthread_mutex_unlock(&list->lock);
}

void photos_free(photos *list)
{
    while (list != NULL && list->first != NULL) {
        photo *dead = unlink_photo(list, &list->first);
        if (dead != NULL) {
            destroy(dead);
        }
    }
    if (list != NULL) {
        (void)pthread_mutex_destroy(&list->lock);
        free(list);
    }
}
