/* The built-in default: which names it has, the bytes that the linker brought along, and the hint on
 * better weights.
 *
 * The model is part of the program's read-only data and is used where it lies (mb_model_open_memory): no
 * file, no copy, no time. The name "demo" is that network alone; "default" is the network and saliency
 * together, by the preset "small". */
#include "builtin.h"
#include "message.h"
#include "models.h"

#include "core/os_process.h"
#include "core/os_file.h"

#include <stdlib.h>
#include <string.h>

/* Is there a model file of that name or alias in the model folders? Where memory is missing to tell: yes, and opening it
 * says so. */
static int installed(const char *name)
{
    char path[MB_OS_PATH_BYTES];
    mb_error none = {0};
    const mb_status status = models_find(path, sizeof path, name, &none);
    return status == MB_OK || status == MB_E_MEMORY;
}

/* Without --model, and by the name "default": what mb_find_default_model finds, else the model that is linked in.
 * "saliency" means what is built in, unless somebody has put a file of that name into a model folder. */
model_choice model_choose(const char *model)
{
    static char path[MB_OS_PATH_BYTES]; /* one command runs per process */
    if (model == NULL || strcmp(model, "default") == 0) {
        /* By the name "demo" a file could be opened in place of what is linked in. */
        return mb_find_default_model(path, sizeof path) ? (model_choice){.name = path}
                                                        : (model_choice){.name = "default", .standard = 1};
    }
    if (strcmp(model, "saliency") == 0 && !installed(model)) {
        return (model_choice){.saliency = 1};
    }
    return (model_choice){.name = model};
}

int builtin_has(const char *name)
{
    char info[2048];
    mb_build_info(info, sizeof info);
    return strstr(info, "built-in model: none") == NULL && (strcmp(name, "demo") == 0 || strcmp(name, "default") == 0);
}

mb_status builtin_open(mb_model **out, mb_context *context, const char *name, mb_error *err)
{
    return mb_model_open(out, context, name, err);
}

const char *model_place(const mb_model_info *info)
{
    return info->path[0] != '\0' ? info->path : "(built in)";
}

/* Makes the mark that says that the hint has been seen; 0 if it was there. Where none can be made, the hint comes
 * again.
 */
static int mark_hint(void)
{
    char path[MB_OS_PATH_BYTES];
    int file;
    if (!mb_os_user_folder(path, sizeof path, MB_OS_STATE, "mattebox")) {
        return 1;
    }
    (void)mb_os_make_folders(path);
    if (!mb_os_user_folder(path, sizeof path, MB_OS_STATE, "mattebox/demo-hint")) {
        return 1;
    }
    if (mb_os_open(&file, path, MB_OS_NEW) == 0) {
        (void)mb_os_close(file);
        return 1;
    }
    return !mb_os_exists(path);
}

/* Said once for each user and only to people: never in scripts, logs or pipes. */
void builtin_hint(void)
{
    if (message_has_terminal() && mark_hint()) {
        message_closing("cut out with the built-in demo model, which is small and sometimes wrong;");
        message_closing("  for real quality: mattebox models get birefnet-general-lite");
    }
}
