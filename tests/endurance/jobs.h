/* What a program does with the library, as jobs that give a number: the hash of all bytes and statuses that came back. */
#ifndef MB_ENDURANCE_JOBS_H
#define MB_ENDURANCE_JOBS_H

#include <mattebox.h>

#include <stdint.h>

/* What the threads share: a context, the built-in model, pictures and files. */
typedef struct shared shared;

/* NULL on failure. */
shared *shared_create(char **files, int n_files, mb_error *err);
void shared_free(shared *s);

int jobs_count(const shared *s);
const char *job_name(const shared *s, int i);
/* The same number in every run; any thread. */
uint64_t job_run(const shared *s, int i);

#endif
