/* Concatenation of channels: maps [N,Ci,H,W] -> [N,sum Ci,H,W], in the order of the inputs. */
#include "ref.h"

/* Token by token: the channels of each input in turn. */
static mb_status run(const mb_call *c, mb_error *err)
{
    (void)err;
    for (int64_t t = 0; t < mb_view_tokens(&c->out); t++) {
        float *y = mb_tok(&c->out, t);
        for (int k = 0; k < c->n_in; k++) {
            for (int64_t i = 0; i < c->in[k].dims[1]; i++) {
                *y++ = mb_tok(&c->in[k], t)[i];
            }
        }
    }
    return MB_OK;
}

const mb_kernel mb_ref_concat = {.name = "ref", .run = run};
