"""The Python package against the library of a build tree: package_test.py BUILD SOURCE. Standard library and numpy.
BUILD may be a folder in which a wheel was unpacked instead: then its package, library and programs are tried, on any system.

Pictures are small and found by saliency, so that the whole takes a few seconds; networks have tests of their own.
"""
import base64
import ctypes
import doctest
import gc
import hashlib
import importlib
import json
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import warnings
import zipfile

BUILD, SOURCE = map(pathlib.Path, sys.argv[1:3])
WORK = pathlib.Path(tempfile.mkdtemp(prefix="mattebox-python-"))
UNPACKED = (BUILD / "mattebox/lib").is_dir()
PROGRAM = (BUILD / "mattebox/bin" if UNPACKED else BUILD) / ("mattebox.exe" if os.name == "nt" else "mattebox")
os.environ.update(XDG_DATA_HOME=str(WORK / "data"), HOME=str(WORK))
if not UNPACKED:
    os.environ.update(MATTEBOX_LIBRARY=str(BUILD / "libmattebox.so"), MATTEBOX_PROGRAMS=str(BUILD))
os.environ.pop("MATTEBOX_MODELS", None)
sys.dont_write_bytecode = True
sys.path.insert(0, str(BUILD if UNPACKED else SOURCE / "app/python"))

import mattebox  # noqa: E402

LOADED_BY_IMPORT = {name for name in ("numpy", "PIL", "mattebox._model", "mattebox.compat") if name in sys.modules}
try:
    import numpy as np
except ImportError:
    print("skipped: no numpy (python3-numpy)")
    sys.exit(77)
from mattebox import _abi, _options, _pictures, compat  # noqa: E402
from mattebox._library import lib  # noqa: E402
from mattebox.ray import CutOut  # noqa: E402

CAT = SOURCE / "docs/pictures/cat.jpg"
MODULES = ["mattebox", "mattebox._model", "mattebox._mask", "mattebox._result", "mattebox.compat"]


def pixels(path):
    picture = _pictures.load(str(path), keep_depth=False)
    return _pictures.copy_of(picture.image)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = mattebox.Model(None, segment="saliency")
        cls.photo = np.ascontiguousarray(pixels(CAT)[::2, ::2, :3])
        cls.png = cls.file_of(cls.photo)

    @staticmethod
    def file_of(array):
        picture = _pictures.from_array(array)
        return _pictures.encode(picture.image)


class Agreement(Case):
    def test_generated(self):
        subprocess.run([sys.executable, SOURCE / "app/python/generate.py", "--check"], check=True)

    def test_layout(self):
        """Every default stands where the library wrote it, so every field has its place."""
        c = _abi.mb_options()
        ctypes.memset(ctypes.byref(c), 0xAB, ctypes.sizeof(c))
        lib().mb_options_init(ctypes.byref(c))
        self.assertEqual(c.size, ctypes.sizeof(c))
        for name, value in _options.DEFAULTS.items():
            kind, names = _options.OPTIONS[name]
            self.assertEqual(getattr(c, name), names.index(value) if kind == "choice" else value, name)
        for init, struct in (("mb_load_options_init", _abi.mb_load_options), ("mb_save_options_init", _abi.mb_save_options),
                             ("mb_mask_options_init", _abi.mb_mask_options), ("mb_context_options_init", _abi.mb_context_options)):
            c = struct()
            getattr(lib(), init)(ctypes.byref(c))
            self.assertEqual(c.size, ctypes.sizeof(c), init)

    def test_names(self):
        for option, names in (("recipe", "recipe"), ("detail", "detail"), ("segment", "segmenter"), ("background", "background")):
            known = [getattr(lib(), f"mb_{names}_name")(i).decode() for i in range(len(_options.OPTIONS[option][1]))]
            self.assertEqual(known, list(_options.OPTIONS[option][1]))
            self.assertIsNone(getattr(lib(), f"mb_{names}_name")(len(known)))

    def test_import_is_light(self):
        self.assertEqual(LOADED_BY_IMPORT, set())

    def test_doctests(self):
        for name in MODULES:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                failed, tried = doctest.testmod(importlib.import_module(name))
            self.assertEqual(failed, 0)
            self.assertTrue(tried or name in ("mattebox._result",), name)


class Cutting(Case):
    def test_as_the_program(self):
        photo = WORK / "photo.png"
        photo.write_bytes(self.png)
        out = WORK / "program.png"
        subprocess.run([PROGRAM, photo, "-o", out, "--model", "saliency", "--detail", "guided"], check=True,
                       stdout=subprocess.DEVNULL)
        expected = pixels(out)
        options = {"detail": "guided"}
        self.assertTrue(np.array_equal(self.model.cut(self.photo, **options), expected))
        self.assertTrue(np.array_equal(pixels(self.model.cut(photo, **options)), expected))
        data = self.model.cut(self.png, **options)
        again = WORK / "again.png"
        again.write_bytes(data)
        self.assertTrue(np.array_equal(pixels(again), expected))

    def test_profiles(self):
        """The photo's profile goes into the file, and the background into the profile: as the program has them."""
        photo = next(path for path in sorted((SOURCE / "tests/data/pictures/profiles").glob("p3*.png")))
        program, ours = WORK / "p3.program.png", WORK / "p3.ours.png"
        for background in ("#ff0000", str(CAT)):
            subprocess.run([PROGRAM, photo, "-o", program, "--force", "--model", "saliency", "--background", background],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.model.cut(photo, to=ours, background=background)
            self.assertTrue(np.array_equal(pixels(program), pixels(ours)), background)
            self.assertIn(b"iCCP", ours.read_bytes())
        plain = self.model.cut(pixels(photo), background="#ff0000")
        self.assertFalse(np.array_equal(plain[..., :3], pixels(ours)[..., :3]))

    def test_files(self):
        photo = WORK / "files" / "a.png"
        photo.parent.mkdir()
        photo.write_bytes(self.png)
        self.assertEqual(self.model.cut(photo), photo.with_name("a.cutout.png"))
        with self.assertRaisesRegex(mattebox.ArgumentError, "exists"):
            self.model.cut(str(photo))
        self.assertEqual(self.model.cut(photo, overwrite=True), photo.with_name("a.cutout.png"))
        self.assertEqual(self.model.cut(photo, output="alpha", to=f"{WORK}/files/out/"), WORK / "files/out/a.alpha.png")
        self.assertEqual(self.model.cut(self.photo, to=WORK / "x.webp"), WORK / "x.webp")
        with self.assertRaisesRegex(mattebox.ArgumentError, "JPEG"):
            self.model.cut(self.photo, to=WORK / "x.jpg")
        self.assertFalse((WORK / "x.jpg").exists())
        self.assertEqual(self.photo.shape, pixels(photo).shape)

    def test_kinds_of_arrays(self):
        whole = self.model.cut(self.photo)
        self.assertEqual((whole.shape, whole.dtype), (self.photo.shape[:2] + (4,), np.uint8))
        bgr = self.model.cut(np.ascontiguousarray(self.photo[:, :, ::-1]), order="bgr")
        self.assertTrue(np.array_equal(bgr[:, :, [2, 1, 0, 3]], whole))
        floats = self.photo.astype(np.float32) / np.float32(255)
        self.assertTrue(np.array_equal(self.model.cut(floats, depth=8), whole))
        self.assertTrue(np.array_equal(self.model.cut(floats.astype(np.float64), depth=8), whole))
        deep = self.model.cut(self.photo.astype(np.uint16) * 257)
        self.assertEqual(deep.dtype, np.uint16)
        self.assertEqual(self.model.cut(self.photo[:, :, 0]).shape, whole.shape)
        for wrong in (np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3), np.int32), np.zeros(5)):
            with self.assertRaises(mattebox.ArgumentError):
                self.model.cut(wrong)
        with self.assertRaises(mattebox.ArgumentError):
            self.model.cut(5)

    def test_no_copies(self):
        for view in (self.photo, self.photo[5:60, 7:70], self.photo[3:]):
            picture = _pictures.from_array(view)
            self.assertEqual(picture.image.data, view.ctypes.data)
            self.assertEqual(picture.image.row_bytes, view.strides[0])
        self.assertNotEqual(_pictures.from_array(self.photo[:, ::2]).image.data, self.photo.ctypes.data)
        part = self.photo[5:60, 7:70]
        self.assertTrue(np.array_equal(self.model.cut(part), self.model.cut(part.copy())))
        frozen = self.photo.copy()
        frozen.flags.writeable = False
        self.model.cut(frozen)
        result = self.model.run(self.photo)
        handle = result._handle
        alpha, cutout = result.alpha, result.cutout
        self.assertEqual(alpha.ctypes.data, handle.pointer.contents.alpha.data)
        freed = []
        real = lib().mb_result_free
        lib().mb_result_free = lambda pointer: (freed.append(1), real(pointer))[1]
        try:
            sums = alpha.sum(), cutout.sum()
            del result, handle
            gc.collect()
            self.assertEqual((freed, alpha.sum(), cutout.sum()), ([], *sums))
            del alpha
            gc.collect()
            self.assertEqual((freed, cutout.sum()), ([], sums[1]))
            del cutout
            gc.collect()
            self.assertEqual(freed, [1])
        finally:
            lib().mb_result_free = real

    def test_results(self):
        result = self.model.run(self.photo, detail="guided", want_trimap=False)
        self.assertEqual(result.mask.shape, self.photo.shape[:2])
        self.assertIsNone(result.trimap)
        self.assertTrue(0 < result.coverage < 1 and result.peak_bytes > 0 and set(result.milliseconds) == {"network", "refine", "compose"})
        x, y, width, height = result.box
        rows, columns = np.nonzero(result.alpha)
        self.assertEqual((x, y, width, height), (columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1))
        with self.assertRaisesRegex(mattebox.ArgumentError, "no trimap"):
            result.encode("trimap")
        self.assertTrue(result.encode("alpha").startswith(b"\x89PNG"))
        plan = self.model.plan(1000, 800)
        self.assertGreater(plan.picture_bytes, 1000 * 800 * 3)

    def test_options(self):
        for name, value, said in (("erode", 300, "erode 300: 1 to 255"), ("erode", 1.5, "a whole number"), ("detail", "x", "one of none"),
                                  ("erodes", 3, "did you mean erode"), ("flip", "no", "True or False"), ("background", "nosuch", "no colour")):
            with self.assertRaisesRegex(mattebox.ArgumentError, said):
                self.model.cut(self.photo, **{name: value})
        self.assertEqual(self.model.cut(self.photo, background="white").shape[2], 3)
        half = self.model.cut(self.photo, background=(10, 20, 30, 128))
        self.assertEqual(half[self.model.run(self.photo).alpha == 0][0].tolist(), [10, 20, 30, 128])
        behind = np.full((50, 40, 3), 7, np.uint8)
        self.assertEqual(self.model.cut(self.photo, background=behind)[0, 0].tolist(),
                         self.model.cut(self.photo, background=(7, 7, 7))[0, 0].tolist())
        self.assertEqual(self.model.cut(self.photo, background="blur:4").shape, self.photo.shape)
        self.assertFalse(np.array_equal(self.model.cut(self.photo, foreground="none"), self.model.cut(self.photo)))
        with self.assertRaises(mattebox.ArgumentError):
            mattebox.Model(None, device="tpu")
        with self.assertRaises(mattebox.ArgumentError):
            mattebox.Model(None, preset="nothing")

    def test_own_masks(self):
        mask = np.zeros(self.photo.shape[:2], bool)
        mask[20:120, 30:180] = True
        alpha = self.model.matte(self.photo, mask, output="alpha", detail="guided")
        self.assertEqual(alpha.dtype, np.uint8)
        same = self.model.matte(self.photo, mask.astype(np.float32), output="alpha", detail="guided")
        self.assertTrue(np.array_equal(alpha, same))
        three = mattebox.trimap(mask, erode=3, dilate=3)
        self.assertEqual(set(np.unique(three)), {0, 127, 255})
        found = self.model.matte(self.photo, trimap=three, output="alpha")
        self.assertTrue((found[three == 255] == 255).all() and (found[three == 0] == 0).all())
        small = mask[::2, ::2]
        with self.assertRaises(mattebox.ArgumentError):
            self.model.matte(self.photo, small)
        self.assertEqual(self.model.matte(self.photo, small, scale_mask=True).shape, self.photo.shape[:2] + (4,))
        with self.assertRaisesRegex(mattebox.ArgumentError, "exactly one"):
            self.model.matte(self.photo)
        self.assertTrue(mattebox.trimap(self.file_of(mask.astype(np.uint8) * 255)).startswith(b"\x89PNG"))

    def test_many(self):
        photos = [self.photo, b"nothing", self.png, WORK / "missing.png", self.photo[:40]]
        results = list(self.model.cut_many(photos, errors="yield"))
        self.assertEqual([type(r).__name__ for r in results], ["ndarray", "FormatError", "bytes", "FileError", "ndarray"])
        self.assertTrue(np.array_equal(results[0], self.model.cut(self.photo)))
        with self.assertRaises(mattebox.FormatError):
            list(self.model.cut_many(photos))
        taken = []

        def endless():
            while True:
                taken.append(1)
                yield self.photo[:40]

        for number, _ in enumerate(self.model.cut_many(endless())):
            if number == 2:
                break
        gc.collect()
        self.assertLessEqual(len(taken), 5)
        names = []
        for name in "ab":
            (WORK / f"{name}.png").write_bytes(self.png)
            names.append(WORK / f"{name}.png")
        seen = []
        out = list(self.model.cut_many(names, to=WORK / "many", progress=lambda number, at: seen.append(number)))
        self.assertEqual(out, [WORK / "many/a.cutout.png", WORK / "many/b.cutout.png"])
        self.assertEqual(set(seen), {0, 1})

    def test_errors(self):
        for wrong, kind, code, base in ((WORK / "no.jpg", mattebox.FileError, "MB_E_IO", OSError),
                                        (b"hello", mattebox.FormatError, "MB_E_FORMAT", ValueError)):
            with self.assertRaises(kind) as caught:
                self.model.cut(wrong)
            self.assertEqual((caught.exception.code, isinstance(caught.exception, base)), (code, True))
        with self.assertRaises(mattebox.FileError) as caught:
            mattebox.Model("no-such-model")
        self.assertTrue((WORK / "data").as_posix() in str(caught.exception) + caught.exception.hint)
        copy = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((type(copy), str(copy), copy.hint), (mattebox.FileError, str(caught.exception), caught.exception.hint))
        with mattebox.Model(None, max_memory=1000, segment="saliency") as small, self.assertRaises(MemoryError):
            small.cut(self.photo)
        for use in (lambda: small.cut(self.photo), lambda: small.device, lambda: small.info, lambda: small.plan(9, 9)):
            with self.assertRaisesRegex(mattebox.ArgumentError, "closed"):
                use()
        self.assertIn("closed", repr(small))
        small.close()
        with self.assertRaises(mattebox.ArgumentError):
            mattebox.Model(None).cut(self.photo)


class Stopping(Case):
    def setUp(self):
        self.large = np.ascontiguousarray(np.tile(self.photo, (8, 8, 1)))  # seconds of work

    def test_cancel(self):
        event = threading.Event()
        threading.Timer(0.2, event.set).start()
        start = time.perf_counter()
        with self.assertRaises(mattebox.Cancelled):
            self.model.cut(self.large, cancel=event, detail="pymatting")
        self.assertGreater(time.perf_counter() - start, 0.15)
        self.assertEqual(self.model.cut(self.photo).shape[2], 4)  # and goes on working

    def test_progress(self):
        seen = []
        self.model.cut(self.photo, progress=seen.append, detail="guided")
        self.assertEqual([at.done for at in seen], sorted(at.done for at in seen))
        self.assertEqual(seen[-1].done, 1)
        self.assertLessEqual({"segment", "refine", "compose"}, {at.stage for at in seen})

        def fail(at):
            raise KeyError(at.stage)

        with self.assertRaises(KeyError):
            self.model.cut(self.photo, progress=fail)

    def test_control_c(self):
        def interrupted(delay):
            if os.name == "nt":  # where os.kill ends the process
                threading.Timer(delay, signal.raise_signal, (signal.SIGINT,)).start()
            else:
                threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()
            try:
                self.model.cut(self.large, detail="pymatting")
                time.sleep(5)
            except KeyboardInterrupt:
                return True
            return False

        for delay in (0.05, 0.3):  # Python drops what a signal raises in a destructor: once more then
            self.assertTrue(interrupted(delay) or interrupted(delay))
        self.assertIs(sys.unraisablehook, sys.__unraisablehook__)

    def test_lock_is_released(self):
        counted, running = [0], [True]

        def count():
            while running[0]:
                counted[0] += 1
                time.sleep(0.001)

        thread = threading.Thread(target=count)
        thread.start()
        start = time.perf_counter()
        self.model.cut(self.large[:1000, :1500])
        spent = time.perf_counter() - start
        running[0] = False
        thread.join()
        self.assertGreater(counted[0], spent * 20)

    def test_close_waits(self):
        model = mattebox.Model(None, segment="saliency", jobs=2)
        results, begun = [], threading.Event()
        thread = threading.Thread(target=lambda: results.append(model.cut(self.large, progress=lambda _: begun.set())))
        thread.start()
        begun.wait()
        model.close()
        thread.join()
        self.assertEqual(results[0].shape[2], 4)

    def test_threads(self):
        from concurrent.futures import ThreadPoolExecutor

        model = mattebox.Model(None, segment="saliency", jobs=2, threads=1)
        parts = [self.photo[i:i + 80] for i in range(0, 60, 10)]
        alone = [model.cut(part) for part in parts]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(model.cut, parts))
        self.assertTrue(all(np.array_equal(a, b) for a, b in zip(alone, together)))
        self.assertLessEqual(len(model._native.pipelines), 2)
        again = pickle.loads(pickle.dumps(model))
        self.assertTrue(np.array_equal(again.cut(parts[0]), alone[0]))


class Compatibility(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.session = compat.BaseSession("saliency", cls.model)

    def remove(self, data, **more):
        return compat.remove(data, session=self.session, **more)

    def test_kinds(self):
        size = self.photo.shape[:2]
        self.assertEqual(self.remove(self.photo).shape, size + (4,))
        self.assertEqual(self.remove(self.photo, only_mask=True).shape, size)
        self.assertTrue(self.remove(self.png).startswith(b"\x89PNG"))
        self.assertEqual(self.remove(self.photo, bgcolor=(1, 2, 3, 255)).shape, size + (4,))
        self.assertEqual(self.remove(self.photo, alpha_matting=True).shape, size + (4,))
        self.assertTrue(self.remove(self.photo, force_return_bytes=True).startswith(b"\x89PNG"))
        cut = compat.BaseSession("grabcut", mattebox.Model(None, segment="saliency", grabcut=True))
        self.assertTrue(np.array_equal(compat.remove(self.photo, session=cut)[:, :, 3], compat.remove(self.photo, session=cut, only_mask=True)))
        own = self.remove(self.photo, putalpha=True)
        self.assertTrue(np.array_equal(own[:, :, :3], self.photo))
        with self.assertRaises(ValueError):
            self.remove([1, 2])
        binary = self.remove(self.photo, only_mask=True, post_process_mask=True)
        self.assertLessEqual(set(np.unique(binary)), {0, 255})

    def test_sessions(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.assertEqual(compat.new_session("u2net").name(), "u2net")
            compat.new_session("u2net")
        self.assertEqual(len([w for w in caught if "u2net" in str(w.message)]), 1)
        for name in ("sam", "no-such-network"):
            with self.assertRaises(ValueError):
                compat.new_session(name)
        with self.assertRaisesRegex(mattebox.FileError, "birefnet-general"):
            compat.new_session("birefnet-general")

    def test_trimap(self):
        """Against the definition, pixel by pixel."""
        random = np.random.default_rng(1)
        area = random.random((23, 31)) < 0.9
        for size in (1, 2, 3, 10):
            found = compat._eroded(area, size)
            for y, x in np.ndindex(area.shape):
                window = area[max(0, y - size // 2):y + size - size // 2, max(0, x - size // 2):x + size - size // 2]
                self.assertEqual(found[y, x], window.all(), (size, y, x))

    def test_pil(self):
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("no Pillow")
        picture = Image.fromarray(self.photo)
        self.assertEqual((self.remove(picture).mode, self.remove(picture, only_mask=True).mode), ("RGBA", "L"))
        self.assertTrue(np.array_equal(np.asarray(self.model.cut(picture)), self.model.cut(self.photo)))


class Batches(Case):
    def test_rows(self):
        photos = np.array([self.png, b"broken", self.png] + [None], dtype=object)[:-1]
        out = CutOut(None, segment="saliency", outputs=("cutout", "alpha"))({"bytes": photos, "id": np.array([3, 1, 2])})
        self.assertEqual(out["id"].tolist(), [3, 1, 2])
        self.assertNotIn("bytes", out)
        self.assertEqual([bool(e) for e in out["error"]], [False, True, False])
        self.assertEqual([len(c) > 100 for c in out["cutout"]], [True, False, True])
        self.assertEqual(out["alpha"][0], out["alpha"][2])
        self.assertTrue(np.isnan(out["coverage"][1]) and 0 < out["coverage"][0] < 1)
        with self.assertRaises(mattebox.ArgumentError):
            CutOut(None, segment="saliency")({"image": photos})


class Guide(Case):
    def test_examples(self):
        """The examples of docs/python.md run, in their order, in a folder of their own."""
        text = (SOURCE / "docs/python.md").read_text()
        blocks = re.findall(r"<!-- run -->\n```python\n(.*?)```", text, re.S)
        self.assertGreater(len(blocks), 3)
        folder = WORK / "guide"
        folder.mkdir()
        photo = np.ascontiguousarray(self.photo[::3, ::3])
        for name in ("photo.jpg", "other.jpg"):
            (folder / name).write_bytes(self.file_of(photo))
        mask = np.zeros(photo.shape[:2], np.uint8)
        mask[10:40, 20:60] = 255
        try:
            from PIL import Image
            pil = Image.fromarray(photo)
        except ImportError:
            pil = photo
        names = {"array": photo, "data": self.file_of(photo), "pil_picture": pil, "mask": mask, "print": lambda *_: None}
        before = os.getcwd()
        os.chdir(folder)
        try:
            for block in blocks:
                exec(compile(block, "docs/python.md", "exec"), names)
        finally:
            os.chdir(before)
        self.assertTrue((folder / "photo.cutout.png").exists() and (folder / "cut/other.cutout.png").exists())


@unittest.skipIf(UNPACKED, "the wheel is made on Linux")
class Wheel(unittest.TestCase):
    def test_contents(self):
        subprocess.run([sys.executable, SOURCE / "app/python/build_wheel.py", "--system-libraries", "--build", BUILD, "--out", WORK / "wheel"],
                       check=True, stdout=subprocess.DEVNULL)
        wheel, = (WORK / "wheel").glob("*.whl")
        self.assertRegex(wheel.name, rf"^mattebox-{mattebox.__version__}-py3-none-linux_\w+\.whl$")
        with zipfile.ZipFile(wheel) as archive:
            record = archive.read(f"mattebox-{mattebox.__version__}.dist-info/RECORD").decode().splitlines()
            self.assertEqual({line.split(",")[0] for line in record}, set(archive.namelist()))
            for line in record[:-1]:
                name, digest, size = line.split(",")
                data = archive.read(name)
                self.assertEqual(size, str(len(data)))
                self.assertEqual(digest, "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode())
            archive.extractall(WORK / "site")
            modes = {info.filename: info.external_attr >> 16 & 0o111 for info in archive.infolist()}
        self.assertTrue(modes["mattebox/bin/mattebox"] and modes["mattebox/bin/mattebox-weights"] and not modes["mattebox/__init__.py"])
        self.assertIn("mattebox/py.typed", modes)
        (WORK / "site/mattebox/bin/mattebox").chmod(0o755)
        clean = {key: value for key, value in os.environ.items() if not key.startswith("MATTEBOX")}
        said = subprocess.run([sys.executable, "-m", "mattebox", "version"], env={**clean, "PYTHONPATH": str(WORK / "site")}, cwd=WORK,
                              check=True, stdout=subprocess.PIPE, text=True).stdout
        self.assertEqual(said.split()[:2], ["mattebox", mattebox.__version__])
        code = "import mattebox; print(mattebox.build_info()['version'], mattebox._library._library._name)"
        said = subprocess.run([sys.executable, "-c", code], env={**clean, "PYTHONPATH": str(WORK / "site")}, cwd=WORK, check=True,
                              stdout=subprocess.PIPE, text=True).stdout.split()
        self.assertEqual(said, [mattebox.__version__, str(WORK / "site/mattebox/lib/libmattebox.so.0")])


if __name__ == "__main__":
    try:
        done = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    sys.exit(not done.result.wasSuccessful())
