/* mattebox models without a network: list, path, rm, verify, export, import, the user's catalogue. */
#include "harness/check.h"
#include "harness/process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODELS ".local/share/mattebox/models/"

static process p;

BEFORE_EACH
{
    process_run(&p, "rm -rf .local .config out");
}

static void install_both(void)
{
    process_run(&p, "mkdir -p " MODELS " && cp a.mbw " MODELS "vitmatte-s.mbw && cp b.mbw " MODELS "mine.mbw");
    CHECK_RUN(&p, 0, "");
}

TEST(export)
{
    process_run(&p, "mattebox models export out");
    CHECK_RUN(&p, 3, "no models are installed\n  mattebox models list shows what can be had\n");
    CHECK(!file_exists("out"));
    install_both();
    process_run(&p, "mattebox models export out/deep && cd out/deep && sha256sum -c SHA256SUMS");
    CHECK_RUN(&p, 0, "2 models copied to out/deep\n");
    CHECK(file_equal("out/deep/vitmatte-s.mbw", "a.mbw") && file_equal("out/deep/mine.mbw", "b.mbw"));
    process_run(&p, "mattebox models export out/deep");
    CHECK_RUN(&p, 2, "out/deep/mine.mbw exists\n  --force replaces it\n");
    process_run(&p, "mattebox models export out/deep mine --force && wc -l <out/deep/SHA256SUMS");
    CHECK(p.code == 0 && atoi(p.out) == 2);
    process_run(&p, "mattebox models export one.mbw vitmatte-small && cmp one.mbw a.mbw");
    CHECK_RUN(&p, 0, "1 model copied to one.mbw\n");
    process_run(&p, "mattebox models export out/deep nonesuch");
    CHECK_RUN(&p, 3, "no model \"nonesuch\" in: ");
    process_run(&p, "mattebox models export");
    CHECK_RUN(&p, 2, "models export needs a folder\n");
    process_run(&p, "ulimit -f 100; mattebox models export full mine; code=$?; ls -A full; exit $code");
    CHECK_RUN(&p, 5,
              "full/mine.mbw: a file may not become that large here (ulimit -f) (1.0 MB needed); nothing was left");
    CHECK_MSG(p.out_bytes == 0, "left: %s", p.out);
}

/* A sum over damage would tell the next machine that all is well. */
TEST(export_verifies)
{
    install_both();
    process_run(&p, "printf x | dd of=" MODELS "mine.mbw bs=1 seek=500000 conv=notrunc 2>/dev/null; "
                    "mattebox models export out; code=$?; ls out; cat out/SHA256SUMS; exit $code");
    CHECK_RUN(&p, 3, MODELS "mine.mbw: ");
    CHECK_CONTAINS(p.err, "1 model copied to out\n"); /* the sound one */
    CHECK(strstr(p.out, "mine") == NULL && strstr(p.out, "vitmatte-s.mbw\n") != NULL);
    process_run(&p, "mattebox models export one-more.mbw mine");
    CHECK_RUN(&p, 3, "checksum");
    CHECK(!file_exists("one-more.mbw"));
}

/* With --json a line of JSON per model, and nothing else on stdout. */
TEST(json)
{
    install_both();
    static const struct {
        const char *line, *says;
        int code, lines;
    } rows[] = {
        {"verify", "mine.mbw\",\"status\":\"ok\",\"tensors\":120}", 0, 2},
        {"verify mine nonesuch", "\"name\":\"nonesuch\",\"path\":null,\"status\":\"failed\",\"message\":\"no model", 3,
         2},
        {"path", "{\"folder\":\"", 0, 0},
        {"path mine", "{\"name\":\"mine\",\"path\":\"", 0, 1},
        {"path nonesuch", "\"status\":\"failed\",\"message\":\"no model", 3, 1},
        {"export out", "\"path\":\"out/vitmatte-s.mbw\",\"status\":\"ok\",\"input\":\"", 0, 2},
        {"export out", "\"status\":\"failed\",\"input\":", 2, 2},
        {"rm mine nonesuch", "\"status\":\"failed\",\"message\":\"no model \\\"nonesuch\\\" is installed", 3, 2},
        {"import out/mine.mbw gone.mbw", "\"input\":\"out/mine.mbw\",\"sha256\":\"", 3, 2},
        {"import out/mine.mbw", "\"was_there\":true}", 0, 1},
        {"get vitmatte-s", "\"was_there\":true}", 0, 1},
        {"list", "\"name\":\"mine\",\"path\":\"", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        process_run(&p, "mattebox models %s --json", rows[i].line);
        CHECK_MSG(p.code == rows[i].code && strstr(p.out, rows[i].says) != NULL, "%s: %d: %s", rows[i].line, p.code,
                  p.out);
        int lines = 0;
        for (const char *at = p.out; *at != '\0'; lines++) {
            const char *end = strchr(at, '\n');
            REQUIRE(end != NULL);
            CHECK_MSG(at[0] == '{' && end[-1] == '}', "%s: %.80s", rows[i].line, at);
            at = end + 1;
        }
        CHECK_MSG(rows[i].lines == 0 ? lines > 0 : lines == rows[i].lines, "%s: %s", rows[i].line, p.out);
    }
    process_run(&p, "mattebox models verify --json --quiet >r.json; rm -f " MODELS "*; mattebox models verify --json");
    CHECK_RUN(&p, 0, "");
    CHECK_STR(p.out, "");
}

/* What a plain "mattebox PHOTO" takes, and which names are not to be had. */
TEST(default_model)
{
    process_run(
        &p, "mattebox models list | grep -c 'the default: what mattebox PHOTO takes'; mattebox models path default");
    if (atoi(p.out) == 1) { /* a model is linked in */
        CHECK_RUN(&p, 3, "default is built in: it has no file");
    }
    process_run(&p, "mattebox models path saliency");
    CHECK_RUN(&p, 3, "saliency is built in: it has no file");
    process_run(&p, "mkdir -p " MODELS " && cp seg.mbw " MODELS "bt.mbw && cp a.mbw " MODELS "aa.mbw && "
                    "mattebox models path default");
    CHECK_RUN(&p, 0, "");
    CHECK_CONTAINS(p.out, "/" MODELS "bt.mbw\n");
    process_run(&p, "mattebox models list | grep -B1 'the default: what mattebox PHOTO takes'");
    CHECK_CONTAINS(p.out, "bt.mbw\n    the default");
    process_run(&p, "mattebox models list | grep -c 'whichever cuts better'");
    CHECK_EQ(atoi(p.out), 0);
    process_run(&p, "mattebox models list --json | grep '\"default\":true'");
    CHECK_CONTAINS(p.out, "{\"name\":\"bt\",");
    process_run(&p, "mattebox info default --size 64 --json");
    CHECK_CONTAINS(p.out, "bt.mbw\"");
    process_run(&p, "mattebox models verify default");
    CHECK_RUN(&p, 0, "");
    /* a default that only refines masks would fail for every photo: it is passed over */
    process_run(&p, "cp a.mbw " MODELS "default.mbw && mattebox models path default");
    CHECK_CONTAINS(p.out, "/" MODELS "bt.mbw\n");
    process_run(&p, "cp seg.mbw " MODELS "default.mbw && mattebox models path default");
    CHECK_CONTAINS(p.out, "/" MODELS "default.mbw\n");
    /* a file "demo" is listed where it lies, not as built in */
    process_run(&p, "cp a.mbw " MODELS "demo.mbw && mattebox models list | grep -A1 '^demo '");
    CHECK_CONTAINS(p.out, "VITMatte");
    CHECK(strstr(p.out, "(built in)") == NULL);
    static const char *const names[] = {"demo", "saliency", "Demo"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        process_run(&p, "rm -rf " MODELS " && cp seg.mbw %s.mbw && mattebox models import %s.mbw", names[i], names[i]);
        CHECK_RUN(&p, 2, ": that names what is built in\n  rename it first\n");
        CHECK(!file_exists(MODELS));
    }
    /* a file of the name "default" is how somebody chooses the default */
    process_run(&p, "cp seg.mbw default.mbw && mattebox models import default.mbw && mattebox models path default");
    CHECK_CONTAINS(p.out, "/" MODELS "default.mbw\n");
    process_run(&p, "mattebox models get demo --from http://127.0.0.1:1/x");
    CHECK_RUN(&p, 2, "models get: no model can be installed as \"demo\"");
}

TEST(remove)
{
    install_both();
    process_run(&p, "mattebox models rm mine vitmatte-small && ls -A " MODELS);
    CHECK_RUN(&p, 0, "mine.mbw is removed\n");
    CHECK_EQ(p.out_bytes, 0);
    process_run(&p, "mattebox models rm mine");
    CHECK_RUN(&p, 3, "no model \"mine\" is installed\n");
    process_run(&p, "mattebox models rm ../../../../a; mattebox models rm ./a.mbw; mattebox models rm $PWD/a");
    CHECK_EQ(p.code, 3);
    CHECK(file_exists("a.mbw"));
    process_run(&p, "mattebox models rm");
    CHECK_RUN(&p, 2, "models rm needs a model\n");
}

TEST(import)
{
    install_both();
    process_run(&p, "mattebox models export out/deep && rm -f " MODELS "* && mattebox models import out/deep");
    CHECK(p.code == 0 && file_equal(MODELS "vitmatte-s.mbw", "a.mbw") && file_equal(MODELS "mine.mbw", "b.mbw"));
    process_run(&p, "mattebox models import out/deep");
    CHECK_RUN(&p, 0, "out/deep/mine.mbw is installed already: ");
    /* one of two is damaged: said, the other is installed */
    process_run(&p, "rm -f " MODELS "*; printf x | dd of=out/deep/mine.mbw bs=1 seek=500000 conv=notrunc 2>/dev/null; "
                    "mattebox models import out/deep");
    CHECK_RUN(&p, 3, "out/deep/mine.mbw: is not the file that SHA256SUMS beside it names: SHA-256 ");
    CHECK(!file_exists(MODELS "mine.mbw") && file_exists(MODELS "vitmatte-s.mbw"));
    process_run(&p, "rm -f out/deep/SHA256SUMS; mattebox models import out/deep/mine.mbw");
    CHECK_RUN(&p, 3, "checksum");
    CHECK(!file_exists(MODELS "mine.mbw"));
    /* checkpoints are converted under the names that people know */
    process_run(&p, "rm -f " MODELS "*; mkdir -p vitmatte-base-composition-1k && cp hub.safetensors "
                    "vitmatte-base-composition-1k/model.safetensors && cp hub.safetensors odd.bin && "
                    "mattebox models import vitmatte-base-composition-1k/ odd.bin --dtype f16 && ls " MODELS);
    CHECK_RUN(&p, 0, "");
    CHECK_MSG(strstr(p.out, "odd.mbw\nvitmatte-b.mbw\n") != NULL, "%s", p.out);
    process_run(&p, "mattebox models list | grep f16 | grep -vc ^demo");
    CHECK_EQ(atoi(p.out), 2);
    /* another network under a published name */
    process_run(&p, "cp hub.safetensors BiRefNet_lite.safetensors && mattebox models import BiRefNet_lite.safetensors");
    CHECK_RUN(&p, 3, "birefnet-general-lite: what came is a vitmatte network, not birefnet\n");
    process_run(&p, "echo no >no.pth && mattebox models import no.pth; code=$?; ls -A " MODELS "; exit $code");
    CHECK_EQ(p.code, 3);
    CHECK(strstr(p.out, "no.mbw") == NULL);
    CHECK(strstr(p.out, "mattebox-") == NULL);
    process_run(&p, "mattebox models import gone.mbw");
    CHECK_RUN(&p, 3, "gone.mbw: no such file\n");
    process_run(&p, "cp a.mbw 'a b.mbw' && mattebox models import 'a b.mbw'");
    CHECK_RUN(&p, 2, "a b.mbw: its name cannot name a model");
    process_run(&p, "mattebox models import");
    CHECK_RUN(&p, 2, "models import needs a model file, a checkpoint or a folder\n");
}

TEST(list)
{
    process_run(&p, "mattebox models list");
    CHECK_RUN(&p, 0, "");
    CHECK_CONTAINS(p.out, "birefnet-general            444 MB  general  1024x1024  MIT\n");
    CHECK_CONTAINS(p.out,
                   "rmbg-2.0                    885 MB  general  1024x1024  CC BY-NC 4.0 (non-commercial); terms to "
                   "accept first\n");
    process_run(&p, "mattebox models list --json | grep '\"vitmatte-b\"'");
    CHECK_MSG(
        strstr(p.out,
               "\"status\":\"available\",\"task\":\"matting\",\"licence\":\"Apache-2.0\",\"non_commercial\":false") !=
            NULL,
        "%s", p.out);
    process_run(&p, "mattebox models verify");
    CHECK_EQ(p.code, 0);
    CHECK_STR(p.out, "no models installed\n");
    process_run(&p, "mkdir -p " MODELS " && cp a.mbw b.mbw " MODELS "; mattebox models verify | grep -c sound");
    CHECK_EQ(atoi(p.out), 2);
    /* what is missing is named with the command that gets it */
    process_run(&p, "mattebox cat.ppm --model birefnet-lite");
    CHECK_RUN(&p, 3, "mattebox: no model \"birefnet-lite\" in: ");
    CHECK_CONTAINS(p.err, "\n  mattebox models get birefnet-general-lite (178 MB, MIT)\n");
    process_run(&p, "mattebox matte cat.ppm --mask-from cat.ppm --detail vitmatte");
    CHECK_RUN(&p, 3, "\n  mattebox models get vitmatte-s (103 MB, Apache-2.0)\n");
}

TEST(user_catalogue)
{
    process_run(&p, "mkdir -p .config/mattebox && printf 'model ours\\n  address http://127.0.0.1:1/x\\n  file x.pth\\n"
                    "  licence ours alone\\n\\nmodel vitmatte-s # no comment here\\n' >.config/mattebox/models.txt && "
                    "mattebox models list");
    CHECK_RUN(&p, 2, ".config/mattebox/models.txt: line 6: model: 1 to 64 letters");
    process_run(&p, "sed -i '/^model vit/,$d' .config/mattebox/models.txt && mattebox models list | grep '^ours '");
    CHECK_MSG(strstr(p.out, "ours alone\n") != NULL, "%s", p.out);
    process_run(&p, "mattebox models get ours");
    CHECK(p.code == 3 && (strstr(p.err, "cannot reach 127.0.0.1") != NULL || strstr(p.err, "download") != NULL));
    static const struct {
        const char *text, *problem;
    } rows[] = {
        {"address x", "line 1: an entry begins with: model NAME"},
        {"model a\\naddress ftp://x", "line 2: address: begins with https:// or http://"},
        {"model a\\naddress http://x\\nfile ../x", "line 3: file: a plain file name"},
        {"model a\\nsha256 12", "line 2: sha256: 64 hexadecimal digits"},
        {"model a\\nsize 12", "line 2: size: a number with kB, MB or GB"},
        {"model a\\ninput 12", "line 2: input: WIDTHxHEIGHT"},
        {"model a\\nfamily u2net", "line 2: family: birefnet, vitmatte"},
        {"model a\\nterms of use", "line 2: terms: accept, non-commercial"},
        {"model a\\nprice 1", "line 2: unknown word"},
        {"model a\\nfile x", "line 3: the entry above needs an address and a file"},
        {"model a\\n\\000", "is not a text file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        process_run(&p, "printf '%s\\n' >.config/mattebox/models.txt; mattebox models get a", rows[i].text);
        CHECK_RUN(&p, 2, rows[i].problem);
    }
}

SETUP
{
    (void)process_folder("cli-models-move");
    process_run(&p,
                "mattebox-weights generate vitmatte-tiny4 --checkpoint -o hub.safetensors && mattebox-weights generate "
                "vitmatte-tiny4 -o a.mbw && mattebox-weights generate vitmatte-tiny4 --seed 2 -o b.mbw && "
                "mattebox-weights generate tiny_legacy -o seg.mbw -q && "
                "printf 'P6 1 1 255\\nabc' >cat.ppm");
    CHECK_RUN(&p, 0, "");
}
