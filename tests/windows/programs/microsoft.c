/* Linked by lld-link, as Microsoft's linker does it, with mattebox.lib alone and without any C library: the exit code is
 * 0 if the DLL answers. */
#include "mattebox.h"

#define QUOTE(x)         #x
#define TEXT_OF(a, b, c) QUOTE(a) "." QUOTE(b) "." QUOTE(c)
#define VERSION          TEXT_OF(MB_VERSION_MAJOR, MB_VERSION_MINOR, MB_VERSION_PATCH)

int start(void)
{
    const char *ours = VERSION, *theirs = mb_version();
    mb_options o;
    mb_options_init(&o);
    while (*ours != '\0' && *ours == *theirs) {
        ours++;
        theirs++;
    }
    return *ours != *theirs ? 1 : mb_recipe_name(1 << 20) != 0 ? 2 : 0;
}
