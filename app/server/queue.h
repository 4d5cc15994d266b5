/* The threads and the work between them.
 *
 *   request --> [decode] --> [run] --> [encode] --> answer
 *
 * A few threads decode and encode, `jobs` threads run networks. Only so many decoded pictures wait for a run as will
 * soon have their turn: memory follows the queue's length no further. */
#ifndef SERVER_QUEUE_H
#define SERVER_QUEUE_H

#include "work.h"

typedef struct queue queue;

/* Starts the threads. CODE_OK, or the message has been printed. */
int queue_create(queue **out, server *s);
/* Ends the threads; no work may be under way. */
void queue_free(queue *q);
/* 0: the queue is full; *seconds says when to come again. `always`: what takes no time is not counted. */
int queue_add(queue *q, work *w, int always, int *seconds);
/* Finished work, one after the other, for the main thread; NULL: none. */
work *queue_finished(queue *q);
/* How many requests are before the work that was given in at queued_ms; all: how many there are. */
int queue_position(queue *q, const work *w);
void queue_count(queue *q, int *waiting, int *running);
double queue_seconds(queue *q); /* what a new request will wait, about */
int queue_is_busy(queue *q);    /* there is work that is not done */
/* Stops work that runs and waits (given_up). */
void queue_give_up(queue *q);

#endif
