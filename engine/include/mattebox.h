/* mattebox: background removal with accurate alpha at hair and fur.
 *
 * The only public header of libmattebox, and its manual. The library segments the subject with BiRefNet and refines the
 * edge with VITMatte or a classical matting method. It needs no Python and no machine-learning runtime.
 *
 *     photo --> recipe --> BiRefNet --> mask --> matting --> alpha --> RGBA picture
 *
 * Contents
 *   1. Errors            the status and the message of a call that failed
 *   2. One call          from a photo file to a PNG file
 *   3. Pictures          pixels in memory; reading and writing files
 *   4. Context, model    objects that are opened once and shared
 *   5. Options           every parameter with its range and default
 *   6. Pipeline          load once, run often; plan the memory of a run before it starts
 *   7. Network           the bare network on float tensors: parity checks, research, benchmarks
 *   8. Versions
 *
 * Rules for every call
 *   - A function that can fail returns mb_status and takes an mb_error as its last parameter, which may be NULL.
 *   - "Errors" lists the statuses that a call can return. MB_E_INTERNAL, a bug in mattebox, is never listed.
 *   - Output parameters come first, then inputs. An object returned through a pointer to a pointer is owned by the
 *     caller; after a failure that pointer is NULL. A returned pointer is borrowed from the object it belongs to.
 *   - Inputs are read only, and only during the call, unless the function says that it keeps them.
 *   - Free objects with _free, and structs of your own with _dispose. Both accept NULL and half-built objects.
 *   - Pointers must not be NULL unless the text says "may be NULL".
 *   - Strings are UTF-8. Paths are passed to the system byte by byte.
 *   - A struct whose first field is `size` may grow at its end in later versions. Set `size` to sizeof the struct, or
 *     call its init function. Programs that were compiled with an older or a newer header keep working: fields that one
 *     side does not know are left alone. A `size` below that of the field itself or above 65536, as of a struct that was
 *     not initialised, is MB_E_ARGUMENT. All other structs keep their layout within a major version.
 *   - Flags are 0 or 1. Those of mb_options are checked; elsewhere any other value counts as 1.
 *   - The library never prints, never exits, never touches signals or the locale, and never uses the network. It has no
 *     global state. It reads environment variables only where a function says so.
 *   - Threads: any number of threads may use one mb_context or mb_model at once. Each mb_pipeline, mb_network, mb_image
 *     and mb_result belongs to one thread at a time.
 *   - On the CPU, the same model, picture, options and instruction set give the same bytes with any number of threads.
 */
#ifndef MATTEBOX_H
#define MATTEBOX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__ELF__) || defined(__MACH__) /* on Windows a list beside the library says what it exports */
#define MB_API __attribute__((visibility("default")))
#else
#define MB_API
#endif
#if defined(__GNUC__)
#define MB_MUST_CHECK __attribute__((warn_unused_result))
#else
#define MB_MUST_CHECK
#endif

/* The version of this header. mb_version() returns the version of the library. */
#define MB_VERSION_MAJOR 0
#define MB_VERSION_MINOR 1
#define MB_VERSION_PATCH 0

/* ================================================================================================================
 * 1. Errors
 * ================================================================================================================ */

/* The result of a call that can fail. Compilers warn if it is ignored. */
typedef enum mb_status {
    MB_OK = 0,
    MB_E_ARGUMENT = -1,    /* a parameter or option is invalid or out of range */
    MB_E_MEMORY = -2,      /* an allocation failed, or the plan exceeds the memory limit */
    MB_E_IO = -3,          /* a file could not be read or written */
    MB_E_FORMAT = -4,      /* a file is damaged or is not what it claims to be */
    MB_E_MISMATCH = -5,    /* a valid file of the wrong kind: another architecture, shape or size */
    MB_E_UNSUPPORTED = -6, /* a known feature that this build or machine lacks */
    MB_E_DEVICE = -7,      /* a GPU or one of its libraries is missing or failed */
    MB_E_CANCELLED = -8,   /* a callback of the caller stopped the work */
    MB_E_INTERNAL = -9     /* a bug in mattebox */
} mb_status;

/* The details of an error. Owned by the caller, usually on the stack. It must begin as zeros, `mb_error err = {0};` in C and
 * `mb_error err{};` in C++: the first error is kept, later ones do not overwrite it, so clear it before you use it
 * again. */
typedef struct mb_error {
    mb_status code;
    char message[512]; /* one line of UTF-8; a hint on what to do may follow after a line feed */
} mb_error;

/* The name of a status: "MB_OK", "MB_E_ARGUMENT" ... Never NULL; static. */
MB_API const char *mb_status_name(mb_status status);

/* ================================================================================================================
 * 2. One call
 * ================================================================================================================ */

/* Cuts the subject out of the file `photo` and writes the result to the file `png`, with default options.
 * model: a .mbw file (made by mattebox-weights) or a name, as for mb_model_open; "default" needs no file.
 * png: replaced if it exists, as a whole or not at all. Its extension selects the format, PNG or WebP: mb_save_options.
 *
 * The bytes equal those of the program `mattebox PHOTO`: foreground colours are estimated (MB_FOREGROUND_ML), and the
 * built-in network runs with the preset "small".
 * The call opens the model each time. For more than one picture, use a pipeline (section 6).
 *
 * Errors: those of mb_context_create, mb_model_open, mb_image_load, mb_pipeline_create, mb_pipeline_run and
 * mb_image_save, and MB_E_ARGUMENT if `png` is the photo or the model. */
MB_MUST_CHECK MB_API mb_status mb_cutout_file(const char *model, const char *photo, const char *png, mb_error *err);

/* ================================================================================================================
 * 3. Pictures
 * ================================================================================================================ */

/* The channels of one pixel, in memory order. Alpha is straight: colours are not multiplied by it. */
typedef enum mb_pixels {
    MB_PIXELS_GRAY = 0,
    MB_PIXELS_RGB = 1,
    MB_PIXELS_BGR = 2,
    MB_PIXELS_RGBA = 3,
    MB_PIXELS_BGRA = 4
} mb_pixels;

/* The type of one sample. U16 is in the machine's byte order. F32 is in [0,1]. */
typedef enum mb_depth { MB_DEPTH_U8 = 0, MB_DEPTH_U16 = 1, MB_DEPTH_F32 = 2 } mb_depth;

/* A picture of height x width pixels. Row y starts at (char *)data + y * row_bytes; the top row is first.
 *
 * To pass your own pixels, fill in the fields and leave `owned` NULL; the library never frees them. Pictures from the
 * library have `owned` set; free them with mb_image_dispose. {0} is a valid empty picture. */
typedef struct mb_image {
    void *data;
    int width, height; /* pixels, each >= 1 */
    size_t row_bytes;  /* distance between rows; 0: rows are tightly packed */
    mb_pixels pixels;
    mb_depth depth;
    void *owned; /* NULL for your own pixels; otherwise private to the library */
} mb_image;

/* Allocates a picture with undefined contents and tightly packed rows. Free it with mb_image_dispose.
 * Errors: MB_E_ARGUMENT (a side below 1, an unknown order or depth), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_image_create(mb_image *out, int width, int height, mb_pixels pixels, mb_depth depth,
                                               mb_error *err);

/* Frees pixels that the library allocated and sets the struct to {0}. Your own pixels are not freed. */
MB_API void mb_image_dispose(mb_image *image);

/* Converts `src` into the pixels of `dst`, which must have the same width and height; order, depth and row_bytes may
 * differ. Colour to grey takes the luma. Missing alpha becomes opaque, surplus alpha is dropped. 16 to 8 bits takes the
 * upper byte. F32 x becomes trunc(255 x) in 8 bits and is rounded in 16 bits.
 * Errors: MB_E_ARGUMENT (sizes differ, or one of the pictures is invalid). */
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
    char note[80]; /* "" or what became of a profile of other colours: "its colour profile is for CMYK: dropped" */
} mb_metadata;
MB_API void mb_metadata_init(mb_metadata *metadata);
MB_API void mb_metadata_dispose(mb_metadata *metadata);

/* Converts colours in place from one ICC profile to another (NULL, or without a profile: sRGB), relative colorimetric;
 * alpha, which must be straight, stays. 8 or 16 bits. MB_E_FORMAT: a profile that cannot be used; MB_E_UNSUPPORTED:
 * this build has no Little CMS. */
MB_MUST_CHECK MB_API mb_status mb_image_convert_profile(const mb_image *image, const mb_metadata *from,
                                                        const mb_metadata *to, mb_error *err);

/* Properties of a picture file before it was decoded. The load functions fill it in; set `size` first. */
typedef struct mb_image_source {
    size_t size;       /* sizeof(mb_image_source) */
    char format[16];   /* "jpeg", "png", ... */
    int width, height; /* as stored, before the orientation is applied */
    int channels;      /* as stored: 1 grey or palette, 2 grey + alpha, 3, 4 */
    int bits;          /* per sample, as stored */
    int orientation;   /* EXIF, 1 .. 8; 1 if the file has none. Already applied to the pixels */
    char warning[160]; /* "" or a note for the user: frames ignored, data missing ... */
    int alpha;         /* 1: the file has transparency: an alpha channel, a clear colour or palette entry */
} mb_image_source;

/* Options of reading a picture. Initialise them with mb_load_options_init. */
typedef struct mb_load_options {
    size_t size;
    double max_megapixels;     /* above 0, to 4295, default 500: larger pictures are rejected before decoding */
    int accept_partial;        /* 1: a truncated file gives its complete rows and a warning. Default 0: an error */
    int keep_depth;            /* 1: PNG and PNM files of more than 8 bits are read as 16 bits. Default 0 */
    int (*cancel)(void *user); /* NULL, or called every few rows: non-zero stops with MB_E_CANCELLED */
    void *user;
    int keep_alpha;        /* 1: pictures that are not opaque throughout come as RGBA, alpha straight. Default 0: RGB */
    mb_metadata *metadata; /* NULL (default), or filled with what the file has; an empty one, begun with _init. Grey and
                            * CMYK pictures then come converted to sRGB by their profile (Little CMS) */
    int plain_colours;     /* 1: they do not; default 0 */
    int max_frames;        /* 1 .. 1000000, default 10000: files of more are refused by mb_frames_open */
    size_t max_memory;     /* bytes of pixels: what takes more is refused before it is decoded (MB_E_MEMORY), but never
                            * what takes less than 64 MiB. Default 0: what is free on the machine or in its control
                            * group */
} mb_load_options;
/* Sets the defaults and `size`. */
MB_API void mb_load_options_init(mb_load_options *options);

/* Reads a picture file as 8-bit RGB, 16 bits with keep_depth, RGBA with keep_alpha. The EXIF orientation is applied. Grey, palette,
 * CMYK, 16 bits and alpha are converted like Pillow's convert('RGB'). The contents decide the format, not the name.
 * out: free it with mb_image_dispose. source, options: may be NULL.
 * Errors: MB_E_IO (no such file, or not readable), MB_E_FORMAT (damaged, or not a picture), MB_E_UNSUPPORTED (this
 * build cannot read the format), MB_E_ARGUMENT (larger than max_megapixels, or an invalid option), MB_E_MEMORY,
 * MB_E_CANCELLED. */
MB_MUST_CHECK MB_API mb_status mb_image_load(mb_image *out, mb_image_source *source, const char *path,
                                             const mb_load_options *options, mb_error *err);
/* The same for a file of n_bytes bytes in memory. Errors: as mb_image_load, without MB_E_IO. */
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
    const mb_image
        *photo; /* NULL (default), or the photo itself, upright: such a mask is then recognised by its outline
                                where its shape says nothing (mirrored, upside down, squares) */
} mb_mask_options;
MB_API void mb_mask_options_init(mb_mask_options *options);

/* A grey picture, 8 or 16 bits, for mb_pipeline_refine, from any picture; load files with keep_alpha and keep_depth.
 * Labels (0 and 1; 0, 1 and 2; 8-bit values in 16-bit samples) become levels. note (may be NULL): one line on what was
 * decided, "" where nothing had to be. options: may be NULL. Errors: MB_E_ARGUMENT (another size, no such channel),
 * MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_mask_read(mb_image *out, char *note, size_t note_bytes, const mb_image *src,
                                            const mb_mask_options *options, mb_error *err);

/* Reads format, size and depth from the head of a file, without decoding it. out: set its `size` first.
 * Errors: MB_E_IO (no such file, or not readable), MB_E_MISMATCH (not a picture of a known format), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_image_probe(mb_image_source *out, const char *path, mb_error *err);

/* A file of several pictures: an animation (GIF, APNG, WebP, JPEG XL), pages (TIFF) or a collection (HEIC, AVIF). Any
 * other picture is a file of one frame. One thread at a time. */
typedef struct mb_frames mb_frames;
typedef struct mb_frames_info {
    int n_frames;    /* >= 1 */
    int loops;       /* how often an animation is played; 0: for ever */
    int animated;    /* 1: frames have durations and one size; 0: pages, each with a size of its own */
    char format[16]; /* as in mb_image_source */
} mb_frames_info;

/* Opens a file, or n_bytes bytes in memory, which must stay until mb_frames_free; counts the frames and decodes none.
 * options: may be NULL; max_frames and max_megapixels count here. What is wrong with single frames shows when they are
 * read. Errors: MB_E_IO, MB_E_FORMAT, MB_E_ARGUMENT (more than max_frames), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_frames_open(mb_frames **out, const char *path, const mb_load_options *options,
                                              mb_error *err);
MB_MUST_CHECK MB_API mb_status mb_frames_open_memory(mb_frames **out, const void *bytes, size_t n_bytes,
                                                     const mb_load_options *options, mb_error *err);
MB_API void mb_frames_free(mb_frames *frames);
MB_API const mb_frames_info *mb_frames_get_info(const mb_frames *frames); /* never NULL; borrowed */

/* Reads frame i (0 .. n_frames - 1) as mb_image_load reads pictures; of an animation what a viewer shows, composed with
 * the frames before it. In order each frame is decoded once; going back starts an animation anew. A frame that cannot
 * be read spoils those of an animation that rest on it, not the pages of a document.
 * source, duration_ms, options: may be NULL. Errors: as mb_image_load. */
MB_MUST_CHECK MB_API mb_status mb_frames_read(mb_image *out, mb_image_source *source, double *duration_ms,
                                              mb_frames *frames, int i, const mb_load_options *options, mb_error *err);

/* File formats for writing. AUTO follows the extension of the path: .webp, .jpg or .jpeg, otherwise PNG.
 * JPEG has no alpha. JPEG and WebP have 8 bits per sample, PNG has 8 or 16. */
typedef enum mb_format { MB_FORMAT_AUTO = 0, MB_FORMAT_PNG = 1, MB_FORMAT_WEBP = 2, MB_FORMAT_JPEG = 3 } mb_format;
MB_API const char *mb_format_name(int format); /* "auto", "png" ...; NULL if unknown. Static */

/* Options of writing a picture. Initialise them with mb_save_options_init. */
typedef struct mb_save_options {
    size_t size;
    int overwrite;    /* default 1: an existing file is replaced; 0: it is an error (MB_E_ARGUMENT), even if it appears
                       * during the write */
    int level;        /* 0 .. 9, fast and large to slow and small (zlib's level of PNG, effort of WebP); default 3 */
    mb_format format; /* default AUTO */
    int quality;      /* of JPEG and WebP, 1 .. 100; default 0: 92 for JPEG, lossless for WebP */
    const char *note; /* NULL (default), or a comment for PNG files ("premultiplied alpha") */
    int threads;      /* for PNG compression, 1 .. 1024; default 1: the caller only; 0: all processors */
    const mb_metadata *metadata; /* NULL (default), or what the file shall say: colour pictures get the profile, all
                                  * the resolution (a WebP in its EXIF) and EXIF */
} mb_save_options;
/* Sets the defaults and `size`. */
MB_API void mb_save_options_init(mb_save_options *options);

/* Writes a picture to a file. PNG: 16 bits for pictures of MB_DEPTH_U16, otherwise 8. The data is written to a
 * temporary file in the same folder, flushed to the disk and renamed: `path` is either complete or unchanged. Pipes and
 * devices are written directly. options: may be NULL. Errors: MB_E_ARGUMENT (an invalid picture or option; the file
 * exists and `overwrite` is 0; alpha or a side that JPEG cannot store), MB_E_UNSUPPORTED (this build cannot write the
 * format), MB_E_IO (the folder is missing or not writable, the disk is full), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_image_save(const mb_image *image, const char *path, const mb_save_options *options,
                                             mb_error *err);

/* Checks the extension of an output path, so that a bad one is found before the work. The file is not touched.
 * Errors: MB_E_UNSUPPORTED (this build cannot write files of that extension). */
MB_MUST_CHECK MB_API mb_status mb_image_check_path(const char *path, mb_error *err);

/* Encodes a picture in memory. AUTO means PNG. *out holds *n_bytes bytes; free it with mb_buffer_free.
 * options: may be NULL; `overwrite` is not used. Errors: as mb_image_save, without MB_E_IO. */
MB_MUST_CHECK MB_API mb_status mb_image_encode(void **out, size_t *n_bytes, const mb_image *image,
                                               const mb_save_options *options, mb_error *err);
/* An animation that is being written, PNG (APNG, the default) or WebP by options->format; each frame is compressed when
 * it is added, and decodes to what was added. loops: 0 .. 65535 times, 0: for ever. options: may be NULL; `note` is
 * borrowed, metadata copied.
 * Errors: MB_E_ARGUMENT (another format, loops), MB_E_UNSUPPORTED (WebP without libwebpmux), MB_E_MEMORY. */
typedef struct mb_animation mb_animation;
MB_MUST_CHECK MB_API mb_status mb_animation_create(mb_animation **out, int loops, const mb_save_options *options,
                                                   mb_error *err);
/* All frames have the size, order and depth of the first. Durations are written in whole milliseconds, rounded so that
 * their sum stays right. Errors: MB_E_ARGUMENT (another size, order or depth), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_animation_add(mb_animation *animation, const mb_image *frame, double duration_ms,
                                                mb_error *err);
/* After the last frame: to a file, as mb_image_save does, or to memory, as mb_image_encode. May be repeated, as after a
 * full disk. A frame that could not be added leaves the others as they are. */
MB_MUST_CHECK MB_API mb_status mb_animation_save(mb_animation *animation, const char *path, mb_error *err);
MB_MUST_CHECK MB_API mb_status mb_animation_encode(void **out, size_t *n_bytes, mb_animation *animation, mb_error *err);
MB_API void mb_animation_free(mb_animation *animation);

/* Frees a buffer of mb_image_encode or mb_animation_encode. buffer: may be NULL. */
MB_API void mb_buffer_free(void *buffer);

/* ================================================================================================================
 * 4. Context and model
 * ================================================================================================================ */

/* Where the networks run. AUTO uses a GPU if one is usable; otherwise mb_context_device_note gives the reason. */
typedef enum mb_device { MB_DEVICE_AUTO = 0, MB_DEVICE_CPU = 1, MB_DEVICE_CUDA = 2 } mb_device;

/* Arithmetic of the networks.
 * On a GPU, F16 and BF16 store the maps between layers in 16 bits; sums are f32. TF32 rounds the operands of f32 products
 * to a mantissa of ten bits. BF16 and TF32 need a GPU of compute capability 8.0 (sm_80) or newer. If a 16-bit result is
 * not finite, it is computed once more in a wider type, with a warning.
 * On the CPU, BF16 rounds the operands of matrix products to 16 bits: to bf16, or, where the processor multiplies those
 * faster, to 16-bit integers with one scale per run of values, which are more exact (docs/precision.md). Everything else
 * is f32. With F16 and TF32 the CPU computes in f32.
 * Masks of MB_SEGMENT_BOTH are found in f32 in place of bf16: which of several is used would turn on the last bits. */
typedef enum mb_precision {
    MB_PRECISION_AUTO = 0, /* in mb_options: the context's; in a context: $MATTEBOX_PRECISION, else F32 */
    MB_PRECISION_F32 = 1,
    MB_PRECISION_TF32 = 2,
    MB_PRECISION_F16 = 3,
    MB_PRECISION_BF16 = 4
} mb_precision;

/* Receives log messages. level: 1 warning, 2 information. message: valid during the call. Called in the thread that
 * called the library. */
typedef void (*mb_log_fn)(void *user, int level, const char *message);

/* Options of a context. Initialise them with mb_context_options_init. */
typedef struct mb_context_options {
    size_t size;
    mb_device device;  /* default AUTO. With CUDA, an unusable GPU is an error; there is no fallback to the CPU */
    int threads;       /* of each pipeline, the caller included, 1 .. 1024; default 0: one per available processor */
    size_t max_memory; /* limit of a run in bytes; default 0: the memory that is free when the run is planned */
    mb_log_fn log;     /* default NULL: no messages */
    void *log_user;    /* passed to `log` */
    int device_index;  /* number of the GPU, 0 .. 999; default 0 */
    mb_precision precision; /* default AUTO. With CUDA, a GPU that does not support it is an error */
    int fast;               /* 1: AUTO means BF16 on a CPU with instructions for it; default 0: AUTO means F32 */
} mb_context_options;
/* Sets the defaults and `size`. */
MB_API void mb_context_options_init(mb_context_options *options);

/* The machine: device, instruction set and limits. It must outlive the models, pipelines and networks made from it. */
typedef struct mb_context mb_context;

/* Creates a context. options: may be NULL.
 * Environment: MATTEBOX_PRECISION (f32, tf32, f16, bf16). For tests: MATTEBOX_ISA (ref, generic, avx2, avx512,
 * avx512_vnni, avx512_bf16, amx: the highest instruction set to use), and MATTEBOX_PASSES (none, or -name,-name: graph passes to skip), which pipelines and
 * networks read; an unknown pass is MB_E_ARGUMENT when they plan.
 * Errors: MB_E_ARGUMENT (an option out of range, or an unknown value of MATTEBOX_PRECISION or MATTEBOX_ISA),
 * MB_E_UNSUPPORTED (the processor lacks the instruction set of MATTEBOX_ISA), MB_E_DEVICE (only with MB_DEVICE_CUDA: no
 * usable GPU, or it lacks the precision), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_context_create(mb_context **out, const mb_context_options *options, mb_error *err);
/* Free the models, pipelines and networks of the context first. */
MB_API void mb_context_free(mb_context *context);

MB_API const char *mb_context_device(const mb_context *context);      /* "cpu (avx2)", "cuda (...)" */
MB_API const char *mb_context_device_note(const mb_context *context); /* the reason why AUTO uses no GPU, or "" */
MB_API int mb_context_threads(const mb_context *context);             /* threads of each pipeline, >= 1 */

/* The weights of a network: read-only, shared by any number of pipelines and threads. Open a model once and use it for
 * all pictures. */
typedef struct mb_model mb_model;

/* Opens a model by path or name (see mb_find_model). "default" opens the model of mb_find_default_model, or, if none is
 * installed, the small network that is linked into the library; mb_model_info.path is then "". "demo" opens a file of
 * that name or else the built-in network.
 *
 * The .mbw file is mapped into memory, which takes milliseconds at any size; do not change it while the model is open.
 * Header, tensor table and architecture are checked. The data is not: see mb_model_verify.
 * Errors: MB_E_IO (not found, or not readable), MB_E_FORMAT (damaged, or not a .mbw file: the message names the format
 * it recognises), MB_E_MISMATCH (an architecture that this library does not run), MB_E_UNSUPPORTED (another format
 * version or byte order), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_model_open(mb_model **out, mb_context *context, const char *name, mb_error *err);
/* The same for a .mbw file of n_bytes bytes in memory. The bytes are not copied: keep them unchanged until
 * mb_model_free. Errors: as mb_model_open, without MB_E_IO. */
MB_MUST_CHECK MB_API mb_status mb_model_open_memory(mb_model **out, mb_context *context, const void *bytes,
                                                    size_t n_bytes, mb_error *err);
/* Free the pipelines and networks of the model first. */
MB_API void mb_model_free(mb_model *model);

/* Facts about a model. The strings are borrowed from it. */
typedef struct mb_model_info {
    const char *path;              /* "" for bytes in memory */
    const char *name;              /* the name it was converted with, or "" */
    const char *architecture;      /* "birefnet", "vitmatte" */
    const char *summary;           /* one line to show: "BiRefNet v2, Swin-L, 221 M parameters, f32" */
    const char *licence;           /* of the weights, as the source states it, or "" */
    int finds_masks;               /* 1: photo to mask (BiRefNet); 0: photo and trimap to alpha (VITMatte) */
    int input_channels;            /* 3: RGB; 4: RGB + trimap */
    int input_width, input_height; /* recommended size of the network's input */
    int size_multiple;             /* width and height of the input must be multiples of this */
    size_t n_tensors;
    uint64_t n_parameters;
    size_t file_bytes;
} mb_model_info;
MB_API const mb_model_info *mb_model_get_info(const mb_model *model); /* never NULL; borrowed */

/* A metadata value of the file ("arch.family", "source.sha256" ..., see docs/format.md). Borrowed; NULL if the file
 * does not have the key. */
MB_API const char *mb_model_meta(const mb_model *model, const char *key);

/* Progress of a long call. The callback runs in the thread that made the call, ten times a second or more often; keep
 * it short. If it returns non-zero, the call stops and returns MB_E_CANCELLED.
 * The first run of a size prepares weights; a single preparation may take some tenths of a second without a call. */
typedef struct mb_progress {
    double done;       /* share of the work that is done, 0 .. 1 */
    const char *stage; /* "prepare", "network", "segment", "refine", "compose", "verify" */
    const char *item;  /* the part that is running, such as a node of the network; may be "" */
} mb_progress;
typedef int (*mb_progress_callback)(void *user, const mb_progress *progress);

/* Reads the whole file and compares every tensor with its checksum. on_progress: may be NULL. user: passed to it.
 * Errors: MB_E_FORMAT (a checksum differs: the file is damaged), MB_E_CANCELLED. */
MB_MUST_CHECK MB_API mb_status mb_model_verify(const mb_model *model, mb_progress_callback on_progress, void *user,
                                               mb_error *err);

/* Finds the file of the model `name`. A path (it contains '/', or ends in ".mbw" and exists) is returned as it is.
 * Otherwise the file is NAME.mbw in the first of these folders that has it: those of $MATTEBOX_MODELS (separated by
 * ':'), $XDG_DATA_HOME/mattebox/models (default ~/.local/share), `models` beside the program, share/mattebox/models
 * beside the program's folder, mattebox/models in /usr/local/share and in /usr/share.
 * path: receives the path, up to path_bytes bytes with the final 0.
 * Errors: MB_E_IO (not found: the message lists the folders), MB_E_ARGUMENT (the path is longer than path_bytes),
 * MB_E_MEMORY (the system has none to look at a file). */
MB_MUST_CHECK MB_API mb_status mb_find_model(char *path, size_t path_bytes, const char *name, mb_error *err);
/* Finds the installed model that "default" opens: default.mbw, birefnet-general.mbw or birefnet-general-lite.mbw in the
 * same folders, else the first .mbw file there, by folder and name. It is one that turns photos into masks (finds_masks);
 * files of those names that do not are passed over.
 * Returns 1 and writes `path`, or returns 0 if none is installed. */
MB_API int mb_find_default_model(char *path, size_t path_bytes);
/* Writes folder number i (from 0) of that search to `path` and returns 1. After the last one it writes "" and returns
 * 0. */
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

/* Pre- and postprocessing of the network: how a photo becomes its input and its output a mask. Each recipe equals a
 * published implementation byte for byte. */
typedef enum mb_recipe {
    MB_RECIPE_AUTO = 0,          /* LAYERSTYLE for BiRefNet v1 files, MODELCARD for v2 */
    MB_RECIPE_LAYERSTYLE = 1,    /* the LayerStyle node "BiRefNetUltra": bilinear in f32, truncated; brightness 1.01 */
    MB_RECIPE_LAYERSTYLE_V2 = 2, /* the LayerStyle node "BiRefNetUltraV2": Pillow bilinear both ways; brightness 1.08 */
    MB_RECIPE_MODELCARD = 3,     /* the model card: Pillow bilinear in, bicubic back */
    MB_RECIPE_OFFICIAL = 4,      /* the official inference script: bilinear in, aligned bilinear back */
    MB_RECIPE_REMBG = 5          /* rembg: Lanczos both ways, mask stretched to its full range */
} mb_recipe;

/* The source of the mask. Saliency detection selects the regions that differ from the picture's border; it needs no
 * model (docs/models/saliency.md). */
typedef enum mb_segmenter {
    MB_SEGMENT_NETWORK = 0,  /* the model */
    MB_SEGMENT_SALIENCY = 1, /* saliency detection; the pipeline needs no model */
    MB_SEGMENT_BOTH = 2      /* both: candidate masks are made from the two and refined by GrabCut; the one with
                              * the best score is used. More reliable with a small model */
} mb_segmenter;

/* The matting method that refines the edge of the mask. docs/edges.md compares quality and cost. */
typedef enum mb_detail {
    MB_DETAIL_NONE = 0,           /* none: alpha is the mask */
    MB_DETAIL_GUIDED = 1,         /* guided filter: fast, follows colour edges */
    MB_DETAIL_PYMATTING = 2,      /* closed-form matting: accurate where colours vary smoothly; needs no model */
    MB_DETAIL_VITMATTE = 3,       /* VITMatte-S: hair and fur; needs a matting model */
    MB_DETAIL_VITMATTE_LOCAL = 4, /* the same network, under the name of the LayerStyle node for local files */
    MB_DETAIL_VITMATTE_BASE = 5   /* VITMatte-B: larger and slower */
} mb_detail;

/* The background behind the subject. */
typedef enum mb_background {
    MB_BACKGROUND_NONE = 0,    /* none: the cut-out is transparent */
    MB_BACKGROUND_COLOUR = 1,  /* background_colour; a translucent colour gives a translucent picture */
    MB_BACKGROUND_PICTURE = 2, /* background_picture, scaled to cover the photo and cropped to it */
    MB_BACKGROUND_BLUR = 3     /* the photo's own background, blurred */
} mb_background;

/* The colours of translucent pixels in the cut-out. */
typedef enum mb_foreground {
    MB_FOREGROUND_NONE = 0,      /* the photo's colours: the old background shows as a rim */
    MB_FOREGROUND_ML = 1,        /* multi-level estimation: removes the rim */
    MB_FOREGROUND_BLURFUSION = 2 /* blur fusion: faster, a little worse on wide soft areas */
} mb_foreground;

/* The options of a run: the parameters of the ComfyUI LayerStyle node "LayerMask: BiRefNetUltra", and some of our own.
 * Initialise them with mb_options_init. A value out of range is MB_E_ARGUMENT, and the message states the range; no
 * value is clamped. Flags are 0 or 1. */
typedef struct mb_options {
    size_t size;

    /* ---- the network */
    mb_recipe recipe;       /* default AUTO */
    int input_width;        /* of the network, 1 .. 65536 pixels; default 0: the model's */
    int input_height;       /* 1 .. 65536 pixels; default 0: the model's. Set both or neither */
    mb_precision precision; /* default AUTO: the context's. */

    /* ---- the edge */
    int process_detail;    /* default 1; 0: no matting, alpha is the mask; the matting options have no effect */
    mb_detail detail;      /* default NONE */
    int erode;             /* 1 .. 255, default 6: the trimap's unknown band inside the outline, about
                            * 2.5 (erode - 1) pixels wide; GUIDED and PYMATTING use the sum of both */
    int dilate;            /* 1 .. 255, default 6: the same outside the outline */
    double black_point;    /* 0.01 .. 0.98, default 0.01: alpha up to this value becomes 0. Only the LAYERSTYLE recipes
                            * accept a value above white_point, as the LayerStyle nodes do */
    double white_point;    /* 0.02 .. 0.99, default 0.99: alpha from this value on becomes 1 */
    double max_megapixels; /* 1 .. 999, default 2 (of 1048576 pixels): VITMatte reduces larger photos to this size */
    mb_foreground foreground; /* default NONE; mb_cutout_file and the program use ML */

    /* ---- results besides alpha */
    int want_cutout; /* default 1: RGBA, or RGB over an opaque background */
    int want_trimap; /* default 0; 1: the trimap, if the matting method makes one */

    /* ---- the mask */
    mb_segmenter segment; /* default NETWORK */
    int flip;             /* default 0; 1: average the masks of the photo and of its mirror image; twice the time */
    int grabcut;          /* default 0; 1: move the mask's outline to colour edges (GrabCut) before matting; also for
                           * the masks of mb_pipeline_refine */

    /* ---- matting, beyond the LayerStyle node: the defaults are its constants */
    int guided_radius;      /* 1 .. 512 pixels, radius of the window; default 0: derived from erode and dilate */
    double guided_eps;      /* 1e-9 .. 1e6, default 0.015: regularisation; a smaller value follows fainter edges */
    double guided_scale;    /* 0.01 .. 1, default 1; below 1 the fast guided filter: coefficients at this scale */
    double matting_epsilon; /* 1e-12 .. 1, default 1e-6: regularisation of closed-form matting */

    /* ---- post-processing of alpha, in this order */
    int min_area;   /* 0 .. 2147483647 pixels, default 0: connected components below this area are removed */
    int largest;    /* default 0; 1: keep only the largest connected component */
    double feather; /* 0 .. 100 pixels, default 0: standard deviation of a Gaussian blur that softens alpha */
    int invert;     /* default 0; 1: invert alpha: keep the background, remove the subject */

    /* ---- the cut-out */
    int depth;                          /* bits per sample of alpha and cut-out, 8 or 16; default 0: the photo's */
    int premultiplied;                  /* default 0: straight alpha; 1: multiply colours by alpha */
    int clean_transparent;              /* default 0; 1: set colours to 0 where alpha is 0 */
    mb_background background;           /* default NONE */
    unsigned char background_colour[4]; /* straight RGBA, for COLOUR; mb_parse_colour reads names */
    const mb_image *background_picture; /* for PICTURE: borrowed while these options are in use */
    double background_blur; /* for BLUR: standard deviation, 0.3 .. 4096 pixels; default 0: 2 % of the longer
                             * side */
    int linear;             /* default 0: blend with the background in sRGB values; 1: in linear light */
    int crop;               /* default 0; 1: crop all results to the box around alpha above 5 % */
    int crop_margin;        /* 0 .. 65535 pixels around that box, default 0 */

    /* ---- what the caller gives */
    mb_input_alpha input_alpha; /* default KEEP. Acts on photos with alpha */
    int trimap_low;             /* 0 .. 127, default 25: up to this value a given trimap is background */
    int trimap_high;            /* 128 .. 255, default 230: from this value on a given trimap is foreground */
} mb_options;
/* Sets the defaults and `size`. */
MB_API void mb_options_init(mb_options *options);

/* Sets all options to a named preset: "birefnet-ultra" or "birefnet-ultra-v2" (the defaults of the LayerStyle nodes),
 * or "small" (for the built-in network). Errors: MB_E_ARGUMENT (an unknown name). */
MB_MUST_CHECK MB_API mb_status mb_options_preset(mb_options *options, const char *name, mb_error *err);
/* Checks ranges and combinations. Every function that takes mb_options does the same check.
 * Errors: MB_E_ARGUMENT (the message names the field and its range). */
MB_MUST_CHECK MB_API mb_status mb_options_check(const mb_options *options, mb_error *err);

/* Parses a colour: "#rgb", "#rgba", "#rrggbb", "#rrggbbaa", "r,g,b", "r,g,b,a" or a CSS colour name.
 * rgba: receives straight RGBA, 0 .. 255 each. Errors: MB_E_ARGUMENT (not a colour). */
MB_MUST_CHECK MB_API mb_status mb_parse_colour(unsigned char rgba[4], const char *text, mb_error *err);

/* The names of enum values, as on the command line ("layerstyle-v2", "vitmatte-local"). Static; NULL for an unknown
 * number, so counting from 0 lists them all. */
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

/* Turns photos into alpha and cut-outs. It holds the models, the options, the execution plans and their memory.
 * The first run at an input size prepares the weights and is slow; later runs reuse them. Make one pipeline per thread
 * and keep it for all pictures. */
typedef struct mb_pipeline mb_pipeline;

/* Creates a pipeline.
 * context: kept; must outlive the pipeline.
 * model: the network that makes the mask (BiRefNet). Kept; must outlive the pipeline. May be NULL with
 *   MB_SEGMENT_SALIENCY or if only mb_pipeline_refine is called.
 * matting: VITMatte, for the MB_DETAIL_VITMATTE methods; else may be NULL. Kept; must outlive the pipeline.
 * options: copied (background_picture is borrowed); may be NULL.
 * Errors: MB_E_MISMATCH (a model of the wrong kind), MB_E_ARGUMENT (an invalid option, or a VITMatte method without
 * `matting`), MB_E_DEVICE (the GPU does not support options.precision), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_create(mb_pipeline **out, mb_context *context, const mb_model *model,
                                                  const mb_model *matting, const mb_options *options, mb_error *err);
/* Finish or free its pending pictures first. */
MB_API void mb_pipeline_free(mb_pipeline *pipeline);

/* Sets the options of the following runs. They are copied. Plans are kept, unless the precision changes. After an error
 * the old options stay in force.
 * Errors: MB_E_ARGUMENT (an invalid option, a VITMatte method without a matting model, or pictures that are started and
 * not finished), MB_E_DEVICE (the GPU does not support options.precision), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_set_options(mb_pipeline *pipeline, const mb_options *options, mb_error *err);
/* Another colour or picture (borrowed, may be NULL) in place of the options' own, for options with such a background,
 * from the next picture that is finished on: the same background in another photo's colour profile. */
MB_API void mb_pipeline_set_background(mb_pipeline *pipeline, const unsigned char colour[4], const mb_image *picture);
/* Sets the progress callback of the following runs (see mb_progress). callback: NULL removes it. user: passed to it. */
MB_API void mb_pipeline_set_progress(mb_pipeline *pipeline, mb_progress_callback callback, void *user);

/* The result of a run. Free it with mb_result_free. Its pictures have the size of the photo, or of its crop. */
typedef struct mb_result {
    mb_image mask;   /* grey, 8 bits: the mask before matting. Empty after mb_pipeline_refine with a trimap */
    mb_image trimap; /* grey, 8 bits: 0 background, 127 unknown, 255 foreground. Empty unless want_trimap is set
                      * and the method makes one, or one was given, which is then returned in these three values */
    mb_image alpha;  /* grey, 8 or 16 bits */
    mb_image cutout; /* RGBA, or RGB over an opaque background, 8 or 16 bits. Empty unless want_cutout is set */
    double ms_network, ms_refine, ms_compose;    /* milliseconds; ms_network includes resizing to the input and back */
    double coverage;                             /* mean of alpha, 0 .. 1 */
    int box_x, box_y, box_width, box_height;     /* smallest box around alpha > 0; all 0 if alpha is 0 everywhere */
    int crop_x, crop_y, crop_width, crop_height; /* the part of the photo that the pictures cover */
    /* planned peak of the run: activations, weights and pictures, the caller's among them; with MB_DETAIL_PYMATTING raised
     * to what the mask's unknown pixels took */
    size_t peak_bytes;
    char warning[256]; /* "" or one line for the user */
    /* 0 .. 1, how likely the right subject was found, 0 where none was; -1: not known, as with a given mask. With
     * MB_SEGMENT_BOTH the overlap (IoU) with the truth that is expected, else how decided the mask is along its outline,
     * which is not calibrated (docs/models/default.md) */
    double confidence;
    int doubtful;              /* 1: below what is usual for right results: better look at it */
    char confidence_basis[96]; /* what the confidence rests on, one line */
} mb_result;
/* Frees the result and its pictures. */
MB_API void mb_result_free(mb_result *result);

/* Makes alpha and cut-out of a photo. photo: any order and depth; its own alpha bounds the result (input_alpha).
 * Errors: MB_E_ARGUMENT (an invalid picture, an input size that the network cannot take, or a pipeline without a
 * model), MB_E_MEMORY (checked before the work; the message states the bytes needed. How many pixels
 * MB_DETAIL_PYMATTING has to solve shows with the mask: that part is checked then, before the solution), MB_E_CANCELLED
 * (by the progress callback), MB_E_FORMAT (the weights give NaN or infinity, or a tensor is missing), MB_E_DEVICE (the GPU failed; with
 * MB_DEVICE_AUTO the run is repeated on the CPU, with a warning). After any error the pipeline can be used again. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_run(mb_result **out, mb_pipeline *pipeline, const mb_image *photo,
                                               mb_error *err);

/* mb_pipeline_run in two halves, so that a GPU and the CPU work on different pictures at once. mb_pipeline_start
 * uploads the photo, queues the GPU's work and returns. mb_pipeline_finish waits for it, then refines and composes on
 * the CPU while the GPU works on the pictures that were started later. Without a GPU, finish does all the work.
 *
 * Two pictures in flight are best: start(0), start(1), finish(0), start(2), finish(1), ... More are allowed. The
 * results equal those of mb_pipeline_run. Keep the photo until finish. All calls come from one thread. Finish or free
 * every pending picture before you set options or free the pipeline. */
typedef struct mb_pending mb_pending;
/* Starts a picture. *out: pass it to mb_pipeline_finish or mb_pending_free. Errors: MB_E_MEMORY; all other errors of
 * the picture are returned by mb_pipeline_finish. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_start(mb_pending **out, mb_pipeline *pipeline, const mb_image *photo,
                                                 mb_error *err);
/* Completes a picture and frees `pending`, also on failure. *out: free it with mb_result_free. Errors: as
 * mb_pipeline_run, of this picture alone; other pictures are not affected. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_finish(mb_result **out, mb_pending *pending, mb_error *err);
/* Drops a picture that was started and will not be finished. pending: may be NULL. */
MB_API void mb_pending_free(mb_pending *pending);

/* Matting and composition with a mask or trimap of the caller; no segmentation network runs. Pass exactly one of `mask`
 * and `trimap`, NULL for the other, in the size of the photo. trimap: trimap_low and trimap_high part it. PYMATTING and
 * the VITMATTE methods solve it; with NONE (the default of mb_options) and GUIDED what is unknown stays grey, with a
 * warning, and erode and dilate, grabcut and, with PYMATTING, the two points have nothing to act on.
 * Pictures that are no plain grey masks go through mb_mask_read first. *out: free it with mb_result_free.
 * Errors: MB_E_ARGUMENT (both or neither given, sizes differ, or an invalid picture); otherwise as mb_pipeline_run. */
MB_MUST_CHECK MB_API mb_status mb_pipeline_refine(mb_result **out, mb_pipeline *pipeline, const mb_image *photo,
                                                  const mb_image *mask, const mb_image *trimap, mb_error *err);

/* Makes the trimap of the LayerStyle node from a mask of any order and depth: 0 background, 127 unknown, 255
 * foreground. Only full white in the mask is foreground; grey outside of the unknown band is background. erode, dilate:
 * 1 .. 255, as in mb_options; 1 and 1 leave nothing unknown. out: grey, 8 bits; free it with mb_image_dispose. Errors: MB_E_ARGUMENT (an invalid picture, or a width out of range), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_trimap_make(mb_image *out, const mb_image *mask, int erode, int dilate,
                                              mb_error *err);

/* Changes a mask by rough strokes, before mb_pipeline_refine. strokes: white (luma of 192 or more) belongs to the subject,
 * black (below 64) does not; what lies between, or is transparent, says nothing. Any order, depth and size: they are
 * scaled to the photo. The edge of what a stroke means is looked for in the photo (GrabCut around the strokes), and
 * nothing changes that does not hang together with a stroke. mask: of the photo's size. out: grey, 8 bits; free it with
 * mb_image_dispose. Takes up to a second, in the calling thread. Errors: MB_E_ARGUMENT (an invalid picture, or mask and
 * photo differ in size), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_mask_apply_strokes(mb_image *out, const mb_image *mask, const mb_image *photo,
                                                     const mb_image *strokes, mb_error *err);

/* The work and memory of a run. Set `size` before you pass it. */
typedef struct mb_plan_info {
    size_t size;                   /* sizeof(mb_plan_info) */
    int input_width, input_height; /* the network's input */
    int n_nodes;                   /* of the optimised graph */
    double macs;                   /* multiply-accumulates of the networks */
    size_t weight_bytes;           /* prepared weights: packed as the kernels read them */
    size_t arena_bytes;            /* activations and workspaces */
    size_t lower_bound;            /* largest sum of activations alive at one node; no plan can need less */
    size_t picture_bytes; /* photo (the caller's and a copy), masks, results, and the largest stage's scratch */
    size_t total_bytes;   /* weights, arena and pictures */
} mb_plan_info;
/* Plans a run on a photo of width x height pixels, with the options in force. Nothing is computed and no weight is
 * read. For MB_DETAIL_PYMATTING an outline of ordinary length is planned; a soft mask may take far more (mb_pipeline_run).
 * Errors: MB_E_ARGUMENT (a side below 1, or an input size that the network cannot take), MB_E_FORMAT (the model
 * lacks a tensor), MB_E_MEMORY (the sizes overflow, or an allocation failed). */
MB_MUST_CHECK MB_API mb_status mb_pipeline_plan(mb_plan_info *out, mb_pipeline *pipeline, int width, int height,
                                                mb_error *err);

/* ================================================================================================================
 * 7. Network
 * ================================================================================================================ */

/* The network of a model without pre- and postprocessing: float tensors in and out, any intermediate tensor, and a
 * profile of every node. For parity checks, research and benchmarks; use a pipeline for pictures. It belongs to one
 * thread at a time. */
typedef struct mb_network mb_network;

/* Creates a network. context, model: kept; both must outlive the network. Errors: MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_network_create(mb_network **out, mb_context *context, const mb_model *model,
                                                 mb_error *err);
/* Frees the network, its plan and its outputs. */
MB_API void mb_network_free(mb_network *network);
/* Sets the progress callback of the following runs (see mb_progress). callback: NULL removes it. user: passed to it. */
MB_API void mb_network_set_progress(mb_network *network, mb_progress_callback callback, void *user);

/* Plans a run on a batch of n (1 .. 4096) inputs of height x width. Nothing is computed.
 * Errors: MB_E_ARGUMENT (n out of range; a side that is not a multiple of size_multiple or exceeds 65536), MB_E_FORMAT
 * (the model lacks a tensor), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_network_plan(mb_plan_info *out, mb_network *network, int64_t n, int64_t height,
                                               int64_t width, mb_error *err);

/* A float tensor in memory, dense and row-major. dims: [N,C,H,W]. */
typedef struct mb_array {
    const float *data;
    int64_t dims[4];
} mb_array;

/* Runs the network. input: [N,C,H,W], normalised for the model (docs/models); read during the call.
 * taps: names of intermediate tensors to keep beside the output, either scopes of the checkpoint
 * ("decoder.decoder_block4") or names of docs/models ("p4"); the single name "all" keeps every node. n_taps may be 0.
 * Taps take memory and disable the graph passes that would remove them.
 * Errors: MB_E_ARGUMENT (a shape that the model does not take, or an unknown tap), MB_E_MEMORY (the plan exceeds
 * max_memory, or an allocation failed), MB_E_CANCELLED, MB_E_FORMAT (a tensor is missing, or the result is not finite
 * although the input is; not checked with taps), MB_E_DEVICE (the GPU failed). */
MB_MUST_CHECK MB_API mb_status mb_network_run(mb_network *network, const mb_array *input, const char *const *taps,
                                              int n_taps, mb_error *err);

/* The warning of the last run: one line, such as a 16-bit overflow that was computed again, or "". Borrowed until the
 * next run. */
MB_API const char *mb_network_warning(const mb_network *network);

/* The number of outputs and taps of the last run; 0 before the first. Output i has a name, borrowed until the next run;
 * NULL if there is no output i. */
MB_API int mb_network_n_outputs(const mb_network *network);
MB_API const char *mb_network_output_name(const mb_network *network, int i);
/* Writes the shape [N,C,H,W] of an output or tap of the last run to `dims`; all 0 on failure.
 * Errors: MB_E_ARGUMENT (the last run kept no tensor of that name). */
MB_MUST_CHECK MB_API mb_status mb_network_output_dims(int64_t dims[4], const mb_network *network, const char *name,
                                                      mb_error *err);
/* Copies an output or tap of the last run to `dst`, row-major in [N,C,H,W]. count: floats in `dst`; it must equal the
 * product of the dims. Errors: MB_E_ARGUMENT (no tensor of that name, or another count). */
MB_MUST_CHECK MB_API mb_status mb_network_read(float *dst, size_t count, const mb_network *network, const char *name,
                                               mb_error *err);

/* mb_network_run from one safetensors file to another: reads the tensor `input`, f32 [N,C,H,W], and writes all outputs
 * and taps as f32. out_path: replaced if it exists, as a whole or not at all.
 * Errors: as mb_network_run, and MB_E_IO (a file cannot be read or written), MB_E_FORMAT (not a safetensors file),
 * MB_E_MISMATCH (no tensor `input` of that type and rank), MB_E_ARGUMENT (out_path is in_path). */
MB_MUST_CHECK MB_API mb_status mb_network_run_file(mb_network *network, const char *in_path, const char *out_path,
                                                   const char *const *taps, int n_taps, mb_error *err);

/* One node in the profile of the last run. The strings are borrowed until the next run. */
typedef struct mb_node_row {
    const char *name;   /* scope in the checkpoint */
    const char *op;     /* "conv2d" ... */
    const char *kernel; /* the implementation that ran */
    double ms;          /* time of the last run */
    double macs;        /* multiply-accumulates */
    double bytes;       /* inputs, weights and output, each counted once */
    int64_t dims[4];    /* output shape, [N,C,H,W] */
} mb_node_row;
/* The number of nodes of the last run, after all graph passes; 0 before the first. */
MB_API int mb_network_n_nodes(const mb_network *network);
/* Fills *out with node i and returns 1; returns 0 if there is no such node. */
MB_API int mb_network_node(mb_node_row *out, const mb_network *network, int i);

/* What the machine reaches at most with the context's threads: what a profile can be held against. Set `size` before
 * you pass it. The names are static. */
typedef struct mb_peak {
    size_t size;          /* sizeof(mb_peak) */
    double macs;          /* f32 multiply-adds a second, nothing coming from memory */
    double macs16;        /* the same of the instruction for 16-bit products; 0 if the context computes in f32 */
    double bytes;         /* a second, read and written, by a copy of 96 MB */
    const char *kernel;   /* the nodes whose mb_node_row.kernel is not kernel16 run these instructions: "avx512" */
    const char *kernel16; /* those that are: "avx512_vnni", "amx"; "" in f32 */
} mb_peak;
/* Measures that, in some tenths of a second and with 200 MB. Errors: MB_E_ARGUMENT (`size`), MB_E_UNSUPPORTED (the
 * context is that of a GPU), MB_E_MEMORY. */
MB_MUST_CHECK MB_API mb_status mb_context_measure_peak(mb_peak *out, const mb_context *context, mb_error *err);

/* ================================================================================================================
 * 8. Versions
 * ================================================================================================================ */

MB_API const char *mb_version(void); /* of the library, "0.1.0"; static */
/* Writes the build configuration to `text`, up to text_bytes bytes with the final 0: lines of "key: value" (formats
 * read and written, optional libraries, back ends, instruction sets of this machine). Truncated if the buffer is too
 * short. */
MB_API void mb_build_info(char *text, size_t text_bytes);

#ifdef __cplusplus
}
#endif
#endif
