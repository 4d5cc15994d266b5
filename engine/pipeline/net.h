/* A network, and the one road that pictures take through it: the mask network (mask.c) and VITMatte (vitmatte_net.c)
 * are its users. Sizes, names and channels come from models/registry.h.
 *
 * A pass is one picture on that road:
 *
 *   mb_net_begin      plan for the size of the input
 *   mb_net_upload     on a device: bytes go over into an upload slot. Else, or where the device has no memory for the
 *                     picture, pass.slot stays 0, and the caller writes mb_network_input_view itself
 *   mb_net_run        the network. With a slot and a mask output all work is only queued, so that other pictures
 *                     overlap
 *   mb_net_download   such a mask: waits for it; else the caller reads mb_network_output_view
 *   mb_net_release    gives the slot back; in any case, at last
 *
 * An upload slot is a back end's memory for one picture on its way, on both sides (kernels/image_io.h). It is opened
 * when first needed, kept until the network is freed, and holds one picture at a time: "in flight". */
#ifndef MB_PIPELINE_NET_H
#define MB_PIPELINE_NET_H

#include "core/threads.h"
#include "graph/runner.h"
#include "pipeline/context.h"
#include "pipeline/model.h"
#include "pipeline/progress.h"

#define MB_UPLOAD_SLOTS 2 /* one picture is computed while another goes over or comes back */

/* One model with its plans, run on tensors. Two networks of one context never share a pool unless they are created on
 * one, so they run side by side. One thread at a time. */
struct mb_network {
    const mb_model *model;
    mb_pool *pool, *own_pool; /* own_pool: the same one if it is to be freed here, else NULL */
    mb_runner *runner;
    const mb_backend *backend;           /* borrowed */
    mb_plan *plan;                       /* of the last run; borrowed from the runner */
    void *upload_slots[MB_UPLOAD_SLOTS]; /* NULL: not opened yet */
    bool slot_in_flight[MB_UPLOAD_SLOTS];
    mb_progress_callback on_progress;
    void *user;
};

/* A network on a pool and a back end (the context's, or a copy of it in another precision) that outlive it. */
MB_MUST_CHECK mb_status mb_network_create_on(mb_network **out, mb_context *context, const mb_backend *backend,
                                             const mb_model *model, mb_pool *pool, mb_error *err);
/* MB_E_ARGUMENT for a size of the input that the model cannot have; the message names the nearest one. */
MB_MUST_CHECK mb_status mb_network_check_size(const mb_model *model, int64_t height, int64_t width, mb_error *err);
/* What a run of n pictures of that input size takes. */
MB_MUST_CHECK mb_status mb_network_stats(mb_plan_stats *out, mb_network *network, int64_t n, int64_t height,
                                         int64_t width, mb_error *err);
/* The plan for n inputs of height x width becomes network->plan, its arena allocated. MB_E_MEMORY: over the limit. */
MB_MUST_CHECK mb_status mb_network_prepare(const mb_task *task, mb_network *network, int64_t n, int64_t height,
                                           int64_t width, const char *const *taps, int n_taps, mb_error *err);
/* Where to write the input of the prepared plan, and where its output is after a run: f32 in host memory, channels
 * last. */
mb_view mb_network_input_view(const mb_network *network);
mb_view mb_network_output_view(const mb_network *network);
/* Runs the prepared plan; io: in place of the host's copies of input and output, or NULL. task: of a
 * stage (progress.h). */
MB_MUST_CHECK mb_status mb_network_run_plan(const mb_task *task, mb_network *network, const mb_plan_io *io,
                                            mb_error *err);

/* The smallest size of the input that holds `size` pixels. */
int mb_network_padded(const mb_model *model, int size);

typedef struct mb_net_pass {
    mb_network *network; /* NULL: not begun */
    mb_plan *plan;
    int slot;          /* 1 + the upload slot in flight; 0: none, the host prepares the input */
    bool masks;        /* the output comes back as a mask of bytes, through the slot */
    char warning[256]; /* after run or download: "" or one line */
} mb_net_pass;

/* Whether pictures of this network go over as bytes: it runs on a device that has the means, and they are not switched
 * off. */
bool mb_net_uploads(const mb_network *network);

/* height, width: of the network's input, multiples of the model's step. */
MB_MUST_CHECK mb_status mb_net_begin(const mb_task *task, mb_net_pass *pass, mb_network *network, int height, int width,
                                     mb_error *err);
/* out: what becomes of the output, a mask; NULL: it comes back as floats. `in` and what it points to may go afterwards.
 * MB_OK with pass->slot 0: all slots are in flight, or the device has no memory for this picture or does not know its
 * kind. */
MB_MUST_CHECK mb_status mb_net_upload(mb_net_pass *pass, const mb_image_input *in, const mb_mask_output *out,
                                      mb_error *err);
MB_MUST_CHECK mb_status mb_net_run(const mb_task *task, mb_net_pass *pass, mb_error *err);
/* For an output that holds NaN or infinite values (mb_plan_is_finite of pass->plan): the error that names the node
 * where they began, MB_E_FORMAT. Without a slot the caller has written the input anew. */
MB_MUST_CHECK mb_status mb_net_explain(mb_net_pass *pass, mb_error *err);
/* mask [height, width] of the photo. A mask of such an output is that error. 16-bit arithmetic that overflowed is
 * repeated in the fallback type first. */
MB_MUST_CHECK mb_status mb_net_download(uint8_t *mask, mb_net_pass *pass, mb_error *err);
void mb_net_release(mb_net_pass *pass); /* twice, or on a {0} pass: nothing */

#endif
