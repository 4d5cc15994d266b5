#include "tool.h"
int tool_convert(const tool_options *o, FILE *out, mb_error *err)
{
    (void)o;
    (void)out;
    return tool_exit_code(mb_fail(err, MB_E_UNSUPPORTED, "not yet"), false);
}
