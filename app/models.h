/* The parts of `mattebox models`. */
#ifndef APP_MODELS_H
#define APP_MODELS_H

#include "args.h"
#include "json.h"

#include "manager/catalogue.h"

/* The catalogue with the user's own entries. CODE_OK, or the message has been printed. */
int models_catalogue(catalogue *out);

/* What can be had and is not installed: part of `models list`. */
void models_list_known(const args *a, const catalogue *c);

int models_get(const args *a);
int models_remove(const args *a);
int models_import(const args *a);
int models_export(const args *a);

/* Is NAME.mbw in one of the model folders? Its path, else 0. */
int models_installed(char *path, size_t bytes, const char *name);
/* mb_find_model, and where that finds nothing, the catalogue's name for what `name` is an alias of. "default" is what
 * mb_find_default_model finds; MB_E_IO where that is nothing. */
mb_status models_find(char *path, size_t bytes, const char *name, mb_error *err);
/* The command that gets a model of that name or alias, as a hint; "" if none is known. */
void models_hint(char *text, size_t bytes, const char *name);

/* Names of the model files in a folder, sorted; how many. */
int models_in_folder(char ***names, const char *folder);
/* Paths of the models of these names; without names, of all that are installed. The message has been printed where the
 * result is not CODE_OK; free the list in every case. */
int models_named(char ***paths, int *n, const char *const *names, int n_names);
void models_free_names(char **names, int n);

/* What a model file is called. */
void models_name_of(char *name, size_t bytes, const char *path);
/* The report of one model, for --json: begun with what all have, ended with the last error's text where it failed. `path`
 * may be NULL. */
void models_report_begin(json *j, const char *name, const char *path, int ok);
void models_report_end(json *j, int ok);

#endif
