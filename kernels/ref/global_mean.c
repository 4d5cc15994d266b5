/* The mean over the map: y[c] = 1/(HW) sum_{y,x} x[c,y,x]. x [N,C,H,W] -> [N,C,1,1]. */
#include "ref.h"

/* One sum per item and channel, in double. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    const mb_view *x = &c->in[0];
    int64_t pixels = x->dims[2] * x->dims[3];
    for (int64_t n = 0; n < x->dims[0]; n++) {
        for (int64_t i = 0; i < x->dims[1]; i++) {
            double sum = 0;
            for (int64_t p = 0; p < pixels; p++) {
                sum += mb_tok(x, n * pixels + p)[i];
            }
            mb_tok(&c->out, n)[i] = (float)(sum / (double)pixels);
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_global_mean = {.name = "ref", .run = run};
