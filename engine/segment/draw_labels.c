/* See the header. */
#include "segment/draw_labels.h"

#include "image/resample/reduce.h"

enum { ROWS_PER_CHUNK = 8 };

typedef struct draw_job {
    const uint8_t *label;
    mb_image_u8 *out;
} draw_job;

/* Labels to bytes with one pixel of smoothing: 1 2 1 both ways, edges repeated. */
static void draw_rows(void *arg, size_t begin, size_t end, int worker)
{
    (void)worker;
    const draw_job *j = arg;
    int width = j->out->width, height = j->out->height;
    for (int y = (int)begin; y < (int)end; y++) {
        const uint8_t *above = j->label + (size_t)(y > 0 ? y - 1 : 0) * (size_t)width;
        const uint8_t *row = j->label + (size_t)y * (size_t)width;
        const uint8_t *below = j->label + (size_t)(y < height - 1 ? y + 1 : y) * (size_t)width;
        for (int x = 0; x < width; x++) {
            int l = x > 0 ? x - 1 : 0, r = x < width - 1 ? x + 1 : x;
            int sum = above[l] + 2 * above[x] + above[r] + 2 * (row[l] + 2 * row[x] + row[r]) + below[l] +
                      2 * below[x] + below[r];
            j->out->v[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)((sum * 255 + 8) / 16);
        }
    }
}

mb_status mb_draw_labels(const mb_task *task, mb_image_u8 *out, const uint8_t *label, int width, int height,
                         const mb_image_u8 *rgb, mb_error *err)
{
    mb_status status = MB_OK;
    mb_image_u8 soft = {0};
    MB_TRY(mb_image_u8_create(&soft, width, height, 1, err));
    draw_job job = {label, &soft};
    MB_TRY(mb_task_for(task, (size_t)height, ROWS_PER_CHUNK, draw_rows, &job, err));
    MB_TRY(mb_image_u8_rescale(task, out, &soft, rgb->width, rgb->height, err));
done:
    mb_image_u8_dispose(&soft);
    return status;
}
