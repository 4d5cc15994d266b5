/* A z-buffer rasteriser with Phong shading and textures, called from render.py through ctypes.
 * pos: screen x, y, 1/w per vertex (projected); tri: 9 ints per triangle, v0 v1 v2 n0 n1 n2 t0 t1 t2 (-1: none); mat:
 * the material of each; pass 0 draws opaque materials into zb, col [S,S,3] and alp [S,S], pass 1 blends the others
 * over. */
#include <math.h>

typedef struct scene {
    int size;
    float *zb, *col, *alp;
    const float *pos, *nrm, *uv;
    const int *tri;
    const float *kd, *dis; /* colour and opacity of the materials */
    const int *tw, *th;    /* size of their textures, 0: none */
    const unsigned char **tp;
    const float *light;
    float amb, spec;
    int pass;
} scene;

/* Diffuse and specular light on the normal at perspective weights p. */
static void shade(float *diffuse, float *specular, const scene *s, const int *q, const float p[3])
{
    const float *L = s->light;
    float n[3];
    for (int k = 0; k < 3; k++) {
        n[k] = p[0] * s->nrm[3 * q[3] + k] + p[1] * s->nrm[3 * q[4] + k] + p[2] * s->nrm[3 * q[5] + k];
    }
    float l = sqrtf(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + 1e-9f;
    l = n[2] < 0 ? -l : l; /* towards the viewer */
    for (int k = 0; k < 3; k++) {
        n[k] /= l;
    }
    float d = n[0] * L[0] + n[1] * L[1] + n[2] * L[2];
    d = d < 0 ? 0 : d;
    float h[3] = {L[0], L[1], L[2] + 1};
    float sp = (n[0] * h[0] + n[1] * h[1] + n[2] * h[2]) / sqrtf(h[0] * h[0] + h[1] * h[1] + h[2] * h[2]);
    *specular = sp > 0 ? powf(sp, 30) * s->spec : 0;
    *diffuse = s->amb * (0.8f + 0.2f * n[1]) + (1 - s->amb) * d;
}

/* The colour of material m; 0 where the texture is transparent. */
static int colour(float r[3], const scene *s, int m, const int *q, const float p[3])
{
    for (int k = 0; k < 3; k++) {
        r[k] = s->kd[3 * m + k];
    }
    if (s->tw[m] <= 0 || q[6] < 0) {
        return 1;
    }
    float u = p[0] * s->uv[2 * q[6]] + p[1] * s->uv[2 * q[7]] + p[2] * s->uv[2 * q[8]];
    float v = p[0] * s->uv[2 * q[6] + 1] + p[1] * s->uv[2 * q[7] + 1] + p[2] * s->uv[2 * q[8] + 1];
    u -= floorf(u);
    v -= floorf(v);
    int x = (int)(u * s->tw[m]), y = (int)((1 - v) * s->th[m]);
    x = x >= s->tw[m] ? s->tw[m] - 1 : x;
    y = y >= s->th[m] ? s->th[m] - 1 : (y < 0 ? 0 : y);
    const unsigned char *texel = s->tp[m] + 4 * (y * s->tw[m] + x);
    for (int k = 0; k < 3; k++) {
        r[k] = texel[k] / 255.f;
    }
    return texel[3] >= 128;
}

static void draw(const scene *s, int i, float iw, float opacity, const float o[3])
{
    float *col = s->col + 3 * i, *alp = s->alp + i;
    if (!s->pass) {
        s->zb[i] = iw;
        for (int k = 0; k < 3; k++) {
            col[k] = o[k];
        }
        *alp = 1;
        return;
    }
    float over = opacity + *alp * (1 - opacity);
    for (int k = 0; k < 3; k++) {
        col[k] = over > 0 ? (opacity * o[k] + *alp * (1 - opacity) * col[k]) / over : 0;
    }
    *alp = over;
}

static void triangle(const scene *s, const int *q, int m)
{
    const float *a = s->pos + 3 * q[0], *b = s->pos + 3 * q[1], *c = s->pos + 3 * q[2];
    float area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    if (a[2] <= 0 || b[2] <= 0 || c[2] <= 0 || fabsf(area) < 1e-6f) {
        return;
    }
    int x0 = floorf(fminf(a[0], fminf(b[0], c[0]))), x1 = ceilf(fmaxf(a[0], fmaxf(b[0], c[0])));
    int y0 = floorf(fminf(a[1], fminf(b[1], c[1]))), y1 = ceilf(fmaxf(a[1], fmaxf(b[1], c[1])));
    for (int y = y0 < 0 ? 0 : y0; y <= y1 && y < s->size; y++) {
        for (int x = x0 < 0 ? 0 : x0; x <= x1 && x < s->size; x++) {
            float px = x + .5f, py = y + .5f;
            float w0 = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area;
            float w1 = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area, w2 = 1 - w0 - w1;
            float iw = w0 * a[2] + w1 * b[2] + w2 * c[2];
            int i = y * s->size + x;
            if (w0 < -1e-5f || w1 < -1e-5f || w2 < -1e-5f || iw <= s->zb[i]) {
                continue;
            }
            const float p[3] = {w0 * a[2] / iw, w1 * b[2] / iw, w2 * c[2] / iw};
            float r[3], diffuse, specular;
            if (!colour(r, s, m, q, p)) {
                continue;
            }
            shade(&diffuse, &specular, s, q, p);
            const float o[3] = {r[0] * diffuse + specular, r[1] * diffuse + specular, r[2] * diffuse + specular};
            draw(s, i, iw, s->dis[m], o);
        }
    }
}

void raster(int S, float *zb, float *col, float *alp, const float *pos, const float *nrm, const float *uv,
            const int *tri, const int *mat, int nt, const float *kd, const float *dis, const int *tw, const int *th,
            const unsigned char **tp, const float *L, float amb, float spec, int pass)
{
    const scene s = {S, zb, col, alp, pos, nrm, uv, tri, kd, dis, tw, th, tp, L, amb, spec, pass};
    for (int t = 0; t < nt; t++) {
        int translucent = dis[mat[t]] < 0.95f;
        if (translucent == pass) {
            triangle(&s, tri + 9 * t, mat[t]);
        }
    }
}
