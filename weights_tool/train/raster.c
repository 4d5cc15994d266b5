/* A z-buffer rasteriser for triangle meshes with one light, for making training pictures; called through ctypes by
 * render.py.
 *
 * Vertices arrive projected: x, y in pixels and 1/depth. Colours, textures and depth are interpolated in perspective.
 * Two calls a mesh: pass 0 draws the opaque materials, pass 1 the transparent ones over them (no sorting among them).
 */
#include <math.h>

/* One mesh: triangles are 9 indices (3 positions, 3 normals, 3 texture coordinates, -1 for none) and a material each.
 */
typedef struct mesh {
    const float *position, *normal, *texcoord; /* [n][3], [n][3], [n][2] */
    const int *triangle, *material;            /* [count][9], [count] */
    const float *colour, *opacity;             /* [materials][3], [materials] */
    const int *width, *height;                 /* of each material's texture, 0 = none */
    const unsigned char **texture;             /* BGRA */
} mesh;

typedef struct target {
    int side;
    float *depth, *colour, *alpha; /* [S][S], [S][S][3], [S][S] */
} target;

typedef struct light {
    const float *direction;
    float ambient, specular;
} light;

/* Diffuse and specular strength at a unit normal that faces the camera. */
static float shade(const light *l, const float *n, float *specular)
{
    const float *d = l->direction;
    float diffuse = fmaxf(n[0] * d[0] + n[1] * d[1] + n[2] * d[2], 0);
    float half = sqrtf(d[0] * d[0] + d[1] * d[1] + (d[2] + 1) * (d[2] + 1));
    float s = (n[0] * d[0] + n[1] * d[1] + n[2] * (d[2] + 1)) / half;
    *specular = s > 0 ? powf(s, 30) * l->specular : 0;
    return l->ambient * (0.8f + 0.2f * n[1]) + (1 - l->ambient) * diffuse;
}

/* The texture's colour at (u, v), which repeats; 0 where the texel is a hole. */
static int look_up(const mesh *m, int material, float u, float v, float *colour)
{
    int w = m->width[material], h = m->height[material];
    int x = (int)((u - floorf(u)) * (float)w), y = (int)((1 - (v - floorf(v))) * (float)h);
    x = x >= w ? w - 1 : x;
    y = y >= h ? h - 1 : y < 0 ? 0 : y;
    const unsigned char *t = m->texture[material] + 4 * (y * w + x);
    for (int k = 0; k < 3; k++) {
        colour[k] = (float)t[k] / 255.0f;
    }
    return t[3] >= 128;
}

/* Light and colour of one pixel of triangle q at the perspective shares p; 0 in a hole of the texture. */
static int paint(const mesh *m, const light *l, const int *q, int material, const float *p, float *out)
{
    float n[3], colour[3], specular, length = 0;
    for (int k = 0; k < 3; k++) {
        n[k] = p[0] * m->normal[3 * q[3] + k] + p[1] * m->normal[3 * q[4] + k] + p[2] * m->normal[3 * q[5] + k];
        length += n[k] * n[k];
        colour[k] = m->colour[3 * material + k];
    }
    length = (sqrtf(length) + 1e-9f) * (n[2] < 0 ? -1.0f : 1.0f); /* both sides of a surface are lit */
    for (int k = 0; k < 3; k++) {
        n[k] /= length;
    }
    float lit = shade(l, n, &specular);
    if (m->width[material] > 0 && q[6] >= 0) {
        const float *t = m->texcoord;
        float u = p[0] * t[2 * q[6]] + p[1] * t[2 * q[7]] + p[2] * t[2 * q[8]];
        float v = p[0] * t[2 * q[6] + 1] + p[1] * t[2 * q[7] + 1] + p[2] * t[2 * q[8] + 1];
        if (!look_up(m, material, u, v, colour)) {
            return 0;
        }
    }
    for (int k = 0; k < 3; k++) {
        out[k] = colour[k] * lit + specular;
    }
    return 1;
}

/* One pixel. Transparent surfaces are laid over what is there (the "over" operator on unpremultiplied colour) and
 * leave the depth as it is. */
static void put(target *t, int i, float depth, const float *colour, float opacity, int transparent)
{
    float below = transparent ? t->alpha[i] * (1 - opacity) : 0, own = transparent ? opacity : 1, all = own + below;
    for (int k = 0; k < 3; k++) {
        t->colour[3 * i + k] = all > 0 ? (own * colour[k] + below * t->colour[3 * i + k]) / all : 0;
    }
    t->alpha[i] = all;
    t->depth[i] = transparent ? t->depth[i] : depth;
}

/* One triangle, by barycentric coordinates at the centres of the pixels in its bounding box. 1/depth is linear over
 * the screen, so attributes are weighted with it. The small negative bound closes cracks between neighbours. */
static void fill(target *t, const mesh *m, const light *l, const int *q, int material, int transparent)
{
    const float *a = m->position + 3 * q[0], *b = m->position + 3 * q[1], *c = m->position + 3 * q[2];
    float area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    if (a[2] <= 0 || b[2] <= 0 || c[2] <= 0 || fabsf(area) < 1e-6f) {
        return; /* behind the camera, or seen from its edge */
    }
    float end = (float)(t->side - 1);
    int x0 = (int)fmaxf(floorf(fminf(a[0], fminf(b[0], c[0]))), 0);
    int x1 = (int)fminf(ceilf(fmaxf(a[0], fmaxf(b[0], c[0]))), end);
    int y0 = (int)fmaxf(floorf(fminf(a[1], fminf(b[1], c[1]))), 0);
    int y1 = (int)fminf(ceilf(fmaxf(a[1], fmaxf(b[1], c[1]))), end);
    for (int y = y0; y <= y1; y++) {
        for (int x = x0; x <= x1; x++) {
            float px = (float)x + 0.5f, py = (float)y + 0.5f;
            float u = ((b[0] - px) * (c[1] - py) - (b[1] - py) * (c[0] - px)) / area;
            float v = ((c[0] - px) * (a[1] - py) - (c[1] - py) * (a[0] - px)) / area, w = 1 - u - v;
            float depth = u * a[2] + v * b[2] + w * c[2], out[3];
            int i = y * t->side + x;
            if (u < -1e-5f || v < -1e-5f || w < -1e-5f || depth <= t->depth[i]) {
                continue;
            }
            float shares[3] = {u * a[2] / depth, v * b[2] / depth, w * c[2] / depth};
            if (paint(m, l, q, material, shares, out)) {
                put(t, i, depth, out, m->opacity[material], transparent);
            }
        }
    }
}

/* The one entry; all arrays belong to the caller. */
void raster(int S, float *zb, float *col, float *alp, const float *pos, const float *nrm, const float *uv,
            const int *tri, const int *mat, int nt, const float *kd, const float *dis, const int *tw, const int *th,
            const unsigned char **tp, const float *L, float amb, float spec, int pass)
{
    target t = {S, zb, col, alp};
    mesh m = {pos, nrm, uv, tri, mat, kd, dis, tw, th, tp};
    light l = {L, amb, spec};
    for (int i = 0; i < nt; i++) {
        if ((dis[mat[i]] < 0.95f) == pass) {
            fill(&t, &m, &l, tri + 9 * i, mat[i], pass);
        }
    }
}
