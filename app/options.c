/* The table of options. Options of the library come from its own table,
 * engine/options/options.def; the rows here are what the program alone has, or what one option makes of
 * several fields.
 *
 * Both kinds of rows have the same form, so parser and help need not know where a row comes from. A row of
 * the library's table becomes: `field` inside args.options, the range and names of the table, and
 * library_bytes, which says that the value is to be copied into the library's options when it was given. */
#include "args.h"
#include "raw_frames.h"

/* Columns of a row: where the value goes, its range, and the sets of commands that share an option. */
#define FIELD(f)           offsetof(args, f)
#define RANGE(least, most) (&(const option_range){least, most})
#define GIVEN              (CMD_MATTE | CMD_REFINE) /* the mask comes from a file */
#define PICTURES           (CMD_CUT | GIVEN)
#define FINDS              (CMD_CUT | CMD_FRAMES) /* a network finds the mask */
#define EDGES              (PICTURES | CMD_FRAMES)
#define COLOURS            (CMD_CUT | CMD_MATTE | CMD_FRAMES)
#define WRITES             (PICTURES | CMD_TRIMAP)
#define RUNS               (EDGES | CMD_TENSORS | CMD_INFO | CMD_BENCH | CMD_SERVE)

static const char *icc_name(int i)
{
    static const char *const names[] = {"keep", "srgb", "drop"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

static const char *frames_name(int i)
{
    static const char *const names[] = {"first", "all", "animation"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

static const char *metadata_name(int i)
{
    static const char *const names[] = {"drop", "keep"};
    return i >= 0 && i < 2 ? names[i] : NULL;
}

/* NULL after the last, like all functions that list names. */
static const char *color_name(int i)
{
    static const char *const names[] = {"auto", "always", "never"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

const char *args_device_word(int i)
{
    static const char *const words[] = {"auto", "cpu", "cuda", "cuda:N", "cuda:all"};
    return i < (int)(sizeof words / sizeof words[0]) ? words[i] : NULL;
}

const char *args_dtype_name(int i)
{
    static const char *const names[] = {"f32", "f16", "bf16"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

/* --sandbox, by its choices: server/server.h names them too. */
static const char *sandbox_name(int i)
{
    static const char *const names[] = {"auto", "on", "off"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

#define DO       "What to do"
#define LIMITS   "Limits"
#define LOOK     "Results"
#define EDGE     "Edges"
#define NETWORK  "Network"
#define FETCH    "Models"
#define MACHINE  "Machine"
#define FEEDBACK "Feedback"
const char *const option_groups[] = {DO, LOOK, EDGE, NETWORK, FETCH, LIMITS, MACHINE, FEEDBACK, NULL};

/* ---- what the rows of the library's table become here */

#define MB_NAMES(...) __VA_ARGS__, NULL
#define MB_NO_NAMES   NULL

/* choices() of each field: the names of its values. */
#define MB_OPTION(field, kind, least, most, standard, zero, names, ...)                                                \
    static const char *field##_choices(int i)                                                                          \
    {                                                                                                                  \
        static const char *const list[] = {names};                                                                     \
        return i >= 0 && i < (int)(sizeof list / sizeof list[0]) ? list[i] : NULL;                                     \
    }
#include "options/options.def"
#undef MB_OPTION

enum {
#define MB_OPTION(field, ...) LIBRARY_##field,
#include "options/options.def"
#undef MB_OPTION
};

const option_range library_ranges[] = {
#define MB_OPTION(field, kind, least, most, ...) {least, most},
#include "options/options.def"
#undef MB_OPTION
};
const option_range *const background_blur_range = &library_ranges[LIBRARY_background_blur];

/* The name of an option may stand for different things in different commands (--mask): a command has at most one row
 * of a name. A row of the program has no text for 0 (`zero` NULL), those of options.def have one, be it empty. */
const option_row option_rows[] = {
    /* Which pictures, which results, where: nothing of this changes what a result looks like. */
    {DO, "output", 'o', KIND_TEXT, WRITES, FIELD(output), "FILE|DIR|-", .standard = "beside the input",
     .help = "write results here; DIR (ends in / or exists) is created"},
    {DO, "model", 'm', KIND_TEXT, FINDS, FIELD(model), "FILE|NAME",
     .standard = "an installed one, else the built-in one",
     .help = "model that segments the photo: a .mbw file, an installed name, one of the built-in demo and saliency, or "
             "default"},
    {DO, "mask", 0, KIND_TEXT, GIVEN, FIELD(mask_from), "FILE|DIR", .alias = "mask-from",
     .help = "mask to refine; also --mask-from"},
    {DO, "trimap", 0, KIND_TEXT, GIVEN, FIELD(trimap_from), "FILE|DIR", .alias = "trimap-from",
     .help =
         "trimap to solve: black background, white foreground, anything between unknown; pymatting and the VITMatte "
         "methods solve it; also --trimap-from"},
    {DO, "mask-channel", 0, KIND_ENUM, GIVEN | CMD_TRIMAP, FIELD(mask_channel), "NAME", .choices = mb_mask_channel_name,
     .standard = "auto", .library = "mb_mask_options.channel",
     .help = "samples that are the mask or trimap; auto: alpha where the transparency varies, else the brightness"},
    {DO, "mask-scale", 0, KIND_FLAG, GIVEN, FIELD(mask_scale), NULL, .library = "mb_mask_options.scale",
     .help = "scale a mask or trimap of another size; one that fits the photo before its EXIF orientation is turned"},
    {DO, "mask", 0, KIND_FLAG, CMD_CUT, FIELD(mask), NULL, .help = "also write photo.mask.png"},
    {DO, "write-mask", 0, KIND_FLAG, CMD_MATTE, FIELD(mask), NULL, .help = "also write photo.mask.png"},
    {DO, "only-mask", 0, KIND_FLAG, (CMD_CUT | CMD_MATTE), FIELD(only_mask), NULL,
     .help = "write the mask instead of the cut-out"},
    {DO, "trimap", 0, KIND_FLAG, CMD_CUT, FIELD(trimap), NULL,
     .help = "also write photo.trimap.png, if the method makes a trimap"},
    {DO, "write-trimap", 0, KIND_FLAG, GIVEN, FIELD(trimap), NULL,
     .help = "also write photo.trimap.png, if the method makes a trimap"},
    {DO, "template", 0, KIND_TEXT, WRITES, FIELD(template), "TEXT", .standard = "{dir}/{stem}.{kind}.png",
     .help = "pattern for the names of results; {ext} is the input's extension, {frame} the number of its frame"},
    {DO, "files-from", 0, KIND_TEXT, PICTURES, FIELD(files_from), "FILE|-",
     .help = "read input paths from FILE, one a line"},
    {DO, "null", '0', KIND_FLAG, PICTURES, FIELD(null_separated), NULL,
     .help = "paths of --files-from end in NUL, as find -print0 writes them"},
    {DO, "shard", 0, KIND_TEXT, PICTURES, FIELD(shard), "I/N",
     .help = "process every N-th input, starting with the I-th: splits a folder between machines"},
    {DO, "force", 'f', KIND_FLAG, WRITES | CMD_TENSORS | CMD_MODELS, FIELD(force), NULL, .alias = "overwrite",
     .library = "overwrite", .help = "overwrite existing results (never inputs); also --overwrite"},
    {DO, "no-clobber", 'n', KIND_FLAG, WRITES | CMD_TENSORS, FIELD(no_clobber), NULL,
     .help = "skip pictures that have results: resumes an interrupted run"},
    {DO, "watch", 0, KIND_FLAG, CMD_CUT, FIELD(watch), NULL,
     .help =
         "then wait for more photos in the folders, and cut out each when whoever writes it has closed it; pictures "
         "with results are skipped, as with -n. Ctrl-C or SIGTERM ends it"},
    {DO, "once-idle", 0, KIND_INT, CMD_CUT, FIELD(once_idle), "N", .range = RANGE(1, 1000000), .standard = "never",
     .unit = "seconds", .help = "--watch: end when nothing has come for so long"},
    {DO, "size", 0, KIND_SIZE, CMD_FRAMES, FIELD(raw.width), "WxH", .range = RANGE(1, 65535),
     .standard = "what YUV4MPEG2 says", .unit = "pixels", .help = "size of the raw frames on stdin"},
    {DO, "pix", 0, KIND_ENUM, CMD_FRAMES, FIELD(raw.pix), "NAME", .choices = raw_pixels_name, .standard = "rgb24",
     .help = "pixels of the raw frames on stdin, as ffmpeg's -pix_fmt"},
    {DO, "out", 0, KIND_ENUM, CMD_FRAMES, FIELD(raw.out), "NAME", .choices = raw_output_name, .standard = "rgba",
     .help = "pixels of the frames on stdout; gray and gray16le: alpha alone; yuva444p: planes; rgb24 needs a "
             "background"},
    {DO, "matrix", 0, KIND_ENUM, CMD_FRAMES, FIELD(raw.matrix), "NAME", .choices = yuv_matrix_name, .standard = "auto",
     .help = "colour matrix of YUV frames; auto: bt709 from 720 rows on, else bt601"},
    {DO, "accept-partial", 0, KIND_FLAG, WRITES, FIELD(accept_partial), NULL, .library = "accept_partial",
     .help = "decode the rows of truncated files that are there"},

    {DO, "frames", 0, KIND_ENUM, PICTURES, FIELD(frames), "WHICH", .choices = frames_name, .standard = "first",
     .help =
         "of animations, pages and collections: the first picture; all, one result each (photo.0001.cutout.png); or "
         "animation, all of them in one animated WebP or PNG, as all with -o NAME.webp or NAME.png does"},

    /* What results look like; most of this comes from options.def. --background sets four fields, --crop two. */
    {LOOK, "background", 'b', KIND_TEXT, COLOURS, FIELD(background), "none|COLOUR|PICTURE|blur[:RADIUS]",
     .standard = "none", .library = "background",
     .help = "put a background behind the subject: a colour (#rrggbb[aa], r,g,b[,a] or a name like white), a picture "
             "(scaled to cover), or the blurred photo (RADIUS: standard deviation in pixels, default 2 % of the longer "
             "side). Writes photo.composite.png"},
    {LOOK, "crop", 0, KIND_MAYBE, PICTURES, FIELD(options.crop_margin), "MARGIN",
     .range = &library_ranges[LIBRARY_crop_margin], .standard = "0", .unit = "pixels", .library = "crop_margin",
     .help = "crop all results to the subject, plus a margin"},
    {LOOK, "icc", 0, KIND_ENUM, PICTURES, FIELD(icc), "WAY", .choices = icc_name, .standard = "keep",
     .help =
         "colour profile of the photo: keep carries it into the results, srgb converts their colours, drop leaves it "
         "out"},
    {LOOK, "metadata", 0, KIND_ENUM, PICTURES, FIELD(metadata), "WAY", .choices = metadata_name, .standard = "drop",
     .help = "EXIF of the photo: keep carries it over, orientation reset, thumbnail removed. The resolution is always "
             "kept"},
    {LOOK, "format", 0, KIND_ENUM, WRITES, FIELD(format), "NAME", .choices = mb_format_name, .standard = "auto",
     .library = "format", .help = "file format of results; auto: by the extension, else png. jpeg needs a background"},
    {LOOK, "quality", 0, KIND_INT, WRITES, FIELD(quality), "N", .range = RANGE(1, 100),
     .standard = "92 for jpeg, lossless for webp", .library = "quality",
     .help = "compression quality of jpeg and webp"},
    {LOOK, "png-level", 0, KIND_INT, WRITES, FIELD(png_level), "N", .range = RANGE(0, 9), .standard = "3",
     .library = "level", .help = "compression level of png: 0 fast and large, 9 slow and small"},

    /* Matting. A preset sets many fields at once; single options win over it. */
    {EDGE, "preset", 0, KIND_TEXT, EDGES, FIELD(preset), "NAME",
     .help = "options of a ComfyUI node (birefnet-ultra, birefnet-ultra-v2) or of the built-in model (small)"},
    {EDGE, "matting-model", 0, KIND_TEXT, EDGES, FIELD(matting_model), "FILE|NAME",
     .standard = "vitmatte-s, or vitmatte-b for vitmatte-base", .help = "VITMatte weights for --detail vitmatte"},
    {EDGE, "no-detail", 0, KIND_FLAG, EDGES, FIELD(no_detail), NULL,
     .help = "use the mask as alpha, without matting (the LayerStyle node's process_detail off)"},

    /* The networks; the second half is for the commands that run them bare. */
    {NETWORK, "input-size", 0, KIND_SIZE, CMD_CUT | CMD_INFO | CMD_BENCH, FIELD(options.input_width), "W[xH]",
     .library_bytes = 2 * sizeof(int), .range = &library_ranges[LIBRARY_input_width], .standard = "the model's",
     .unit = "pixels", .alias = "size", .library = "input_width", .help = "size of the network's input; also --size"},
    {NETWORK, "input-size", 0, KIND_SIZE, CMD_FRAMES, FIELD(options.input_width), "W[xH]",
     .library_bytes = 2 * sizeof(int), .range = &library_ranges[LIBRARY_input_width], .standard = "the model's",
     .unit = "pixels", .library = "input_width", .help = "size of the network's input; smaller is faster"},
    {NETWORK, "tap", 0, KIND_LIST, CMD_TENSORS, FIELD(taps), "NAME|all",
     .help = "also write this intermediate tensor; may be repeated"},
    {NETWORK, "runs", 0, KIND_INT, CMD_BENCH, FIELD(runs), "N", .range = RANGE(1, 100000), .standard = "5",
     .help = "measured runs, after one warm-up"},
    {NETWORK, "batch", 0, KIND_INT, CMD_BENCH | CMD_INFO, FIELD(batch), "N", .range = RANGE(1, 4096), .standard = "1",
     .help = "pictures per run"},
    {NETWORK, "profile", 0, KIND_FLAG, CMD_BENCH, FIELD(profile), NULL,
     .help = "print time per op and the slowest nodes, with shares of what the machine reaches at most"},
    {FEEDBACK, "csv", 0, KIND_FLAG, CMD_BENCH, FIELD(csv), NULL,
     .help = "print comma-separated values instead: a line per number of threads, or with --profile per op"},

    /* mattebox models. */
    {FETCH, "from", 0, KIND_TEXT, CMD_MODELS, FIELD(from), "ADDRESS", .standard = "the catalogue's",
     .help = "get: address of the checkpoint, or of the folder with it (ends in /). MATTEBOX_MIRROR replaces the host"},
    {FETCH, "sha256", 0, KIND_TEXT, CMD_MODELS, FIELD(sha256), "HEX", .standard = "the published one",
     .help = "get: required checksum of the checkpoint"},
    {FETCH, "all", 0, KIND_FLAG, CMD_MODELS, FIELD(all), NULL, .help = "get: every model of the catalogue"},
    {FETCH, "dtype", 0, KIND_ENUM, CMD_MODELS, FIELD(dtype), "TYPE", .choices = args_dtype_name,
     .standard = "as published", .help = "get, import: type of the installed weights"},
    {FETCH, "offline", 0, KIND_FLAG, CMD_MODELS, FIELD(offline), NULL,
     .help = "refuse to use a network; also MATTEBOX_OFFLINE=1"},
    {FETCH, "timeout", 0, KIND_INT, CMD_MODELS, FIELD(timeout), "N", .range = RANGE(1, 3600), .standard = "30",
     .unit = "seconds", .help = "get: limit for connecting, and for a stalled download"},
    {FETCH, "retries", 0, KIND_INT, CMD_MODELS, FIELD(retries), "N", .range = RANGE(0, 100), .standard = "3",
     .help = "get: how often to resume a broken download"},

    /* mattebox serve. */
    {DO, "listen", 0, KIND_LIST, CMD_SERVE, FIELD(serve.listen), "ADDRESS:PORT", .standard = "127.0.0.1:7000",
     .help = "listen here; [::1]:7000 for IPv6; may be repeated. Anything but loopback should have --token-file"},
    {DO, "unix", 0, KIND_TEXT, CMD_SERVE, FIELD(serve.unix_path), "PATH",
     .help = "listen on a Unix socket (mode 0660)"},
    {DO, "model", 'm', KIND_LIST, CMD_SERVE, FIELD(serve.models), "FILE|NAME",
     .standard = "an installed one, else the built-in one",
     .help =
         "open this model at the start; the first is the default. When given, requests may name these only, else all "
         "that are installed; may be repeated"},
    {DO, "host", 0, KIND_LIST, CMD_SERVE, FIELD(serve.hosts), "NAME",
     .help = "accept requests for this host name, as behind a proxy; addresses and localhost always are; may be "
             "repeated"},
    {DO, "cors", 0, KIND_LIST, CMD_SERVE, FIELD(serve.origins), "ORIGIN",
     .help = "let pages of this origin (https://example.org) use the server; may be repeated"},
    {DO, "token-file", 0, KIND_TEXT, CMD_SERVE, FIELD(serve.token_file), "FILE",
     .help = "require one of the tokens in FILE, one a line, with each request (Authorization: Bearer TOKEN)"},
    {DO, "any-model", 0, KIND_FLAG, CMD_SERVE, FIELD(serve.any_model), NULL,
     .help = "/api/remove takes the default for a model that is not here, as for clients that ask for another's"},
    {DO, "no-page", 0, KIND_FLAG, CMD_SERVE, FIELD(serve.no_page), NULL, .help = "no page at /"},
    {LIMITS, "jobs", 'j', KIND_INT, CMD_SERVE, FIELD(serve.jobs), "N", .range = RANGE(1, 64), .standard = "1",
     .help = "pictures computed at once; each has its share of --threads"},
    {LIMITS, "queue", 0, KIND_INT, CMD_SERVE, FIELD(serve.queue), "N", .range = RANGE(0, 4096), .standard = "16",
     .help = "requests that may wait; beyond that the answer is 429"},
    {LIMITS, "connections", 0, KIND_INT, CMD_SERVE, FIELD(serve.connections), "N", .range = RANGE(1, 4096),
     .standard = "64", .help = "connections at once; further ones are answered 503"},
    {LIMITS, "timeout", 0, KIND_INT, CMD_SERVE, FIELD(serve.seconds), "N", .range = RANGE(1, 86400), .standard = "120",
     .unit = "seconds", .help = "a request that takes longer is cancelled"},
    {LIMITS, "drain", 0, KIND_INT, CMD_SERVE, FIELD(serve.drain), "N", .range = RANGE(0, 3600), .standard = "30",
     .unit = "seconds", .help = "on SIGTERM, finish running requests for so long"},
    {LIMITS, "max-body", 0, KIND_BYTES, CMD_SERVE, FIELD(serve.max_body), "BYTES", .standard = "50 MB",
     .help = "refuse larger requests"},
    {LIMITS, "max-megapixels-in", 0, KIND_REAL, CMD_SERVE, FIELD(max_megapixels_in), "X", .range = RANGE(0.001, 4295),
     .standard = "100", .unit = "megapixels", .library = "mb_load_options.max_megapixels",
     .help = "refuse larger pictures before decoding them"},
    {LIMITS, "keep", 0, KIND_INT, CMD_SERVE, FIELD(serve.keep_seconds), "N", .range = RANGE(0, 86400),
     .standard = "600", .unit = "seconds",
     .help = "keep uploaded photos and their masks in memory for so long after their last use; 0: never"},
    {LIMITS, "keep-photos", 0, KIND_INT, CMD_SERVE, FIELD(serve.keep_count), "N", .range = RANGE(0, 4096),
     .standard = "16", .help = "at most so many of them"},
    {LIMITS, "keep-bytes", 0, KIND_BYTES, CMD_SERVE, FIELD(serve.keep_bytes), "BYTES", .standard = "512 MB",
     .help = "at most so many bytes of them"},
    {LIMITS, "sandbox", 0, KIND_ENUM, CMD_SERVE, FIELD(serve.sandbox), "WHEN", .choices = sandbox_name,
     .standard = "auto",
     .help = "decode pictures in processes that can neither open files nor use a network; auto: as far as the system "
             "allows it; on: or not at all; off: in the server itself"},

    /* Of the context and of loading. */
    {MACHINE, "threads", 't', KIND_COUNTS, CMD_BENCH, FIELD(thread_counts), "N[,N...]", .range = RANGE(1, 1024),
     .standard = "all processors", .library = "threads",
     .help = "worker threads; several numbers measure one after the other; also MATTEBOX_THREADS"},
    {MACHINE, "threads", 't', KIND_INT, RUNS & ~CMD_BENCH, FIELD(threads), "N", .range = RANGE(1, 1024),
     .standard = "all processors", .library = "threads", .help = "worker threads; also MATTEBOX_THREADS"},
    {MACHINE, "device", 0, KIND_DEVICE, RUNS | CMD_VERSION, FIELD(device), "NAME", .choices = args_device_word,
     .standard = "auto", .library = "device",
     .help = "where the networks run; auto: a usable GPU, else the CPU. cuda never falls back to the CPU, cuda:N takes "
             "GPU N, cuda:all distributes pictures over all GPUs; also MATTEBOX_DEVICE"},
    {MACHINE, "fast", 0, KIND_FLAG, RUNS | CMD_VERSION, FIELD(fast), NULL, .library = "mb_context_options.fast",
     .help = "--precision auto may take 16-bit products, on a CPU with instructions for them"},
    {MACHINE, "max-memory", 0, KIND_BYTES, RUNS, FIELD(max_memory), "BYTES", .standard = "the free memory",
     .library = "max_memory", .help = "refuse runs that need more, e.g. 6G; also MATTEBOX_MAX_MEMORY"},
    {MACHINE, "max-megapixels-in", 0, KIND_REAL, WRITES, FIELD(max_megapixels_in), "X", .range = RANGE(0.001, 4295),
     .standard = "500", .unit = "megapixels", .library = "mb_load_options.max_megapixels",
     .help = "refuse larger pictures before decoding them"},
    {MACHINE, "max-frames", 0, KIND_INT, EDGES, FIELD(max_frames), "N", .range = RANGE(1, 1000000), .standard = "10000",
     .library = "mb_load_options.max_frames", .help = "refuse files of more frames, with --frames"},

    /* What is said. */
    {FEEDBACK, "json", 0, KIND_FLAG, PICTURES | CMD_INFO | CMD_BENCH | CMD_MODELS, FIELD(json), NULL,
     .help = "print a report in JSON Lines on stdout (docs/json.md)"},
    {FEEDBACK, "quiet", 'q', KIND_FLAG, CMD_ALL, FIELD(quiet), NULL, .help = "print errors only"},
    {FEEDBACK, "verbose", 'v', KIND_FLAG, CMD_ALL, FIELD(verbose), NULL, .help = "print a line for each picture"},
    {FEEDBACK, "color", 0, KIND_ENUM, CMD_ALL, FIELD(color), "WHEN", .choices = color_name, .standard = "auto",
     .help = "colour messages; NO_COLOR is honoured"},
    {FEEDBACK, "help", 'h', KIND_FLAG, CMD_ALL, FIELD(help), NULL, .help = "print this page"},

#define MB_OPTION(field_, kind_, least, most, standard_, zero_, names, unit_, group_, name_, letter_, alias_,          \
                  argument_, commands_, help_)                                                                         \
    {group_,                                                                                                           \
     name_,                                                                                                            \
     letter_,                                                                                                          \
     KIND_##kind_,                                                                                                     \
     commands_,                                                                                                        \
     FIELD(options.field_),                                                                                            \
     argument_,                                                                                                        \
     .library_bytes = sizeof(((mb_options *)0)->field_),                                                               \
     .range = &library_ranges[LIBRARY_##field_],                                                                       \
     .choices = field_##_choices,                                                                                      \
     .zero = zero_,                                                                                                    \
     .unit = unit_,                                                                                                    \
     .alias = alias_,                                                                                                  \
     .library = #field_,                                                                                               \
     .help = help_},
#include "options/options.def"
#undef MB_OPTION
};
const int n_option_rows = sizeof option_rows / sizeof option_rows[0];
_Static_assert(sizeof option_rows / sizeof option_rows[0] <= MAX_OPTIONS, "args.given is too short");
