#include <math.h>
#include <string.h>
typedef struct {
    int w, h;
    const unsigned char *p;
} tex;
/* pos: screen x,y,invw per vertex (already projected), tri: 9 ints v0 v1 v2 n0 n1 n2 t0 t1 t2 (-1 none), mat per tri */
void raster(int S, float *zb, float *col, float *alp, const float *pos, const float *nrm, const float *uv,
            const int *tri, const int *mat, int nt, const float *kd, const float *dis, const int *tw, const int *th,
            const unsigned char **tp, const float *L, float amb, float spec, int pass)
{
    for (int t = 0; t < nt; t++) {
        int m = mat[t];
        int tr = dis[m] < 0.95f;
        if (tr != pass)
            continue;
        const int *q = tri + 9 * t;
        const float *a = pos + 3 * q[0], *b = pos + 3 * q[1], *c = pos + 3 * q[2];
        if (a[2] <= 0 || b[2] <= 0 || c[2] <= 0)
            continue;
        float area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        if (fabsf(area) < 1e-6f)
            continue;
        int x0 = floorf(fminf(a[0], fminf(b[0], c[0]))), x1 = ceilf(fmaxf(a[0], fmaxf(b[0], c[0])));
        int y0 = floorf(fminf(a[1], fminf(b[1], c[1]))), y1 = ceilf(fmaxf(a[1], fmaxf(b[1], c[1])));
        if (x0 < 0)
            x0 = 0;
        if (y0 < 0)
            y0 = 0;
        if (x1 >= S)
            x1 = S - 1;
        if (y1 >= S)
            y1 = S - 1;
        for (int y = y0; y <= y1; y++)
            for (int x = x0; x <= x1; x++) {
                float px = x + .5f, py = y + .5f;
                float w0 = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area,
                      w1 = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area, w2 = 1 - w0 - w1;
                if (w0 < -1e-5f || w1 < -1e-5f || w2 < -1e-5f)
                    continue;
                float iw = w0 * a[2] + w1 * b[2] + w2 * c[2];
                int i = y * S + x;
                if (iw <= zb[i])
                    continue;
                float p0 = w0 * a[2] / iw, p1 = w1 * b[2] / iw, p2 = w2 * c[2] / iw;
                float n[3];
                for (int k = 0; k < 3; k++)
                    n[k] = p0 * nrm[3 * q[3] + k] + p1 * nrm[3 * q[4] + k] + p2 * nrm[3 * q[5] + k];
                float l = sqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + 1e-9f;
                n[0] /= l;
                n[1] /= l;
                n[2] /= l;
                if (n[2] < 0) {
                    n[0] = -n[0];
                    n[1] = -n[1];
                    n[2] = -n[2];
                }
                float d = n[0] * L[0] + n[1] * L[1] + n[2] * L[2];
                if (d < 0)
                    d = 0;
                float hx = L[0], hy = L[1], hz = L[2] + 1;
                float hl = sqrtf(hx * hx + hy * hy + hz * hz);
                float sp = (n[0] * hx + n[1] * hy + n[2] * hz) / hl;
                sp = sp > 0 ? powf(sp, 30) * spec : 0;
                float sh = amb * (0.8f + 0.2f * n[1]) + (1 - amb) * d;
                float r[3] = {kd[3 * m], kd[3 * m + 1], kd[3 * m + 2]};
                float A = dis[m];
                if (tw[m] > 0 && q[6] >= 0) {
                    float u = p0 * uv[2 * q[6]] + p1 * uv[2 * q[7]] + p2 * uv[2 * q[8]],
                          v = p0 * uv[2 * q[6] + 1] + p1 * uv[2 * q[7] + 1] + p2 * uv[2 * q[8] + 1];
                    u -= floorf(u);
                    v -= floorf(v);
                    int X = (int)(u * tw[m]), Y = (int)((1 - v) * th[m]);
                    if (X >= tw[m])
                        X = tw[m] - 1;
                    if (Y >= th[m])
                        Y = th[m] - 1;
                    if (Y < 0)
                        Y = 0;
                    const unsigned char *T = tp[m] + 4 * (Y * tw[m] + X);
                    for (int k = 0; k < 3; k++)
                        r[k] = T[k] / 255.f;
                    if (T[3] < 128)
                        continue;
                }
                float o[3];
                for (int k = 0; k < 3; k++)
                    o[k] = r[k] * sh + sp;
                if (!pass) {
                    zb[i] = iw;
                    for (int k = 0; k < 3; k++)
                        col[3 * i + k] = o[k];
                    alp[i] = 1;
                } else {
                    float na = A + alp[i] * (1 - A);
                    for (int k = 0; k < 3; k++)
                        col[3 * i + k] = na > 0 ? (A * o[k] + alp[i] * (1 - A) * col[3 * i + k]) / na : 0;
                    alp[i] = na;
                }
            }
    }
}
