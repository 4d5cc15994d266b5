#include "source_internal.h"
mb_status source_read_torch(source *s, mb_error *err)
{
    (void)s;
    return mb_fail(err, MB_E_UNSUPPORTED, "not yet");
}
