/* The table of commands and options. Everything that knows an option's name, range or default reads it here. */
#include "args.h"
#include "commands.h"

#define FIELD(f) offsetof(args, f)
#define GIVEN    (CMD_MATTE | CMD_REFINE) /* the mask comes from a file */
#define EDGES    (CMD_CUT | GIVEN)
#define COLOURS  (CMD_CUT | CMD_MATTE)
#define WRITES   (EDGES | CMD_TRIMAP)
#define MANY     (CMD_CUT | GIVEN)
#define RUNS     (EDGES | CMD_TENSORS | CMD_INFO | CMD_BENCH)

static const char *icc_name(int i)
{
    static const char *const names[] = {"keep", "srgb", "drop"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

static const char *metadata_name(int i)
{
    static const char *const names[] = {"drop", "keep"};
    return i >= 0 && i < 2 ? names[i] : NULL;
}

static const char *depth_name(int i)
{
    static const char *const names[] = {"auto", "8", "16"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

static const char *color_name(int i)
{
    static const char *const names[] = {"auto", "always", "never"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

const char *args_dtype_name(int i)
{
    static const char *const names[] = {"f32", "f16", "bf16"};
    return i >= 0 && i < 3 ? names[i] : NULL;
}

const command commands[] = {
    {"cut", CMD_CUT, "[OPTION]... PHOTO|FOLDER|-...", "cut the subject out (the default: \"mattebox PHOTO\")",
     "Writes photo.cutout.png (RGBA) beside each photo. Folders are walked recursively, in sorted order.\n"
     "\"-\" reads a photo from stdin and writes the result to stdout.",
     cmd_cut},
    {"matte", CMD_MATTE, "[OPTION]... PHOTO|FOLDER... --mask MASK|FOLDER | --trimap TRIMAP|FOLDER",
     "cut out by a mask or trimap from anywhere",
     "Writes photo.cutout.png (RGBA). Needs no mask model. Mask and photo have the same size; a folder of masks is\n"
     "searched for photo.mask.png, photo_mask.png, photo.png and photo.jpg.",
     cmd_matte},
    {"refine", CMD_REFINE, "[OPTION]... PHOTO|FOLDER... --mask MASK|FOLDER | --trimap TRIMAP|FOLDER",
     "refine a mask or trimap from anywhere: mask in, alpha out",
     "Writes photo.alpha.png (grey). Otherwise as \"matte\".", cmd_refine},
    {"trimap", CMD_TRIMAP, "[OPTION]... MASK", "make a trimap of a mask",
     "Writes mask.trimap.png: 0 background, 127 unknown, 255 foreground.", cmd_trimap},
    {"models", CMD_MODELS,
     "list | get NAME... | rm NAME... | path [NAME] | verify [NAME]... | import FILE... | export DIR [NAME]...",
     "models: what is installed, what can be had",
     "list: installed models, and those that get knows. get: fetches a published checkpoint, checks it, converts it "
     "and\n"
     "installs it in the first model folder; an interrupted download is continued. It is the only command that uses a\n"
     "network. rm: removes installed models. path: the folders that are searched, or where a model lies. verify: "
     "checks\n"
     "every value. import: installs a model file, a checkpoint or a folder of either. export: copies models, all or\n"
     "named, to a folder or to one .mbw file. docs/models-get.md has the details.",
     cmd_models},
    {"info", CMD_INFO, "[OPTION]... MODEL", "what a model is, and what a run will take, before any work", NULL,
     cmd_info},
    {"bench", CMD_BENCH, "[OPTION]... MODEL", "measure the bare network", NULL, cmd_bench},
    {"tensors", CMD_TENSORS, "[OPTION]... MODEL IN.safetensors OUT.safetensors", "run the bare network on tensors",
     "IN holds `input` [N,C,H,W] in f32, normalised as docs/models says. OUT gets the outputs and every --tap.",
     cmd_tensors},
    {"version", CMD_VERSION, "[--verbose]", "version; with --verbose what was built in and what is in use", NULL,
     cmd_version},
    {"help", CMD_HELP, "[COMMAND]", "this list, or the options of a command", NULL, cmd_help},
};
const int n_commands = sizeof commands / sizeof commands[0];

#define DO       "What to do"
#define LOOK     "Results"
#define EDGE     "Edges"
#define NETWORK  "Network"
#define FETCH    "Models"
#define MACHINE  "Machine"
#define FEEDBACK "Feedback"

/* One thread of an AVX-512 machine (docs/performance-log.md): people ask what a method costs. */
#define DETAIL                                                                                                         \
    "what refines the mask's edge. For 1 megapixel: guided 0.01 s and 6 MB; pymatting 0.04 s and 50 MB, more with "    \
    "wide "                                                                                                            \
    "bands; vitmatte 2 s and 0.4 GB, vitmatte-base 2.5 times that (hair over anything; they need a model)"

const option_row option_rows[] = {
    {DO, "output", 'o', KIND_TEXT, WRITES, FIELD(output), "FILE|DIR|-", 0, 0, NULL, "beside the input",
     "where results go; a folder (ends in / or exists) is created"},
    {DO, "model", 'm', KIND_TEXT, CMD_CUT, FIELD(model), "FILE|NAME", 0, 0, NULL,
     "an installed one, else what is built in",
     "what finds the subject: a .mbw file, a name in the model folders, or built in: default, demo, saliency"},
    {DO, "mask", 0, KIND_TEXT, GIVEN, FIELD(mask_from), "FILE|DIR", 0, 0, NULL, NULL,
     "the mask to refine; also --mask-from"},
    {DO, "trimap", 0, KIND_TEXT, GIVEN, FIELD(trimap_from), "FILE|DIR", 0, 0, NULL, NULL,
     "the trimap to solve: black and white are known, the rest is not; also --trimap-from"},
    {DO, "mask-channel", 0, KIND_CHOICE, GIVEN | CMD_TRIMAP, FIELD(mask_channel), "NAME", 0, 0, mb_mask_channel_name,
     "auto", "which samples are the mask or trimap; auto: alpha where the transparency varies, else the brightness"},
    {DO, "mask-scale", 0, KIND_FLAG, GIVEN, FIELD(mask_scale), NULL, 0, 0, NULL, NULL,
     "scale a mask or trimap of another size to the photo's, turned first where it fits the photo before its EXIF "
     "orientation"},
    {DO, "trimap-low", 0, KIND_INT, GIVEN, FIELD(trimap_low), "N", 0, 254, NULL, "25",
     "up to here a given trimap is background (the nodes' presets: 0)"},
    {DO, "trimap-high", 0, KIND_INT, GIVEN, FIELD(trimap_high), "N", 1, 255, NULL, "230",
     "from here on a given trimap is foreground (the nodes' presets: 255)"},
    {DO, "mask", 0, KIND_FLAG, CMD_CUT, FIELD(mask), NULL, 0, 0, NULL, NULL, "write photo.mask.png as well"},
    {DO, "write-mask", 0, KIND_FLAG, CMD_MATTE, FIELD(mask), NULL, 0, 0, NULL, NULL, "write photo.mask.png as well"},
    {DO, "only-mask", 0, KIND_FLAG, COLOURS, FIELD(only_mask), NULL, 0, 0, NULL, NULL, "write the mask and no cut-out"},
    {DO, "trimap", 0, KIND_FLAG, CMD_CUT, FIELD(trimap), NULL, 0, 0, NULL, NULL,
     "write photo.trimap.png as well, if the method makes one"},
    {DO, "write-trimap", 0, KIND_FLAG, GIVEN, FIELD(trimap), NULL, 0, 0, NULL, NULL,
     "write photo.trimap.png as well, if the method makes one"},
    {DO, "template", 0, KIND_TEXT, WRITES, FIELD(template), "TEXT", 0, 0, NULL, "{dir}/{stem}.{kind}.png",
     "names of results; {ext} is the input's extension"},
    {DO, "files-from", 0, KIND_TEXT, MANY, FIELD(files_from), "FILE|-", 0, 0, NULL, NULL,
     "read more inputs from a file, one a line"},
    {DO, "null", '0', KIND_FLAG, MANY, FIELD(null_separated), NULL, 0, 0, NULL, NULL,
     "--files-from is separated by NUL, as find -print0 writes it"},
    {DO, "shard", 0, KIND_TEXT, MANY, FIELD(shard), "I/N", 0, 0, NULL, NULL,
     "take only every N-th input, starting with the I-th: many machines, one folder"},
    {DO, "force", 'f', KIND_FLAG, WRITES | CMD_TENSORS | CMD_MODELS, FIELD(force), NULL, 0, 0, NULL, NULL,
     "replace results that exist (inputs never are); also --overwrite"},
    {DO, "no-clobber", 'n', KIND_FLAG, WRITES | CMD_TENSORS, FIELD(no_clobber), NULL, 0, 0, NULL, NULL,
     "skip pictures whose results exist: resumes an interrupted run"},
    {DO, "accept-partial", 0, KIND_FLAG, WRITES, FIELD(accept_partial), NULL, 0, 0, NULL, NULL,
     "use what is there of pictures that end early"},

    {LOOK, "background", 'b', KIND_TEXT, COLOURS, FIELD(background), "none|COLOUR|PICTURE|blur[:RADIUS]", 0, 0, NULL,
     "none",
     "what lies behind the subject: #rrggbb[aa], r,g,b[,a], a name like white; a picture, scaled to cover; the "
     "photo out of focus (RADIUS pixels, default 2 % of its longer side). Writes photo.composite.png"},
    {LOOK, "linear", 0, KIND_FLAG, COLOURS, FIELD(linear), NULL, 0, 0, NULL, NULL,
     "blend with the background in linear light"},
    {LOOK, "premultiplied", 0, KIND_FLAG, COLOURS, FIELD(premultiplied), NULL, 0, 0, NULL, NULL,
     "colours multiplied by alpha, for compositing programs; noted in the file"},
    {LOOK, "clean-transparent", 0, KIND_FLAG, COLOURS, FIELD(clean_transparent), NULL, 0, 0, NULL, NULL,
     "set fully transparent pixels to 0: smaller files"},
    {LOOK, "crop", 0, KIND_MAYBE, EDGES, FIELD(crop), "PIXELS", 0, 65535, NULL, "0",
     "crop all results to the subject, with so many pixels around it"},
    {LOOK, "invert", 0, KIND_FLAG, EDGES, FIELD(invert), NULL, 0, 0, NULL, NULL,
     "keep the background and cut the subject away"},
    {LOOK, "largest", 0, KIND_FLAG, EDGES, FIELD(largest), NULL, 0, 0, NULL, NULL, "keep the largest part only"},
    {LOOK, "min-area", 0, KIND_INT, EDGES, FIELD(min_area), "PIXELS", 0, 2147483647, NULL, "0",
     "drop parts of fewer pixels"},
    {LOOK, "input-alpha", 0, KIND_CHOICE, EDGES, FIELD(input_alpha), "WAY", 0, 0, mb_input_alpha_name, "keep",
     "transparency that photos bring along: keep bounds alpha by it, ignore looks at what it hides"},
    {LOOK, "icc", 0, KIND_CHOICE, EDGES, FIELD(icc), "WAY", 0, 0, icc_name, "keep",
     "the photo's colour profile: keep carries it into the results, srgb converts their colours, drop leaves it out"},
    {LOOK, "metadata", 0, KIND_CHOICE, EDGES, FIELD(metadata), "WAY", 0, 0, metadata_name, "drop",
     "EXIF of the photo; keep carries it over, orientation reset, thumbnail removed. The resolution is always kept"},
    {LOOK, "depth", 0, KIND_CHOICE, EDGES, FIELD(depth), "BITS", 0, 0, depth_name, "auto",
     "bits of alpha and cut-out; auto: 16 for photos of 16 bits"},
    {LOOK, "format", 0, KIND_CHOICE, WRITES, FIELD(format), "NAME", 0, 0, mb_format_name, "auto",
     "what results are written as; auto: by their name, or png. jpeg needs a background"},
    {LOOK, "quality", 0, KIND_INT, WRITES, FIELD(quality), "N", 1, 100, NULL, "92 of jpeg, webp without loss",
     "of jpeg and webp"},
    {LOOK, "png-level", 0, KIND_INT, WRITES, FIELD(png_level), "N", 0, 9, NULL, "3",
     "0 fast and large to 9 slow and small"},

    {EDGE, "preset", 0, KIND_TEXT, EDGES, FIELD(preset), "NAME", 0, 0, NULL, NULL,
     "defaults of a node: birefnet-ultra, birefnet-ultra-v2; small: of the built-in model"},
    {EDGE, "grabcut", 0, KIND_FLAG, EDGES, FIELD(grabcut), NULL, 0, 0, NULL, NULL,
     "move the mask to the picture's edges by colours (GrabCut), before the edge is refined"},
    {EDGE, "detail", 'd', KIND_CHOICE, CMD_CUT, FIELD(detail), "METHOD", 0, 0, mb_detail_name, "none", DETAIL},
    {EDGE, "detail", 'd', KIND_CHOICE, GIVEN, FIELD(detail), "METHOD", 0, 0, mb_detail_name, "pymatting", DETAIL},
    {EDGE, "matting-model", 0, KIND_TEXT, EDGES, FIELD(matting_model), "FILE|NAME", 0, 0, NULL, "vitmatte-s",
     "weights for --detail vitmatte"},
    {EDGE, "erode", 0, KIND_INT, EDGES | CMD_TRIMAP, FIELD(erode), "N", 1, 255, NULL, "6",
     "width of the unknown band inside the outline"},
    {EDGE, "dilate", 0, KIND_INT, EDGES | CMD_TRIMAP, FIELD(dilate), "N", 1, 255, NULL, "6",
     "width of the unknown band outside the outline"},
    {EDGE, "black-point", 0, KIND_REAL, EDGES, FIELD(black_point), "X", 0.01, 0.98, NULL, "0.01",
     "alpha up to here becomes 0"},
    {EDGE, "white-point", 0, KIND_REAL, EDGES, FIELD(white_point), "X", 0.02, 0.99, NULL, "0.99",
     "alpha from here on becomes 1"},
    {EDGE, "no-detail", 0, KIND_FLAG, EDGES, FIELD(no_detail), NULL, 0, 0, NULL, NULL,
     "the mask as it is (the node's process_detail off)"},
    {EDGE, "max-megapixels", 0, KIND_REAL, EDGES, FIELD(max_megapixels), "X", 1, 999, NULL, "2.0",
     "VITMatte works on at most this many (of 1,048,576 pixels)"},
    {EDGE, "foreground", 0, KIND_CHOICE, COLOURS, FIELD(foreground), "METHOD", 0, 0, mb_foreground_name, "ml",
     "colours of half-transparent pixels; none keeps the photo's"},
    {EDGE, "guided-radius", 0, KIND_INT, EDGES, FIELD(guided_radius), "N", 1, 512, NULL, "from erode and dilate",
     "of the guided filter's window, in pixels"},
    {EDGE, "guided-eps", 0, KIND_REAL, EDGES, FIELD(guided_eps), "X", 1e-9, 1e6, NULL, "0.015",
     "of the guided filter: smaller follows fainter edges"},
    {EDGE, "guided-scale", 0, KIND_REAL, EDGES, FIELD(guided_scale), "X", 0.01, 1, NULL, "1",
     "below 1: the fast guided filter, its coefficients on a picture that much smaller"},
    {EDGE, "matting-epsilon", 0, KIND_REAL, EDGES, FIELD(matting_epsilon), "X", 1e-12, 1, NULL, "0.000001",
     "of closed-form matting: larger is smoother"},

    {NETWORK, "segment", 0, KIND_CHOICE, CMD_CUT, FIELD(segment), "BY", 0, 0, mb_segmenter_name, "network",
     "what finds the subject; saliency needs no model, both takes what cuts better"},
    {NETWORK, "flip", 0, KIND_FLAG, CMD_CUT, FIELD(flip), NULL, 0, 0, NULL, NULL,
     "run the network on the mirror image too and take the mean"},
    {NETWORK, "recipe", 0, KIND_CHOICE, CMD_CUT, FIELD(recipe), "NAME", 0, 0, mb_recipe_name, "auto",
     "how the photo is scaled to the network's input, and the mask back"},
    {NETWORK, "input-size", 0, KIND_SIZE, CMD_CUT | CMD_INFO | CMD_BENCH, FIELD(input_size), "W[xH]", 1, 65536, NULL,
     "the model's", "size of the network's input; also --size"},
    {NETWORK, "tap", 0, KIND_LIST, CMD_TENSORS, FIELD(taps), "NAME|all", 0, 0, NULL, NULL,
     "an intermediate to write as well; may be repeated"},
    {NETWORK, "runs", 0, KIND_INT, CMD_BENCH, FIELD(runs), "N", 1, 100000, NULL, "5",
     "measured runs, after one warm-up"},
    {NETWORK, "batch", 0, KIND_INT, CMD_BENCH | CMD_INFO, FIELD(batch), "N", 1, 4096, NULL, "1", "pictures in one run"},
    {NETWORK, "profile", 0, KIND_FLAG, CMD_BENCH, FIELD(profile), NULL, 0, 0, NULL, NULL,
     "a table of ops and the slowest nodes, with GFLOP/s and GB/s"},

    {FETCH, "from", 0, KIND_TEXT, CMD_MODELS, FIELD(from), "ADDRESS", 0, 0, NULL, "the catalogue's",
     "get: where the checkpoint is; ending in /, a folder that holds it. MATTEBOX_MIRROR replaces the host alone"},
    {FETCH, "sha256", 0, KIND_TEXT, CMD_MODELS, FIELD(sha256), "HEX", 0, 0, NULL, "what is declared",
     "get: the checksum that the checkpoint must have"},
    {FETCH, "all", 0, KIND_FLAG, CMD_MODELS, FIELD(all), NULL, 0, 0, NULL, NULL, "get: every model of the catalogue"},
    {FETCH, "dtype", 0, KIND_CHOICE, CMD_MODELS, FIELD(dtype), "TYPE", 0, 0, args_dtype_name, "as published",
     "get, import: type of the installed values"},
    {FETCH, "offline", 0, KIND_FLAG, CMD_MODELS, FIELD(offline), NULL, 0, 0, NULL, NULL,
     "refuse what needs a network; also MATTEBOX_OFFLINE=1"},
    {FETCH, "timeout", 0, KIND_INT, CMD_MODELS, FIELD(timeout), "SECONDS", 1, 3600, NULL, "30",
     "get: for connecting, and without progress"},
    {FETCH, "retries", 0, KIND_INT, CMD_MODELS, FIELD(retries), "N", 0, 100, NULL, "3",
     "get: how often a broken transfer is taken up again"},

    {MACHINE, "threads", 't', KIND_INT, RUNS, FIELD(threads), "N", 1, 1024, NULL, "all processors",
     "workers; also MATTEBOX_THREADS"},
    {MACHINE, "device", 0, KIND_DEVICE, RUNS | CMD_VERSION, FIELD(device), "NAME", 0, 0, args_device_word, "auto",
     "where networks run; cuda never falls back, cuda:all deals pictures out to every GPU; also MATTEBOX_DEVICE"},
    {MACHINE, "precision", 0, KIND_CHOICE, RUNS | CMD_VERSION, FIELD(precision), "TYPE", 0, 0, mb_precision_name,
     "auto", "arithmetic on a GPU (auto: f32); the CPU computes in f32; also MATTEBOX_PRECISION"},
    {MACHINE, "max-memory", 0, KIND_BYTES, RUNS, FIELD(max_memory), "BYTES", 0, 0, NULL, "what is free",
     "refuse plans that take more, e.g. 6G; also MATTEBOX_MAX_MEMORY"},
    {MACHINE, "max-megapixels-in", 0, KIND_REAL, WRITES, FIELD(max_megapixels_in), "X", 0.001, 4295, NULL, "500",
     "refuse larger pictures, before they are decoded"},

    {FEEDBACK, "json", 0, KIND_FLAG, EDGES | CMD_INFO | CMD_BENCH | CMD_MODELS, FIELD(json), NULL, 0, 0, NULL, NULL,
     "a report in JSON Lines on stdout (docs/json.md)"},
    {FEEDBACK, "quiet", 'q', KIND_FLAG, CMD_ALL, FIELD(quiet), NULL, 0, 0, NULL, NULL, "errors only"},
    {FEEDBACK, "verbose", 'v', KIND_FLAG, CMD_ALL, FIELD(verbose), NULL, 0, 0, NULL, NULL, "a line for each picture"},
    {FEEDBACK, "color", 0, KIND_CHOICE, CMD_ALL, FIELD(color), "WHEN", 0, 0, color_name, "auto",
     "coloured messages; NO_COLOR is honoured"},
    {FEEDBACK, "help", 'h', KIND_FLAG, CMD_ALL, FIELD(help), NULL, 0, 0, NULL, NULL, "this page"},
};
const int n_option_rows = sizeof option_rows / sizeof option_rows[0];
_Static_assert(sizeof option_rows / sizeof option_rows[0] <= MAX_OPTIONS, "args.given is too short");
