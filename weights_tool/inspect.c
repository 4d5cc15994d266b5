/* inspect: what is this file? For every format that convert reads, and for model files. It never fails on a file that
 * can be opened: a checkpoint of another network is described too, with the reason why convert would refuse it. Values
 * are not looked at; a checkpoint is read once, for its hash. */
#include "known.h"
#include "licence.h"
#include "recognise.h"
#include "tool.h"

#include "core/alloc.h"
#include "core/json.h"
#include "core/text.h"

#include <inttypes.h>
#include <string.h>

typedef struct facts {
    char title[80];  /* "" : not one of the two architectures */
    const char *why; /* then: the reason */
    uint64_t parameters;
    size_t n_of_type[MB_ST_DTYPE_COUNT];
    uint64_t elements; /* of all tensors of the model */
} facts;

/* `not_known` keeps the reason when recognition fails; that is a fact to report and no error. */
static void gather(facts *f, const source *s, recognised *r, mb_error *not_known)
{
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < source_count(s); i++) {
        f->n_of_type[source_at(s, i)->dtype]++;
        f->elements += source_at(s, i)->count;
    }
    if (recognise(r, s, NULL, not_known) == MB_OK) {
        recognised_title(r, f->title, sizeof f->title);
        f->parameters = recognised_parameters(r);
    }
}

static void shape(char *dst, size_t capacity, const source_tensor *t)
{
    char list[160];
    arch_join(list, sizeof list, t->dims, (size_t)t->rank);
    (void)snprintf(dst, capacity, "[%s]", list);
}

/* ---- for people */

/* What the shapes tell of it, and by which rule or record the rest was filled in. */
static void print_backbone(FILE *out, const backbone_arch *b)
{
    const backbone_family *f = b->family;
    char list[80];
    arch_join(list, sizeof list, b->maps, BACKBONE_MAPS);
    (void)fprintf(out, "  backbone      %s, channels %s", f->kind, list);
    arch_join(list, sizeof list, b->depths, (size_t)f->stages);
    (void)fprintf(out, "%s%s", f->stages > 0 ? ", depths " : "", list);
    arch_join(list, sizeof list, b->heads, b->heads[0] > 0 ? (size_t)f->stages : 0);
    (void)fprintf(out, "%s%s", b->heads[0] > 0 ? ", heads " : "", list);
    arch_join(list, sizeof list, b->outputs, f->outputs_unknown ? BACKBONE_MAPS : 0);
    (void)fprintf(out, "%s%s", f->outputs_unknown ? ", maps behind blocks " : "", list);
    arch_join(list, sizeof list, &b->window, b->window > 0 ? 1 : 0);
    (void)fprintf(out, "%s%s%s%s", b->window > 0 ? ", window " : "", list,
                  f->n_eps > 0 ? ", epsilons of the norms " : "", b->norm_eps);
    (void)fprintf(out, "%s%s\n", b->rope_base[0] != '\0' ? ", base of the rotary positions " : "", b->rope_base);
}

/* One line for the backbone and one for the decoder: the numbers by which variants differ. */
static void print_architecture(FILE *out, const recognised *r)
{
    char a[80], b[80], k[80];
    if (r->family == FAMILY_BIREFNET) {
        const birefnet_arch *m = &r->birefnet;
        print_backbone(out, &m->backbone);
        arch_join(k, sizeof k, m->squeeze.kernels, (size_t)m->squeeze.n_kernels);
        (void)fprintf(out,
                      "  decoder       inner %" PRId64 ", branches %" PRId64 ", deformable kernels %s, tiles %" PRId64
                      ", ipt_blk5 %s, gate 4 %s\n",
                      m->block[1].inner, m->block[1].branch, k, m->tile_inner[2], m->ipt_blk5 ? "yes" : "no",
                      m->gate4 ? "yes" : "no");
    } else if (r->family == FAMILY_VITMATTE) {
        const vitmatte_arch *m = &r->vitmatte;
        (void)fprintf(
            out, "  backbone      ViT, width %" PRId64 ", depth %" PRId64 ", heads %" PRId64 ", window %" PRId64 "\n",
            m->hidden, m->depth, m->heads, m->window);
        arch_join(a, sizeof a, m->conv, 3);
        arch_join(b, sizeof b, m->fusion, 4);
        (void)fprintf(out, "  decoder       detail %s, fusion %s, head %" PRId64 "\n", a, b, m->head);
    }
}

/* Metadata of a model file. Values come from the file and are made printable, line by line. */
static void print_meta(FILE *out, const source *s)
{
    const mb_weights *w = source_mbw(s);
    for (size_t i = 0; w != NULL && i < mb_weights_meta_count(w); i++) {
        const char *key, *value;
        mb_weights_meta_at(w, i, &key, &value);
        (void)fprintf(out, "  %-25s ", key);
        for (const char *at = value;;) { /* long texts (licences) keep their lines */
            char line[400];
            size_t n = strcspn(at, "\n");
            (void)fprintf(out, "%s\n", mb_printable(line, sizeof line, at, n));
            if (at[n] == '\0') {
                break;
            }
            at += n + 1;
            (void)fprintf(out, "  %-25s ", "");
        }
    }
}

/* Licence, revision and hash of a checkpoint; of a model file they are among its metadata, but for the revision of files of
 * before that was recorded. */
static void print_origin(FILE *out, const source *s, const known_model *known)
{
    if (source_mbw(s) != NULL) {
        if (source_meta(s, "source.revision") == NULL) {
            (void)fprintf(out, "  %-25s %s\n", "source.revision", "not recorded");
        }
        return;
    }
    char *licence = NULL, line[200], hash[65];
    const bool found = licence_find(&licence, s, NULL, known, NULL) == MB_OK;
    (void)fprintf(out, "  licence       %s\n",
                  found ? mb_printable(line, sizeof line, licence, strcspn(licence, "\n")) : "not read");
    mb_free(licence);
    const char *revision = source_meta(s, "revision");
    (void)fprintf(out, "  revision      %s\n",
                  revision != NULL ? mb_printable(line, sizeof line, revision, strlen(revision)) : "not recorded");
    (void)source_sha256(hash, s, NULL, NULL);
    (void)fprintf(out, "  SHA-256       %s\n", hash);
}

/* The report for people. The reason for an unknown architecture begins with the file's path, which stands above
 * already and is cut off. */
static void print_text(const tool_options *o, FILE *out, const source *s, const facts *f, const recognised *r,
                       const mb_error *not_known)
{
    (void)fprintf(out, "%s\n", source_file_path(s, 0));
    (void)fprintf(out, "  format        %s, %zu file%s, %.1f MB\n", source_format_name(s), source_file_count(s),
                  source_file_count(s) == 1 ? "" : "s", (double)source_file_bytes(s) * 1e-6);
    if (f->title[0] != '\0') {
        (void)fprintf(out, "  architecture  %s, %.1f M parameters\n", f->title, (double)f->parameters * 1e-6);
        print_architecture(out, r);
    } else {
        /* The message begins with "PATH: ". */
        const char *what = strstr(not_known->message, ": ");
        (void)fprintf(out, "  architecture  %s\n", what != NULL ? what + 2 : not_known->message);
    }
    (void)fprintf(out, "  tensors       %zu (", source_count(s));
    const char *comma = "";
    for (int i = 0; i < MB_ST_DTYPE_COUNT; i++) {
        if (f->n_of_type[i] > 0) {
            (void)fprintf(out, "%s%zu %s", comma, f->n_of_type[i], mb_st_dtype_name((mb_st_dtype)i));
            comma = ", ";
        }
    }
    (void)fprintf(out, ")\n");
    if (source_keys(s)[0] != '\0') {
        (void)fprintf(out, "  keys          %s\n", source_keys(s));
    }
    if (source_prefix(s)[0] != '\0') {
        (void)fprintf(out, "  model's names behind \"%s\"\n", source_prefix(s));
    }
    if (source_rival(s) != NULL) {
        (void)fprintf(out, "  another copy  behind \"%s\" (--prefix chooses)\n", source_rival(s));
    }
    if (source_beside_count(s) > 0) {
        (void)fprintf(out, "  beside it     %zu tensors, ignored: %s%s\n", source_beside_count(s),
                      source_beside_at(s, 0)->original, source_beside_count(s) > 1 ? " ..." : "");
    }
    const known_model *known = source_kind(s) != SOURCE_MBW ? known_find(source_file_path(s, 0)) : NULL;
    if (known != NULL) {
        (void)fprintf(out, "  by its name   %s\n", known->name);
    }
    print_meta(out, s);
    print_origin(out, s, known);
    const size_t n = o->tensors ? source_count(s) + source_beside_count(s) : 0;
    for (size_t i = 0; i < n; i++) {
        const bool beside = i >= source_count(s);
        const source_tensor *t = beside ? source_beside_at(s, i - source_count(s)) : source_at(s, i);
        char dims[200];
        shape(dims, sizeof dims, t);
        (void)fprintf(out, "  %-5s %-20s %s%s%s%s\n", mb_st_dtype_name(t->dtype), dims, t->original,
                      t->unread != NULL ? "  not read: " : "", t->unread != NULL ? t->unread : "",
                      beside ? "  beside the model" : "");
    }
}

/* ---- for programs */

static void json_field(mb_json *j, const char *key, const char *value)
{
    mb_json_key(j, key);
    mb_json_string(j, value);
}

/* Name, type and shape of the model's tensors, as they are called in the file. */
static void json_tensors(mb_json *j, const source *s)
{
    mb_json_key(j, "tensors");
    mb_json_begin_array(j);
    for (size_t i = 0; i < source_count(s); i++) {
        const source_tensor *t = source_at(s, i);
        mb_json_begin_object(j);
        json_field(j, "name", t->original);
        json_field(j, "dtype", mb_st_dtype_name(t->dtype));
        mb_json_key(j, "shape");
        mb_json_begin_array(j);
        for (int d = 0; d < t->rank; d++) {
            mb_json_int(j, t->dims[d]);
        }
        mb_json_end(j);
        mb_json_end(j);
    }
    mb_json_end(j);
}

/* One object on one line. The text is built whole in memory, so that a failure leaves no half object on the output. */
static mb_status print_json(const tool_options *o, FILE *out, const source *s, const facts *f, mb_error *err)
{
    mb_json j;
    mb_json_init(&j);
    mb_json_begin_object(&j);
    json_field(&j, "file", source_file_path(s, 0));
    json_field(&j, "format", source_format_name(s));
    mb_json_key(&j, "bytes");
    mb_json_uint(&j, source_file_bytes(s));
    json_field(&j, "architecture", f->title[0] != '\0' ? f->title : NULL);
    mb_json_key(&j, "parameters");
    mb_json_uint(&j, f->parameters);
    mb_json_key(&j, "tensor_count");
    mb_json_uint(&j, source_count(s));
    json_field(&j, "prefix", source_prefix(s));
    mb_json_key(&j, "beside_count");
    mb_json_uint(&j, source_beside_count(s));
    mb_json_key(&j, "dtypes");
    mb_json_begin_object(&j);
    for (int i = 0; i < MB_ST_DTYPE_COUNT; i++) {
        if (f->n_of_type[i] > 0) {
            mb_json_key(&j, mb_st_dtype_name((mb_st_dtype)i));
            mb_json_uint(&j, f->n_of_type[i]);
        }
    }
    mb_json_end(&j);
    const mb_weights *w = source_mbw(s);
    if (w == NULL) {
        char hash[65];
        (void)source_sha256(hash, s, NULL, NULL);
        json_field(&j, "sha256", hash);
    } else {
        mb_json_key(&j, "metadata");
        mb_json_begin_object(&j);
        for (size_t i = 0; i < mb_weights_meta_count(w); i++) {
            const char *key, *value;
            mb_weights_meta_at(w, i, &key, &value);
            json_field(&j, key, value);
        }
        mb_json_end(&j);
    }
    if (o->tensors) {
        json_tensors(&j, s);
    }
    mb_json_end(&j);
    mb_json_line(&j);
    const char *text = mb_json_text(&j);
    mb_status status = text != NULL ? MB_OK : mb_fail_memory(err, j.n, "a report");
    if (status == MB_OK) {
        (void)fputs(text, out);
    }
    mb_json_dispose(&j);
    return status;
}

/* Only a failure of memory is an error here; a network that is not known is an answer. */
int tool_inspect(const tool_options *o, FILE *out, FILE *errors, mb_error *err)
{
    source *s;
    recognised r = {.family = FAMILY_NONE};
    facts f;
    mb_error not_known = {0};
    (void)errors;
    mb_status status = source_open_as(&s, o->source, &(source_choice){o->key, o->prefix}, err);
    if (status != MB_OK) {
        return tool_exit_code(status, false);
    }
    gather(&f, s, &r, &not_known);
    if (not_known.code == MB_E_MEMORY) {
        status = mb_fail(err, MB_E_MEMORY, "%s", not_known.message);
    } else if (o->json) {
        status = print_json(o, out, s, &f, err);
    } else {
        print_text(o, out, s, &f, &r, &not_known);
    }
    recognised_dispose(&r);
    source_free(s);
    return tool_exit_code(status, false);
}
