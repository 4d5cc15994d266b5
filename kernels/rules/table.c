/* The table of rules: the columns of ops.def, and mb_<op>_shape and mb_<op>_macs of rules/<op>.c. */
#include "rules/rules.h"

#include <stddef.h>

#define MB_ACT_OFFSET_ACT(attributes)  (int)offsetof(attributes, act)
#define MB_ACT_OFFSET_NONE(attributes) -1
#define MB_OP(name, most, least, constants, f32_inputs, attributes, act, addend, cpu, cuda, tol)                       \
    {MB_OP_##name,                                                                                                     \
     #name,                                                                                                            \
     most,                                                                                                             \
     least,                                                                                                            \
     constants,                                                                                                        \
     f32_inputs,                                                                                                       \
     sizeof(attributes),                                                                                               \
     MB_ACT_OFFSET_##act(attributes),                                                                                  \
     addend,                                                                                                           \
     (float)(tol),                                                                                                     \
     mb_##name##_shape,                                                                                                \
     mb_##name##_macs},
static const mb_op_rule rules[MB_OP_COUNT] = {
#include "ops.def"
};
#undef MB_OP

/* NULL for a number that is no op. */
const mb_op_rule *mb_op_get_rule(mb_op op)
{
    return (unsigned)op < MB_OP_COUNT ? &rules[op] : NULL;
}
