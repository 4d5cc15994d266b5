/* The table of commands: names, what their help pages say, and the functions that run them. */
#include "commands.h"

/* The first one is what "mattebox PHOTO" means. */
const command commands[] = {
    {"cut", CMD_CUT, "[OPTION]... PHOTO|FOLDER|-...", "cut the subject out (the default: \"mattebox PHOTO\")",
     "Writes photo.cutout.png (RGBA) beside each photo. Folders are walked recursively, in sorted order. \"-\" reads a "
     "photo from stdin and writes the result to stdout.",
     cmd_cut},
    {"matte", CMD_MATTE, "[OPTION]... PHOTO|FOLDER... --mask MASK|FOLDER | --trimap TRIMAP|FOLDER",
     "cut out by a mask or trimap of your own",
     "Writes photo.cutout.png (RGBA). Needs no mask model. Photo and mask must have the same size; a folder of masks "
     "is "
     "searched for photo.mask.png, photo_mask.png, photo.png and photo.jpg.",
     cmd_matte},
    {"refine", CMD_REFINE, "[OPTION]... PHOTO|FOLDER... --mask MASK|FOLDER | --trimap TRIMAP|FOLDER",
     "refine a mask or trimap of your own: mask in, alpha out",
     "Writes photo.alpha.png (grey). Masks are found as in \"matte\".", cmd_refine},
    {"trimap", CMD_TRIMAP, "[OPTION]... MASK", "make a trimap of a mask",
     "Writes mask.trimap.png: 0 background, 127 unknown, 255 foreground.", cmd_trimap},
    {"frames", CMD_FRAMES, "[OPTION]... < FRAMES > FRAMES", "cut out every frame of a video, between two ffmpeg",
     "Reads frames from stdin and writes each with alpha to stdout: YUV4MPEG2 (ffmpeg -f yuv4mpegpipe), or raw pixels "
     "of "
     "--size. Each frame is cut out by itself; results have the size of the frames. Animated picture files go through "
     "cut. docs/frames.md has whole command lines.",
     cmd_frames},
    {"models", CMD_MODELS,
     "list | get NAME... | rm NAME... | path [NAME] | verify [NAME]... | import FILE... | export DIR [NAME]...",
     "list, download, verify, import and export models",
     "list: installed models, and those that get knows. get: downloads a published checkpoint, checks, converts and "
     "installs it in the first model folder; interrupted downloads are resumed. It is the only command that uses a "
     "network. rm: removes installed models. path: the folders that are searched, or the path of a model. verify: "
     "checks "
     "every value. import: installs model files and checkpoints, or folders of them. export: copies models, all or the "
     "named ones, to a folder or to one .mbw file. docs/models-get.md has the details.",
     cmd_models},
    {"info", CMD_INFO, "[OPTION]... MODEL", "describe a model, and the memory and work of a run", NULL, cmd_info},
    {"bench", CMD_BENCH, "[OPTION]... MODEL", "measure the bare network", NULL, cmd_bench},
    {"tensors", CMD_TENSORS, "[OPTION]... MODEL IN.safetensors OUT.safetensors", "run the bare network on tensors",
     "IN holds `input` [N,C,H,W] in f32, normalised as docs/models says. OUT receives the outputs and every --tap.",
     cmd_tensors},
    {"version", CMD_VERSION, "[--verbose]", "print the version; with --verbose also build and device", NULL,
     cmd_version},
    {"completion", CMD_COMPLETION, "bash|zsh|fish", "print a script that completes command lines", NULL,
     cmd_completion},
    {"help", CMD_HELP, "[COMMAND]", "list the commands, or the options of one", NULL, cmd_help},
};
const int n_commands = sizeof commands / sizeof commands[0];
