/* The decoder's picture input cut into tiles that become channels: x [N,C,H,W] -> [N,C*Gh*Gw,h,w], channel
 * (c*Gh + ty)*Gw + tx. An output token takes one pixel of every tile, and its neighbour takes the pixels beside them:
 * walked in order, the lines it reads are still in cache for the next one. */
#include "tokens.h"

/* Output tokens [begin, end): pixel (t / w, t % w) of every tile of every channel. */
static void tokens(const mb_token_job *j, int64_t begin, int64_t end)
{
    const mb_view *x = &j->c->in[0], *y = &j->c->out;
    int64_t h = y->dims[2], w = y->dims[3], channels = x->dims[1], width = x->dims[3];
    int64_t gh = x->dims[2] / h, gw = width / w;
    for (int64_t t = begin; t < end; t++) {
        const float *first = mb_token(x, (t / (h * w) * x->dims[2] + t / w % h) * width + t % w);
        float *to = mb_token(y, t);
        for (int64_t c = 0; c < channels; c++) {
            for (int64_t ty = 0; ty < gh; ty++) {
                const float *from = first + ty * h * width * x->pitch + c;
                for (int64_t tx = 0; tx < gw; tx++) {
                    *to++ = from[tx * w * x->pitch];
                }
            }
        }
    }
}

MB_TOKEN_KERNELS(image_to_tiles, 0)
