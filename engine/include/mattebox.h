/* mattebox: cut the foreground out of a picture with hair-fine edges.
 *
 * This is the one public header of libmattebox, and its manual. The library runs BiRefNet (finds the subject) and
 * VITMatte or a classical method (refines the edge) by itself: no Python, no machine-learning runtime.
 *
 *     photo --> recipe --> BiRefNet --> mask --> refinement --> alpha --> RGBA picture
 *
 * How to read it
 *   1. Errors            what every call returns, and where the story is
 *   2. Three paths       level 1: model, photo, result: one call
 *   3. Pictures          pixels in memory, from and to files
 *   4. Context, model    what is opened once and shared
 *   5. Options           every parameter, with its range and default
 *   6. Pipeline          level 2: load once, run often; level 3: what a run will take, before it starts
 *   7. Network           the bare network on tensors: parity checks, research, measuring
 *   8. Versions
 *
 * Rules that hold everywhere
 *   - A call that can fail returns mb_status and takes an mb_error as its last parameter. That pointer may be NULL.
 *   - Results come first, then inputs. What comes through a pointer to a pointer is yours, and is NULL after a failure;
 *     what is returned is borrowed and lives as long as the object it came from.
 *   - Inputs are only read, and only during the call, unless the function says that it keeps them.
 *   - Objects have _free, structs of yours have _dispose. Both accept NULL and half-built objects.
 *   - Pointers must not be NULL where "may be NULL" is not said.
 *   - Texts are UTF-8, paths are bytes as the system has them.
 *   - Structs whose first field is `size` may grow at their end in later versions: set it to sizeof, or call the
 *     function that initialises the struct. Everything else keeps its layout within a major version.
 *   - The library never prints, exits, touches signals or the locale, and has no global state. It reads the environment
 *     only where a function says so, and never uses the network.
 *   - Threads: an mb_context and an mb_model may be used from any number of threads at once. Each mb_pipeline,
 *     mb_network, mb_image and mb_result belongs to one thread at a time.
 *   - The same file, picture, options and instruction set give the same bytes, for any number of threads.
 */
#ifndef MATTEBOX_H
#define MATTEBOX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MB_API        __attribute__((visibility("default")))
#define MB_MUST_CHECK __attribute__((warn_unused_result))
#else
#define MB_API
#define MB_MUST_CHECK
#endif

/* The version of this header; mb_version() tells that of the library. */
#define MB_VERSION_MAJOR 0
#define MB_VERSION_MINOR 1
#define MB_VERSION_PATCH 0

/* ================================================================================================================
 * 1. Errors
 * ================================================================================================================ */

/* What every function that can fail returns. A dropped status is a compiler warning. */
typedef enum mb_status {
    MB_OK = 0,
    MB_E_ARGUMENT = -1,    /* a parameter or option is out of its range */
    MB_E_MEMORY = -2,      /* an allocation failed, or the plan exceeds the memory limit */
    MB_E_IO = -3,          /* a file could not be read or written */
    MB_E_FORMAT = -4,      /* a file is damaged or is not what it claims to be */
    MB_E_MISMATCH = -5,    /* a sound file that does not fit: another architecture, shape or size */
    MB_E_UNSUPPORTED = -6, /* known, but not in this build or version */
    MB_E_DEVICE = -7,      /* a GPU or one of its libraries is missing or failed */
    MB_E_CANCELLED = -8,   /* a progress callback asked to stop */
    MB_E_INTERNAL = -9     /* a bug in mattebox */
} mb_status;

/* The story behind a status. Yours, on the stack; start from {0} (a first error is never overwritten by a later one).
 */
typedef struct mb_error {
    mb_status code;
    char message[512]; /* one line of UTF-8; a hint on what to do may follow after a line feed */
} mb_error;

/* "MB_OK", "MB_E_ARGUMENT" ...; never NULL. */
MB_API const char *mb_status_name(mb_status status);

/* ================================================================================================================
 * 2. Three paths
 * ================================================================================================================ */

/* Reads `photo`, cuts its subject out with the weights in `model` and writes an RGBA picture to `png`, with default
 * options. An existing `png` is replaced, as a whole or not at all. `model` is a .mbw file (made by mattebox-weights)
 * or a name, as for mb_model_open; "default" needs no file. The result is that of the program `mattebox PHOTO`, to
 * the byte: foreground colours are estimated, and the built-in network runs with the preset "small".
 *
 * It opens the model each time. For more than one picture use a pipeline (section 6). */
MB_MUST_CHECK MB_API mb_status mb_cutout_file(const char *model, const char *photo, const char *png, mb_error *err);

/* ================================================================================================================
 * 3. Pictures
 * ================================================================================================================ */

/* The samples of one pixel, in memory order. Alpha is straight (colours are not multiplied by it). */
typedef enum mb_pixels {
    MB_PIXELS_GRAY = 0,
    MB_PIXELS_RGB = 1,
    MB_PIXELS_BGR = 2,
    MB_PIXELS_RGBA = 3,
    MB_PIXELS_BGRA = 4
} mb_pixels;

/* The type of one sample. U16 has the machine's byte order, F32 lies in [0,1]. */
typedef enum mb_depth { MB_DEPTH_U8 = 0, MB_DEPTH_U16 = 1, MB_DEPTH_F32 = 2 } mb_depth;

/* A picture. Row y starts at (char *)data + y * row_bytes, top row first.
 *
 * Your own memory is described by filling the fields and leaving `owned` NULL; the library then never frees it. What
 * the library hands out has `owned` set and is freed by mb_image_dispose. An mb_image of {0} is a valid empty picture.
 */
typedef struct mb_image {
    void *data;
    int width, height; /* pixels, each >= 1 */
    size_t row_bytes;  /* 0 stands for tightly packed rows */
    mb_pixels pixels;
    mb_depth depth;
    void *owned; /* NULL in pictures of yours; never touch it in others */
} mb_image;

/* A new picture with undefined contents, rows tightly packed. */
MB_MUST_CHECK MB_API mb_status mb_image_create(mb_image *out, int width, int height, mb_pixels pixels, mb_depth depth,
                                               mb_error *err);

/* Frees what the library allocated and leaves {0}. Pictures of yours only become {0}. */
MB_API void mb_image_dispose(mb_image *image);

/* Copies `src` into the memory of `dst`, which has the same width and height and may have other rows, order and depth.
 * Grey from colour is its luma; missing alpha is opaque; surplus alpha is dropped. 16 to 8 bits keep the upper byte,
 * [0,1] to 8 bits is trunc(255 x), to 16 bits it is rounded. */
MB_MUST_CHECK MB_API mb_status mb_image_convert(const mb_image *dst, const mb_image *src, mb_error *err);

/* What a picture file says beside its pixels. Start with mb_metadata_init; what the load functions fill in is freed by
 * mb_metadata_dispose, what you point it to for saving is only read. */
typedef struct mb_metadata {
    size_t size;
    void *icc; /* ICC profile of RGB colours, NULL: none, that is sRGB by custom */
    size_t icc_bytes;
    double dpi_x, dpi_y; /* pixels an inch; 0: not known */
    void *exif;          /* a TIFF structure, without "Exif\0\0": orientation 1, no thumbnail. NULL: none */
    size_t exif_bytes;
    char note[80]; /* "" or what was left out: "its colour profile is for CMYK: dropped" */
} mb_metadata;
MB_API void mb_metadata_init(mb_metadata *metadata);
MB_API void mb_metadata_dispose(mb_metadata *metadata);

/* Converts colours in place from one ICC profile to another (NULL, or without a profile: sRGB), relative colorimetric;
 * alpha, which must be straight, stays. 8 or 16 bits. MB_E_FORMAT: a profile that cannot be used; MB_E_UNSUPPORTED:
 * this build has no Little CMS. */
MB_MUST_CHECK MB_API mb_status mb_image_convert_profile(const mb_image *image, const mb_metadata *from,
                                                        const mb_metadata *to, mb_error *err);

/* What a picture file was before it became pixels. Filled by the load functions. */
typedef struct mb_image_source {
    size_t size;       /* sizeof(mb_image_source) */
    char format[16];   /* "jpeg", "png", ... */
    int width, height; /* as stored: before the orientation was applied */
    int channels;      /* as stored: 1 grey or palette, 2 grey + alpha, 3, 4 */
    int bits;          /* per sample, as stored */
    int orientation;   /* EXIF, 1 .. 8; 1 when there is none. It has been applied to the pixels */
    char warning[160]; /* "" or what the user should know: frames ignored, data missing ... */
    int alpha;         /* 1: the file has transparency: an alpha channel, a clear colour or palette entry */
} mb_image_source;

/* How a picture is read. Start with mb_load_options_init. */
typedef struct mb_load_options {
    size_t size;
    double max_megapixels;     /* above 0, to 4295, default 500: larger pictures are refused before decoding */
    int accept_partial;        /* 1: a file that ends early gives the rows that are there, and a warning. Default 0 */
    int keep_depth;            /* 1: PNG and PNM files of more than 8 bits give 16-bit pictures. Default 0 */
    int (*cancel)(void *user); /* NULL, or asked every few rows: not 0 stops with MB_E_CANCELLED */
    void *user;
    int keep_alpha;        /* 1: pictures that are not opaque throughout come as RGBA, alpha straight. Default 0: RGB */
    mb_metadata *metadata; /* NULL (default), or filled with what the file has; an empty one, begun with _init */
} mb_load_options;
MB_API void mb_load_options_init(mb_load_options *options);

/* Reads a picture as 8-bit RGB (but see keep_depth and keep_alpha), whatever it was: EXIF orientation applied; grey,
 * palette, CMYK, 16 bits and alpha are converted as Pillow's convert('RGB') does. The type is found in the contents,
 * never in the name. source, options: may be NULL. Errors: MB_E_IO (missing, unreadable), MB_E_FORMAT (damaged, or no
 * picture), MB_E_UNSUPPORTED (a format that this build lacks), MB_E_ARGUMENT (too large), MB_E_MEMORY, MB_E_CANCELLED.
 */
MB_MUST_CHECK MB_API mb_status mb_image_load(mb_image *out, mb_image_source *source, const char *path,
                                             const mb_load_options *options, mb_error *err);
/* The same from bytes in memory. */
MB_MUST_CHECK MB_API mb_status mb_image_load_memory(mb_image *out, mb_image_source *source, const void *bytes,
                                                    size_t n_bytes, const mb_load_options *options, mb_error *err);

/* Which samples of a picture are the mask. AUTO: the alpha channel where it varies (masks of painting programs,
 * cut-outs of any tool), unless the colours are a mask themselves; else the brightness, which is the grey of grey
 * pictures. */
typedef enum mb_mask_channel {
    MB_MASK_CHANNEL_AUTO = 0,
    MB_MASK_CHANNEL_LUMA = 1,
    MB_MASK_CHANNEL_RED = 2,
    MB_MASK_CHANNEL_GREEN = 3,
    MB_MASK_CHANNEL_BLUE = 4,
    MB_MASK_CHANNEL_ALPHA = 5
} mb_mask_channel;
MB_API const char *mb_mask_channel_name(int channel); /* "auto", "luma" ...; NULL for an unknown number */

/* How a picture becomes a mask or trimap. Start with mb_mask_options_init. */
typedef struct mb_mask_options {
    size_t size;
    mb_mask_channel channel; /* default AUTO */
    int is_trimap;           /* 1: it will be used as a trimap. Default 0 */
    int width, height;       /* of the photo it belongs to; 0 (default): any size */
    int scale;               /* 1: a mask of another size is scaled to it; 0 (default): refused */
    int orientation;         /* of the photo's file (mb_image_source), default 1: a mask that was made of the pixels as
                                stored is recognised by it, and turned with `scale` */
} mb_mask_options;
MB_API void mb_mask_options_init(mb_mask_options *options);

/* A grey picture, 8 or 16 bits, for mb_pipeline_refine, from any picture; load files with keep_alpha and keep_depth.
 * Labels (0 and 1; 0, 1 and 2; 8-bit values in 16-bit samples) become levels. note (may be NULL): one line on what was
 * decided, "" where nothing had to be. options: may be NULL. Errors: MB_E_ARGUMENT (another size, no such channel),
 * MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_mask_read(mb_image *out, char *note, size_t note_bytes, const mb_image *src,
                                            const mb_mask_options *options, mb_error *err);

/* Reads only as much of a file as tells what it is. MB_E_MISMATCH: no picture of any known format. */
MB_MUST_CHECK MB_API mb_status mb_image_probe(mb_image_source *out, const char *path, mb_error *err);

/* What a picture is written as. AUTO: by the path's extension (.png, .webp, .jpg, .jpeg), PNG where that says nothing.
 * JPEG takes no alpha; it and WebP write 8 bits. */
typedef enum mb_format { MB_FORMAT_AUTO = 0, MB_FORMAT_PNG = 1, MB_FORMAT_WEBP = 2, MB_FORMAT_JPEG = 3 } mb_format;
MB_API const char *mb_format_name(int format); /* "auto", "png" ...; NULL for an unknown number */

/* How a picture is written. Start with mb_save_options_init. */
typedef struct mb_save_options {
    size_t size;
    int overwrite; /* 0: an existing file is an error (MB_E_IO), also when it appears meanwhile; 1 (default): replaced
                    */
    int level;     /* 0 fast and large .. 9 slow and small (PNG: zlib's; WebP: the effort); default 3 */
    mb_format format;            /* default AUTO */
    int quality;                 /* 1 .. 100 of JPEG and WebP; 0 (default): 92, and WebP without loss */
    const char *note;            /* NULL, or a comment that PNG files carry ("premultiplied alpha") */
    int threads;                 /* that compress a PNG; 1 (default): the caller alone, 0: all processors */
    const mb_metadata *metadata; /* NULL (default), or what the file shall say: colour pictures get the profile, all the
                                    resolution (a WebP in its EXIF) and EXIF */
} mb_save_options;
MB_API void mb_save_options_init(mb_save_options *options);

/* Writes a picture (PNG: 8 bits, or 16 for pictures of MB_DEPTH_U16) under a temporary name in the same folder, flushed
 * to the disk, then renamed, so that `path` is complete or untouched whatever happens. Pipes and devices are written
 * directly. options: may be NULL. */
MB_MUST_CHECK MB_API mb_status mb_image_save(const mb_image *image, const char *path, const mb_save_options *options,
                                             mb_error *err);

/* Can this path be written, judged by its extension alone? MB_E_UNSUPPORTED if not. For a check before the work. */
MB_MUST_CHECK MB_API mb_status mb_image_check_path(const char *path, mb_error *err);

/* The file in memory (AUTO: a PNG): *out has *n_bytes bytes and is freed by mb_buffer_free. */
MB_MUST_CHECK MB_API mb_status mb_image_encode(void **out, size_t *n_bytes, const mb_image *image,
                                               const mb_save_options *options, mb_error *err);
MB_API void mb_buffer_free(void *buffer);

/* ================================================================================================================
 * 4. Context and model
 * ================================================================================================================ */

/* Where the networks run. AUTO takes a GPU if there is a usable one, and says through mb_context_device_note why not.
 */
typedef enum mb_device { MB_DEVICE_AUTO = 0, MB_DEVICE_CPU = 1, MB_DEVICE_CUDA = 2 } mb_device;

/* Arithmetic of the networks on a GPU; the CPU always computes in f32. F16 and BF16 are the types of the maps between
 * layers, sums stay f32; TF32 rounds the operands of f32 products to ten bits; BF16 and TF32 need a GPU of sm_80 or
 * newer. A result in 16 bits that is not finite is computed again, once, in a wider type, with a warning. */
typedef enum mb_precision {
    MB_PRECISION_AUTO = 0, /* in options: the context's; in a context: MATTEBOX_PRECISION, else F32 */
    MB_PRECISION_F32 = 1,
    MB_PRECISION_TF32 = 2,
    MB_PRECISION_F16 = 3,
    MB_PRECISION_BF16 = 4
} mb_precision;

/* A message on the way: level 1 warning, 2 information. Called from the thread that called the library. */
typedef void (*mb_log_fn)(void *user, int level, const char *message);

typedef struct mb_context_options {
    size_t size;
    mb_device device;  /* default AUTO. CUDA never falls back: if it is not usable, creating the context fails */
    int threads;       /* workers of each pipeline, the caller included; 0 (default): the processors of this process */
    size_t max_memory; /* bytes that a plan may take (activations + prepared weights); 0 (default): what the machine has
                          free when the plan is made */
    mb_log_fn log;     /* NULL (default): silence */
    void *log_user;
    int device_index;       /* which GPU: 0 (default) is the first */
    mb_precision precision; /* default AUTO. Asked for on a device that cannot, creating the context fails */
} mb_context_options;
MB_API void mb_context_options_init(mb_context_options *options);

typedef struct mb_context mb_context;

/* The machine: device, instruction set, limits. options: may be NULL. Reads MATTEBOX_ISA (ref, generic, avx2, avx512:
 * caps the instruction set) and MATTEBOX_PASSES (none, or -name,-name: switches graph passes off), both for tests.
 * Must outlive the models and pipelines made from it. */
MB_MUST_CHECK MB_API mb_status mb_context_create(mb_context **out, const mb_context_options *options, mb_error *err);
MB_API void mb_context_free(mb_context *context);

MB_API const char *mb_context_device(const mb_context *context); /* "cpu (avx2)", "cuda (...)" */
MB_API const char *
mb_context_device_note(const mb_context *context);        /* why AUTO took the CPU; "" if it did not have to */
MB_API int mb_context_threads(const mb_context *context); /* >= 1 */

/* Weights: read-only, shared by any number of pipelines and threads. Open a model once, not once per picture. */
typedef struct mb_model mb_model;

/* Opens a model by its path or name (see mb_find_model), or "default": what mb_find_default_model finds, else the small
 * network that is linked into this library (also called "demo"; mb_model_info.path is "" then).
 *
 * Maps the .mbw file: milliseconds, whatever its size. Header, table and architecture are checked, the data is not (see
 * mb_model_verify). Errors: MB_E_IO, MB_E_FORMAT (damaged, or no .mbw file: the message tells what it is),
 * MB_E_MISMATCH (a network that this library does not run), MB_E_UNSUPPORTED (a newer format). */
MB_MUST_CHECK MB_API mb_status mb_model_open(mb_model **out, mb_context *context, const char *name, mb_error *err);
/* The same from bytes in memory, which must stay unchanged as long as the model lives. */
MB_MUST_CHECK MB_API mb_status mb_model_open_memory(mb_model **out, mb_context *context, const void *bytes,
                                                    size_t n_bytes, mb_error *err);
MB_API void mb_model_free(mb_model *model);

/* What a model is. Borrowed texts. */
typedef struct mb_model_info {
    const char *path;              /* "" for bytes in memory */
    const char *name;              /* as given when it was converted, or "" */
    const char *architecture;      /* "birefnet", "vitmatte" */
    const char *summary;           /* one line for people: "BiRefNet v2, Swin-L, 221 M parameters, f32" */
    const char *licence;           /* the source's licence, or "" */
    int finds_masks;               /* 1: a photo goes in, a mask comes out (BiRefNet); 0: refines (VITMatte) */
    int input_channels;            /* 3: RGB; 4: RGB + trimap */
    int input_width, input_height; /* recommended size of the network's input */
    int size_multiple;             /* width and height must be multiples of this */
    size_t n_tensors;
    uint64_t n_parameters;
    size_t file_bytes;
} mb_model_info;
MB_API const mb_model_info *mb_model_get_info(const mb_model *model); /* never NULL */

/* A metadata value of the file ("arch.family", "source.sha256" ..., see docs/format.md); NULL if there is none. */
MB_API const char *mb_model_meta(const mb_model *model, const char *key);

/* How far a long task is. Return non-zero from the callback to cancel it (the task returns MB_E_CANCELLED). It is
 * called from within the call, in the thread that made it, some ten times a second or more, so keep it short. */
typedef struct mb_progress {
    double done;       /* 0 .. 1 of the whole task, weighted by its work */
    const char *stage; /* "prepare", "network", "segment", "refine", "compose", "verify" */
    const char *item;  /* what is being worked on (a node of the network ...); may be "" */
} mb_progress;
typedef int (*mb_progress_callback)(void *user, const mb_progress *progress);

/* Reads the whole file and compares every tensor with its checksum. on_progress: may be NULL. */
MB_MUST_CHECK MB_API mb_status mb_model_verify(const mb_model *model, mb_progress_callback on_progress, void *user,
                                               mb_error *err);

/* Where the model called `name` lies: `name` itself if it is a path (contains '/' or ends in ".mbw" and exists), else
 * NAME.mbw in the folders of $MATTEBOX_MODELS (separated by ':'), $XDG_DATA_HOME/mattebox/models (default
 * ~/.local/share), share/mattebox/models beside the program's folder, /usr/local/share and /usr/share.
 * The result is written to `path` (`path_bytes` long). Not found: MB_E_IO, and the message lists every place. */
MB_MUST_CHECK MB_API mb_status mb_find_model(char *path, size_t path_bytes, const char *name, mb_error *err);
/* Where the installed model for "default" lies: default.mbw, birefnet-general.mbw or birefnet-general-lite.mbw in the
 * same folders, else the first .mbw file there, by folder and name, that finds masks. 1: `path` has it; 0: none is
 * installed. */
MB_API int mb_find_default_model(char *path, size_t path_bytes);
/* Folder number i of that search, "" after the last. Written to `path`; returns 0 when there is no such folder. */
MB_API int mb_model_folder(char *path, size_t path_bytes, int i);

/* ================================================================================================================
 * 5. Options
 * ================================================================================================================ */

/* What becomes of the transparency that a photo brings along (RGBA and BGRA pictures). */
typedef enum mb_input_alpha {
    MB_INPUT_ALPHA_KEEP = 0,  /* alpha is at most the photo's own; hidden colours are neither looked at nor kept */
    MB_INPUT_ALPHA_IGNORE = 1 /* as if the photo were opaque: hidden colours may come back */
} mb_input_alpha;
MB_API const char *mb_input_alpha_name(int way); /* "keep", "ignore"; NULL for an unknown number */

/* How a photo becomes the network's input and its output a mask: the published ways, each exact to the byte. */
typedef enum mb_recipe {
    MB_RECIPE_AUTO = 0,          /* LAYERSTYLE for BiRefNet v1 files, MODELCARD for v2 */
    MB_RECIPE_LAYERSTYLE = 1,    /* the node "BiRefNetUltra": bilinear in f32, truncated; brightness 1.01 */
    MB_RECIPE_LAYERSTYLE_V2 = 2, /* the node "BiRefNetUltraV2": Pillow bilinear both ways; brightness 1.08 */
    MB_RECIPE_MODELCARD = 3,     /* the model card: Pillow bilinear in, bicubic back */
    MB_RECIPE_OFFICIAL = 4,      /* the official inference script: bilinear in, aligned bilinear back */
    MB_RECIPE_REMBG = 5          /* rembg: Lanczos both ways, mask stretched to its full range */
} mb_recipe;

/* Where the mask comes from. SALIENCY needs no model: what stands out from the picture's border
 * (docs/models/saliency.md).
 */
typedef enum mb_segmenter {
    MB_SEGMENT_NETWORK = 0,  /* the model */
    MB_SEGMENT_SALIENCY = 1, /* what stands out; the pipeline may have no model */
    MB_SEGMENT_BOTH = 2      /* both: of the candidates made from them, the one of the best score, after GrabCut (see
                              * `grabcut`). More reliable with a small model */
} mb_segmenter;

/* What refines the mask's edge. Relative costs are in docs/edges.md. */
typedef enum mb_detail {
    MB_DETAIL_NONE = 0,           /* the mask as it is */
    MB_DETAIL_GUIDED = 1,         /* guided filter: fast, follows colour edges */
    MB_DETAIL_PYMATTING = 2,      /* closed-form matting: exact for smooth colours, no model needed */
    MB_DETAIL_VITMATTE = 3,       /* VITMatte-S: hair and fur; needs a matting model */
    MB_DETAIL_VITMATTE_LOCAL = 4, /* the same (the node's name for "never download"; this library never does) */
    MB_DETAIL_VITMATTE_BASE = 5   /* VITMatte-B */
} mb_detail;

/* What lies behind the subject. */
typedef enum mb_background {
    MB_BACKGROUND_NONE = 0,    /* nothing: the cut-out is transparent */
    MB_BACKGROUND_COLOUR = 1,  /* a colour; a translucent one gives a translucent picture */
    MB_BACKGROUND_PICTURE = 2, /* another picture, scaled until it covers the photo, the rest cut off */
    MB_BACKGROUND_BLUR = 3     /* the photo's own background, out of focus */
} mb_background;

/* The colours of half-transparent pixels in the cut-out. */
typedef enum mb_foreground {
    MB_FOREGROUND_NONE = 0,      /* the photo's: shows a rim of the old background */
    MB_FOREGROUND_ML = 1,        /* estimated, multi-level: removes the rim */
    MB_FOREGROUND_BLURFUSION = 2 /* estimated by blurring: a little worse on wide soft areas */
} mb_foreground;

/* The parameters of the node "LayerMask: BiRefNetUltra", and ours. Start with mb_options_init. A value out of its range
 * is refused with MB_E_ARGUMENT and a message with the range; nothing is clamped. Flags are 0 or 1. */
typedef struct mb_options {
    size_t size;

    /* ---- the network */
    mb_recipe recipe;       /* default AUTO */
    int input_width;        /* of the network: 1 .. 65536 pixels; default 0: what the model recommends */
    int input_height;       /* 1 .. 65536 pixels; default 0: what the model recommends. Set both or neither */
    mb_precision precision; /* default AUTO: that of the context. The CPU always computes in f32 */

    /* ---- the edge */
    int process_detail;    /* default 1; 0: alpha is the mask, and no option of matting acts, as in the node */
    mb_detail detail;      /* default NONE */
    int erode;             /* 1 .. 255, default 6: width of the trimap's unknown band inside the outline, in steps of
                            * 2.5 pixels */
    int dilate;            /* 1 .. 255, default 6: its width outside the outline */
    double black_point;    /* 0.01 .. 0.98, default 0.01: alpha up to this value becomes 0. Above white_point only with
                            * the LAYERSTYLE recipes, whose nodes accept that */
    double white_point;    /* 0.02 .. 0.99, default 0.99: alpha from this value on becomes 1 */
    double max_megapixels; /* 1 .. 999, default 2 (of 1048576 pixels): VITMatte reduces larger photos to this size */
    mb_foreground foreground; /* default NONE; the program's cut-outs use ML */

    /* ---- what the result holds besides alpha */
    int want_cutout; /* default 1: RGBA, or RGB over an opaque background */
    int want_trimap; /* default 0; 1: the trimap, if the method makes one */

    /* ---- the mask */
    mb_segmenter segment; /* default NETWORK */
    int flip;             /* default 0; 1: mean of the masks of the photo and of its mirror image; twice the time */
    int grabcut;          /* default 0; 1: the mask's outline moves to colour edges (GrabCut) before matting; acts on
                           * masks given to mb_pipeline_refine too */

    /* ---- matting, beyond the node: the defaults are the node's constants */
    int guided_radius;      /* 1 .. 512 pixels, radius of the guided filter; default 0: from erode and dilate */
    double guided_eps;      /* 1e-9 .. 1e6, default 0.015: a smaller value follows fainter edges */
    double guided_scale;    /* 0.01 .. 1, default 1; below: the fast guided filter, coefficients at this scale */
    double matting_epsilon; /* 1e-12 .. 1, default 1e-6: regularisation of closed-form matting */

    /* ---- post-processing of alpha, in this order */
    int min_area;   /* 0 .. 2147483647 pixels, default 0: smaller connected components are dropped */
    int largest;    /* default 0; 1: only the largest connected component stays */
    double feather; /* 0 .. 100 pixels, default 0: standard deviation of a Gaussian blur that softens alpha */
    int invert;     /* default 0; 1: the background stays, the subject goes */

    /* ---- the cut-out */
    int depth;                          /* bits of alpha and cut-out: 8 or 16; default 0: as the photo's */
    int premultiplied;                  /* default 0: straight alpha; 1: colours are multiplied by alpha */
    int clean_transparent;              /* default 0; 1: colours under alpha 0 become 0 */
    mb_background background;           /* default NONE */
    unsigned char background_colour[4]; /* straight RGBA, for COLOUR; mb_parse_colour reads names */
    const mb_image *background_picture; /* for PICTURE: borrowed as long as these options are in use */
    double background_blur; /* for BLUR: standard deviation, 0.3 .. 4096 pixels; default 0: 2 % of the longer
                             * side */
    int linear;             /* default 0: sRGB values; 1: blends with the background in linear light */
    int crop;               /* default 0; 1: all results show the part around alpha above 5 % only */
    int crop_margin;        /* 0 .. 65535 pixels around it, default 0 */

    /* ---- what the caller gives */
    mb_input_alpha input_alpha; /* default KEEP. Acts on photos with alpha */
    int trimap_low;             /* 0 .. 127, default 25: up to this value a given trimap is background */
    int trimap_high;            /* 128 .. 255, default 230: from this value on a given trimap is foreground */
} mb_options;
/* The defaults above. */
MB_API void mb_options_init(mb_options *options);

/* A named set: the nodes' defaults "birefnet-ultra" and "birefnet-ultra-v2", or "small", what the program's built-in
 * small model is used with. Unknown: MB_E_ARGUMENT. */
MB_MUST_CHECK MB_API mb_status mb_options_preset(mb_options *options, const char *name, mb_error *err);
/* The check that every function taking options makes: ranges and combinations. */
MB_MUST_CHECK MB_API mb_status mb_options_check(const mb_options *options, mb_error *err);

/* Straight RGBA of "#rgb", "#rrggbb" (both also with alpha), "r,g,b", "r,g,b,a" or a colour name of CSS. */
MB_MUST_CHECK MB_API mb_status mb_parse_colour(unsigned char rgba[4], const char *text, mb_error *err);

/* Names of values, as the program spells them ("layerstyle-v2", "vitmatte-local"); NULL for an unknown number, so that
 * counting from 0 lists them all. */
MB_API const char *mb_recipe_name(int recipe);
MB_API const char *mb_detail_name(int detail);
MB_API const char *mb_segmenter_name(int segmenter);
MB_API const char *mb_foreground_name(int foreground);
MB_API const char *mb_background_name(int background);
MB_API const char *mb_device_name(int device);
MB_API const char *mb_precision_name(int precision);

/* ================================================================================================================
 * 6. Pipeline
 * ================================================================================================================ */

/* From a photo to its alpha: models, options, plans and the memory they need. Costly to warm up (the first run of a
 * size prepares the weights), cheap to keep: make one per thread and run it for every picture. */
typedef struct mb_pipeline mb_pipeline;

/* model: finds the mask (BiRefNet); NULL if only mb_pipeline_refine will be called, or with MB_SEGMENT_SALIENCY.
 * matting: VITMatte, for the details of that name; may be NULL otherwise. Both are kept and must outlive the pipeline.
 * options: may be NULL, is copied. MB_E_MISMATCH if a model cannot do its part, MB_E_ARGUMENT for a bad option. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_create(mb_pipeline **out, mb_context *context, const mb_model *model,
                                                  const mb_model *matting, const mb_options *options, mb_error *err);
MB_API void mb_pipeline_free(mb_pipeline *pipeline);

/* Other options from the next run on. Plans are kept. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_set_options(mb_pipeline *pipeline, const mb_options *options, mb_error *err);
/* Another colour or picture (borrowed, may be NULL) in place of the options' own, for options with such a background,
 * from the next picture that is finished on: the same background in another photo's colour profile. */
MB_API void mb_pipeline_set_background(mb_pipeline *pipeline, const unsigned char colour[4], const mb_image *picture);
/* Called from within the runs, in the thread that called them. callback: NULL takes it away. */
MB_API void mb_pipeline_set_progress(mb_pipeline *pipeline, mb_progress_callback callback, void *user);

/* What a run gives. Yours: free it with mb_result_free. Pictures have the photo's size, or that of `crop`. */
typedef struct mb_result {
    mb_image mask;   /* grey, 8 bits: the network's mask by the recipe. Empty after mb_pipeline_refine with a trimap */
    mb_image trimap; /* grey, 8 bits: 0 background, 127 unknown, 255 foreground. Empty unless wanted and made */
    mb_image alpha;  /* grey, 8 or 16 bits: the result */
    mb_image cutout; /* RGBA, or RGB over an opaque background, 8 or 16 bits. Empty unless wanted */
    double ms_network, ms_refine, ms_compose;    /* milliseconds; network includes resizing to its size and back */
    double coverage;                             /* mean of alpha, 0 .. 1 */
    int box_x, box_y, box_width, box_height;     /* smallest box around alpha > 0; all 0 if there is none */
    int crop_x, crop_y, crop_width, crop_height; /* the part of the photo that the pictures show */
    size_t peak_bytes;                           /* arena, weights and pictures that the run held at most, as planned */
    char warning[256];                           /* "" or what the user should know, one line */
    double confidence; /* 0 .. 1, how likely the right subject was found; -1: not known, as with a given mask. With
                                * MB_SEGMENT_BOTH the overlap (IoU) with the truth that is expected, else how decided the
                                * mask is along its outline, which is not calibrated (docs/models/default.md) */
    int doubtful;      /* 1: below what is usual for right results: better look at it */
    char confidence_basis[96]; /* what the confidence rests on, one line */
} mb_result;
MB_API void mb_result_free(mb_result *result);

/* Photo in, alpha and cut-out out. photo: any order and depth; its own alpha bounds the result (see input_alpha).
 * Errors: MB_E_MEMORY (before any work, with the bytes needed), MB_E_CANCELLED; afterwards the pipeline is as good as
 * new. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_run(mb_result **out, mb_pipeline *pipeline, const mb_image *photo,
                                               mb_error *err);

/* mb_pipeline_run in two halves, so that pictures overlap: start queues what a GPU does for a picture (the photo goes
 * over and is resized there while the picture before is computed) and returns; finish waits for it, refines and
 * composes, while the GPU goes on with pictures that were started after it. On the CPU all the work is done by finish.
 * Best with two pictures under way: start(0), start(1), finish(0), start(2), finish(1), ...; more are no error. Results
 * are those of mb_pipeline_run. The photo must stay until finish; one thread; all must be finished or freed before the
 * options change or the pipeline goes. What goes wrong with a picture is said by its finish (which always frees it) and
 * does not touch the others. */
typedef struct mb_pending mb_pending;
MB_MUST_CHECK MB_API mb_status mb_pipeline_start(mb_pending **out, mb_pipeline *pipeline, const mb_image *photo,
                                                 mb_error *err);
MB_MUST_CHECK MB_API mb_status mb_pipeline_finish(mb_result **out, mb_pending *pending, mb_error *err);
MB_API void mb_pending_free(mb_pending *pending); /* of one that is not finished; NULL is fine */

/* The refinement alone, for a mask from anywhere: photo and mask (or trimap: trimap_low and trimap_high part it; the
 * other one NULL) of the same size. Pictures that are no plain grey masks go through mb_mask_read first. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_refine(mb_result **out, mb_pipeline *pipeline, const mb_image *photo,
                                                  const mb_image *mask, const mb_image *trimap, mb_error *err);

/* The node's trimap of a mask (any order and depth): only full white counts as foreground. erode, dilate: 1 .. 255. */
MB_MUST_CHECK MB_API mb_status mb_trimap_make(mb_image *out, const mb_image *mask, int erode, int dilate,
                                              mb_error *err);

/* What a run on a photo of this size will take, before any work: nothing is computed, no weight is touched. */
typedef struct mb_plan_info {
    size_t size;                   /* set it to sizeof(mb_plan_info) */
    int input_width, input_height; /* the network's input */
    int n_nodes;
    double macs;          /* multiply-accumulates of the network(s) */
    size_t weight_bytes;  /* weights in the form that runs read */
    size_t arena_bytes;   /* activations and workspaces */
    size_t lower_bound;   /* the largest sum of activations alive at once: no plan can take less */
    size_t picture_bytes; /* photo, masks and results */
    size_t total_bytes;   /* of all that */
} mb_plan_info;
MB_MUST_CHECK MB_API mb_status mb_pipeline_plan(mb_plan_info *out, mb_pipeline *pipeline, int width, int height,
                                                mb_error *err);

/* ================================================================================================================
 * 7. Network
 * ================================================================================================================ */

/* The bare network of a model: float tensors in, float tensors out, any intermediate on request, a profile of every
 * node. For parity checks, research and measuring; pictures go through a pipeline. Belongs to one thread at a time. */
typedef struct mb_network mb_network;

/* The model is kept and must outlive the network. */
MB_MUST_CHECK MB_API mb_status mb_network_create(mb_network **out, mb_context *context, const mb_model *model,
                                                 mb_error *err);
MB_API void mb_network_free(mb_network *network);
MB_API void mb_network_set_progress(mb_network *network, mb_progress_callback callback, void *user);

/* What a run of n inputs of height x width will take. */
MB_MUST_CHECK MB_API mb_status mb_network_plan(mb_plan_info *out, mb_network *network, int64_t n, int64_t height,
                                               int64_t width, mb_error *err);

/* A tensor in memory: row-major floats in the order of dims, [N,C,H,W]. */
typedef struct mb_array {
    const float *data;
    int64_t dims[4];
} mb_array;

/* Runs the network on `input` (normalised as the model wants it; see docs/models). taps: names of intermediates to keep
 * besides the output, as the checkpoint's scopes ("decoder.decoder_block4") or the specification call them ("p4");
 * the one name "all" keeps every node. n_taps may be 0. An unknown name is MB_E_ARGUMENT. Keeping intermediates takes
 * memory and switches off the passes that would have removed them. */
MB_MUST_CHECK MB_API mb_status mb_network_run(mb_network *network, const mb_array *input, const char *const *taps,
                                              int n_taps, mb_error *err);

/* Of the last run: "" or what the user should know, one line (an overflow in 16 bits that was computed again). */
MB_API const char *mb_network_warning(const mb_network *network);

/* Outputs and taps of the last run. Names are borrowed until the next run; NULL beyond the last. */
MB_API int mb_network_n_outputs(const mb_network *network);
MB_API const char *mb_network_output_name(const mb_network *network, int i);
/* The shape [N,C,H,W] of an output or tap. MB_E_ARGUMENT if there is none of that name. */
MB_MUST_CHECK MB_API mb_status mb_network_output_dims(int64_t dims[4], const mb_network *network, const char *name,
                                                      mb_error *err);
/* Its values, row-major in [N,C,H,W]: `dst` has room for `count` floats, which must be the product of its dims. */
MB_MUST_CHECK MB_API mb_status mb_network_read(float *dst, size_t count, const mb_network *network, const char *name,
                                               mb_error *err);

/* The same from file to file (safetensors): reads the tensor `input` [N,C,H,W] f32, writes the outputs and taps.
 * `out_path` is replaced, as a whole or not at all. */
MB_MUST_CHECK MB_API mb_status mb_network_run_file(mb_network *network, const char *in_path, const char *out_path,
                                                   const char *const *taps, int n_taps, mb_error *err);

/* One row of the last run's profile. Borrowed texts. */
typedef struct mb_node_row {
    const char *name;   /* scope, as in the checkpoint */
    const char *op;     /* "conv2d" ... */
    const char *kernel; /* which implementation ran */
    double ms;
    double macs;
    double bytes; /* inputs, weights and output, each counted once */
    int64_t dims[4];
} mb_node_row;
MB_API int mb_network_n_nodes(const mb_network *network);
/* Fills *out; returns 0 if there is no node i or nothing has run. */
MB_API int mb_network_node(mb_node_row *out, const mb_network *network, int i);

/* ================================================================================================================
 * 8. Versions
 * ================================================================================================================ */

MB_API const char *mb_version(void); /* "0.1.0", of the library */
/* What this library was built with: lines of "key: value" (formats read and written, optional libraries, back ends,
 * instruction sets of this machine). Static text, except that the caller's buffer receives it; truncated if too short.
 */
MB_API void mb_build_info(char *text, size_t text_bytes);

#ifdef __cplusplus
}
#endif
#endif
