/* position_embedding: the inputs it accepts, the shape it gives, its cost. The formula: ref/position_embedding.c. */
#include "rules/position_embedding.h"
#include "rules/rules.h"

#define OP MB_OP_position_embedding

/* table [1+g*g,C,1,1] -> [1,C,out_h,out_w]. The first row is the class token's and is not read. */
mb_status mb_position_embedding_shape(int64_t out_dims[4], const mb_call *c, mb_error *err)
{
    const mb_size_attrs *a = c->attrs;
    mb_status status = MB_OK;
    MB_TRY(mb_rule_begin(c, OP, err));
    MB_TRY(mb_rule_range(OP, "height", a->out_h, 1, 1 << 20, err));
    MB_TRY(mb_rule_range(OP, "width", a->out_w, 1, 1 << 20, err));
    MB_TRY(mb_rule_dims(c, OP, 0, "table", (const int64_t[4]){-1, -1, 1, 1}, err));
    int64_t rows = c->in[0].dims[0];
    if (mb_position_grid(rows) == 0) {
        return mb_fail(err, MB_E_MISMATCH, "position_embedding: a table of %lld rows, expected 1 + g*g",
                       (long long)rows);
    }
    MB_TRY(mb_rule_out(out_dims, (const int64_t[4]){1, c->in[0].dims[1], a->out_h, a->out_w}, OP, err));
done:
    return status;
}

/* Once per plan; not counted. */
double mb_position_embedding_macs(const mb_call *c)
{
    (void)c;
    return 0;
}
