/* Between the parts of the manager. */
#ifndef MB_MANAGER_INSTALL_H
#define MB_MANAGER_INSTALL_H

#include "manager/manager.h"

/* Converts a checkpoint into `target`: name, task and licence from the catalogue (e may be NULL), the rest is the
 * converter's to find out. Gives the exit code. */
int manager_convert(const manager_options *o, const catalogue_entry *e, const char *name, const char *revision,
                    const char *checkpoint, const char *target, mb_error *err);

#endif
