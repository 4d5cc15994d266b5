/* Formats that are recognised and not read: each is refused by its name, with the way out. */
#include "source_internal.h"

#include <string.h>

typedef struct mark {
    size_t at;
    const char *bytes;
    size_t n;
    const char *message; /* behind "FILE: " */
} mark;

#define MARK(at, text, message)                                                                                        \
    {                                                                                                                  \
        at, text, sizeof text - 1, message                                                                             \
    }
#define OLD_TORCH                                                                                                      \
    "written by torch < 1.6 (no zip)\n"                                                                                \
    "re-save it with one line: python -c \"import torch; torch.save(torch.load('FILE', map_location='cpu', "           \
    "weights_only=True), 'new.pth')\""

static const mark marks[] = {
    MARK(0, "GGUF", "a GGUF file (llama.cpp, stable-diffusion.cpp)\nget the model's .safetensors or .pth file"),
    MARK(0, "GGML", "a GGML file\nget the model's .safetensors or .pth file"),
    MARK(0, "\x89HDF\r\n\x1a\n", "an HDF5 file (Keras)\nget the model's .safetensors or .pth file"),
    MARK(0, "\x93NUMPY", "a NumPy array\nget the model's .safetensors or .pth file"),
    MARK(0, "\x1f\x8b", "compressed with gzip\nunpack it first"),
    MARK(0, "7z\xBC\xAF", "a 7-Zip archive\nunpack it first"),
    MARK(0, "Rar!", "a RAR archive\nunpack it first"),
    MARK(257, "ustar",
         "a tar archive (a very old PyTorch file, or something else)\nunpack it, or get the .safetensors file"),
    MARK(4, "TFL3", "a TensorFlow Lite model\nget the model's .safetensors or .pth file"),
    MARK(0, "<!DOCTYPE", "a web page, not a checkpoint\nthe download went wrong: get the file itself"),
    MARK(0, "<html", "a web page, not a checkpoint\nthe download went wrong: get the file itself"),
    MARK(0, "version https://git-lfs",
         "a Git LFS pointer, not the file itself\nrun git lfs pull, or download the file"),
    MARK(0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", OLD_TORCH),
};

/* A serialized ONNX ModelProto begins with ir_version (field 1, varint, a small number) and a string field (2 or 3
 * producer, or 8 opset) - no magic, so its first fields must all fit. */
static bool looks_like_onnx(const uint8_t *p, size_t n)
{
    if (n < 16 || p[0] != 0x08 || p[1] == 0 || p[1] > 20) {
        return false;
    }
    if (p[2] == 0x12 || p[2] == 0x1a || p[2] == 0x3a || p[2] == 0x42) { /* producer name, version, graph, opset */
        size_t length = p[3];
        return p[2] == 0x3a || (length < 64 && 4 + length < n);
    }
    return false;
}

/* Always fails. The message names the format where it is recognised, and what to do. */
mb_status source_refuse_unknown(const void *data, size_t bytes, const char *path, mb_error *err)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        const mark *m = &marks[i];
        if (bytes >= m->at + m->n && memcmp(p + m->at, m->bytes, m->n) == 0) {
            return mb_fail(err, MB_E_UNSUPPORTED, "%s: %s", path, m->message);
        }
    }
    if (looks_like_onnx(p, bytes)) {
        return mb_fail(err, MB_E_UNSUPPORTED, "%s: an ONNX model\nget the model's .safetensors or .pth file", path);
    }
    if (bytes > 2 && p[0] == 0x80 && p[1] >= 2 && p[1] <= 5) {
        return mb_fail(err, MB_E_UNSUPPORTED,
                       "%s: a bare pickle, not a checkpoint in a zip\n"
                       "nothing was run; re-save it with torch.save of torch 1.6 or newer",
                       path);
    }
    if (bytes == 0) {
        return mb_fail(err, MB_E_FORMAT, "%s: an empty file", path);
    }
    return mb_fail(err, MB_E_FORMAT,
                   "%s: not a checkpoint that is known here\n"
                   "accepted: .safetensors, its index.json, a hub folder, .pth/.pt/.bin (torch >= 1.6)",
                   path);
}
