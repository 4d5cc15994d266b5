"""What the Python package refuses, so that nothing is lost or silently changed: refusals_test.py BUILD SOURCE. As package_test.py."""
import os
import pathlib
import shutil
import sys
import tempfile
import unittest
import warnings

BUILD, SOURCE = map(pathlib.Path, sys.argv[1:3])
WORK = pathlib.Path(tempfile.mkdtemp(prefix="mattebox-python-"))
os.environ.update(XDG_DATA_HOME=str(WORK / "data"), HOME=str(WORK), MATTEBOX_LIBRARY=str(BUILD / "libmattebox.so"))
os.environ.pop("MATTEBOX_MODELS", None)
sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCE / "app/python"))

import mattebox  # noqa: E402

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy (python3-numpy)")
    sys.exit(77)
from mattebox import _pictures, compat  # noqa: E402


def file_of(array):
    picture = _pictures.from_array(array)
    return _pictures.encode(picture.image)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = mattebox.Model(None, segment="saliency")
        cls.photo = np.full((48, 64, 3), 20, np.uint8)
        cls.photo[12:36, 16:48] = (200, 120, 60)
        cls.mask = np.zeros((48, 64), np.uint8)
        cls.mask[12:36, 16:48] = 255

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=WORK))
        self.png = file_of(self.photo)

    def file(self, name, data=None):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data or self.png)
        return path

    def refused(self, said, call, *arguments, **keywords):
        with self.assertRaisesRegex(mattebox.ArgumentError, said):
            call(*arguments, **keywords)


class Inputs(Case):
    def test_photo(self):
        """Whatever the photo is called, it is not written."""
        photo = self.file("photo.png")
        (self.folder / "d").mkdir()
        os.link(photo, self.folder / "hard.png")
        os.symlink(photo, self.folder / "soft.png")
        for name in (photo, self.folder / "hard.png", self.folder / "soft.png", f"{self.folder}/d/../photo.png"):
            for more in ({}, {"overwrite": True}):
                self.refused(r"is the photo \(.*photo.png\)", self.model.cut, photo, to=name, background="white", **more)
        os.symlink(photo, self.folder / "photo.cutout.png")
        self.refused("is the photo", self.model.cut, photo, overwrite=True)
        self.refused("is the photo", compat.remove, photo, session=compat.BaseSession("saliency", self.model))
        self.assertEqual(photo.read_bytes(), self.png)
        other = self.file("other.png")
        self.model.cut(photo, to=other, overwrite=True)
        self.assertNotEqual(other.read_bytes(), self.png)

    def test_before_work(self):
        photo = self.file("photo.png", b"no picture")
        self.refused("is the photo", self.model.cut, photo, to=photo)
        self.refused("is the mask", self.model.matte, self.photo, photo, to=photo)

    def test_other_files(self):
        photo, mask, behind = self.file("photo.png"), self.file("mask.png", file_of(self.mask)), self.file("behind.png")
        three = self.file("three.png", file_of(mattebox.trimap(self.mask)))
        self.refused("is the mask", self.model.matte, photo, mask, to=mask, overwrite=True)
        self.refused("is the trimap", self.model.matte, photo, trimap=three, to=three)
        self.refused("is the photo", self.model.matte, photo, mask, to=photo)
        self.refused("is the background", self.model.cut, self.photo, background=behind, to=behind)
        self.refused("is the background", mattebox.Model(None, segment="saliency", background=behind).cut, photo, to=behind)
        self.refused("is the mask", mattebox.trimap, mask, to=mask)
        result = self.model.refine(photo, mask, background=behind)
        before = os.getcwd()
        os.chdir("/")
        try:
            for path, role in ((photo, "photo"), (mask, "mask"), (behind, "background")):
                self.refused(f"is the {role}", result.save, path)
        finally:
            os.chdir(before)
        self.assertEqual((photo.read_bytes(), behind.read_bytes()), (self.png, self.png))

    def test_relative(self):
        """The name of the photo is that of the folder in which it was read."""
        photo = self.file("photo.png")
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            result = self.model.run("photo.png")
        finally:
            os.chdir(before)
        self.refused("is the photo", result.save, photo)

    def test_many(self):
        """A result that is the next photo."""
        names = [self.file("a.png"), self.file("a.cutout.png")]
        for photos in (names, iter(names[::-1])):
            self.refused(r"is a photo", list, self.model.cut_many(photos, overwrite=True))
        self.assertEqual(names[1].read_bytes(), self.png)


    def test_opened_by_pil(self):
        """A picture that PIL opened knows its file; the file is not written either."""
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("no Pillow")
        photo, mask = self.file("photo.png"), self.file("mask.png", file_of(self.mask))
        with Image.open(photo) as picture, Image.open(mask) as grey:
            self.refused("is the photo", self.model.cut, picture, to=photo, overwrite=True)
            self.refused("is the mask", self.model.matte, self.photo, grey, to=mask, overwrite=True)
            self.refused("is the photo", self.model.run(picture).save, photo)
        self.assertEqual(photo.read_bytes(), self.png)

    def test_results_of_compat(self):
        """remove(path) has nobody who could say "overwrite": what is there stays."""
        photo, session = self.file("photo.png"), compat.BaseSession("saliency", self.model)
        made = compat.remove(photo, session=session)
        self.assertEqual(made.name, "photo.cutout.png")
        made.write_bytes(b"retouched by hand")
        with self.assertRaisesRegex(mattebox.Error, "photo.cutout.png"):
            compat.remove(photo, session=session)
        self.assertEqual(made.read_bytes(), b"retouched by hand")
        self.assertEqual(sorted(f.name for f in self.folder.iterdir()), ["photo.cutout.png", "photo.png"])


class Clashes(Case):
    def test_folders(self):
        names = [self.file("d1/a.png"), self.file("d2/a.png")]
        out = self.folder / "m"
        for more in ({"overwrite": True}, {}, {"errors": "yield"}):
            self.refused("d1/a.png and .*d2/a.png would both write .*m/a.cutout.png", next,
                         self.model.cut_many(names, to=out, **more))
        self.assertFalse(out.exists())
        self.assertEqual(len(list(self.model.cut_many(names))), 2)

    def test_beside(self):
        self.refused("would both write", list, self.model.cut_many([self.file("a.png"), self.file("a.jpg")], overwrite=True))

    def test_links(self):
        self.file("d1/a.png")
        os.symlink(self.folder / "d1", self.folder / "d3")
        names = [self.folder / "d1/a.png", self.folder / "d3/a.jpg"]
        self.refused("would both write", list, self.model.cut_many(names, overwrite=True))

    def test_iterator(self):
        """What comes one by one is refused when it comes."""
        names = [self.file("d1/a.png"), self.file("d2/a.png"), self.file("b.png")]
        found = list(self.model.cut_many(iter(names), to=self.folder / "m", overwrite=True, errors="yield"))
        self.assertEqual([type(one).__name__ for one in found], ["PosixPath", "ArgumentError", "PosixPath"])
        self.assertIn("would both write", str(found[1]))


class Transparency(Case):
    def test_one_colour(self):
        """A PIL picture may call one colour transparent (tRNS of PNG, GIF); so does its file, and both give the same."""
        try:
            from PIL import Image
        except ImportError:
            self.skipTest("no Pillow")
        for mode, colour in (("RGB", (20, 20, 20)), ("L", 20)):
            picture = Image.fromarray(self.photo).convert("L").point(lambda v: 20 if v <= 20 else 200) if mode == "L" else Image.fromarray(self.photo)
            path = self.folder / f"{mode}.png"
            picture.save(path, transparency=colour)
            with Image.open(path) as opened:
                found = np.asarray(self.model.cut(opened, foreground="none"))
            self.assertEqual(found[0, 0, 3], 0)
            np.testing.assert_array_equal(found, self.model.run(path, foreground="none", depth=8).cutout, mode)


class Profiles(Case):
    """Of PIL pictures: those of other colours than RGB."""

    PICTURES = SOURCE / "tests/data/pictures/profiles"

    def setUp(self):
        super().setUp()
        try:
            from PIL import Image
            self.open = lambda name: Image.open(self.PICTURES / name)
        except ImportError:
            self.skipTest("no Pillow")

    def test_as_files(self):
        for name in ("cmyk.jpg", "grey.jpg", "grey_profile.png", "p3.png"):
            with warnings.catch_warnings():  # of a grey profile with colours
                warnings.simplefilter("ignore" if name == "grey_profile.png" else "error")
                found = self.model.cut(self.open(name), foreground="none")
                result = self.model.run(self.open(name))
            file = self.model.run(self.PICTURES / name, foreground="none", depth=8)
            off = np.abs(np.asarray(found)[..., :3].astype(int) - file.cutout[..., :3])
            self.assertLessEqual(off.max(), 2, name)
            self.assertEqual("icc_profile" in found.info, name == "p3.png", name)
            self.assertEqual(_pictures.profile_of(result._photo.metadata), _pictures.profile_of(file._photo.metadata), name)
            self.assertEqual(result.warning, file.warning, name)

    def test_dropped(self):
        """A profile that does not fit the pixels, and one that cannot be used."""
        p3, cmyk = self.open("p3.png"), self.open("cmyk.jpg")
        for picture, profile, said in ((p3, cmyk.info["icc_profile"], "for CMYK"), (cmyk, cmyk.info["icc_profile"][:128], "for CMYK"),
                                       (p3, bytes(16) + b"Lab " + bytes(200), "other colours")):
            picture = picture.copy()
            picture.info["icc_profile"] = profile
            with self.assertWarnsRegex(UserWarning, said):
                found = self.model.cut(picture)
            self.assertNotIn("icc_profile", found.info)

    def test_alpha(self):
        grey = self.open("grey.jpg")
        both = grey.copy()
        both.putalpha(77)
        found = np.asarray(self.model.cut(both, foreground="none"))
        self.assertEqual(found[..., 3].max(), 77)
        self.assertTrue(np.array_equal(found[..., :3], np.asarray(self.model.cut(grey, foreground="none"))[..., :3]))

    def test_masks(self):
        """Levels of masks are no colours."""
        grey = self.open("grey.jpg")
        photo = np.zeros((grey.height, grey.width, 3), np.uint8)
        expected = self.model.matte(photo, np.asarray(grey), output="mask")
        for mask in (grey, self.PICTURES / "grey.jpg"):
            self.assertTrue(np.array_equal(self.model.matte(photo, mask, output="mask"), expected))


class Values(Case):
    def test_floats(self):
        floats = self.photo.astype(np.float32) / np.float32(255)
        for kind in (np.float16, np.float32, np.float64, ">f4", ">f8"):
            wrong = self.photo.astype(kind)
            with self.assertRaisesRegex(ValueError, "from 0 to 1; the largest is 200\ndivide by 255, or pass uint8"):
                self.model.cut(wrong)
            wrong = floats.astype(kind)
            wrong[3, 4, 1] = np.nan
            self.refused("NaN", self.model.cut, wrong)
            wrong[3, 4, 1] = -np.inf
            self.refused("the smallest is -inf", self.model.cut, wrong)
        self.refused("the smallest is -0.8", self.model.cut, floats * 2 - 1)
        self.refused("the largest is 255", self.model.matte, self.photo, self.mask.astype(np.float32))
        self.model.cut(floats * np.float32(1.2755))  # to 1.0004

    def test_integers(self):
        """Beyond what the library's integers hold."""
        for name, value, said in (("erode", 2**32 + 6, "erode 4294967302: 1 to 255$"), ("dilate", -2**32 + 6, "dilate -4294967290: 1 to 255$"),
                                  ("depth", 2**32 + 8, "depth 4294967304: 0, 8, 16$"), ("min_area", 2**31, "min_area 2147483648: 0 to 2,147,483,647$"),
                                  ("guided_radius", 2**40, "guided_radius 1099511627776: 1 to 512; 0: from erode and dilate$"),
                                  ("erode", np.int64(2**33), "erode 8589934592: 1 to 255$"), ("feather", 10**400, "a number")):
            self.refused(said, self.model.cut, self.photo, **{name: value})
        self.refused("erode 4294967302", mattebox.trimap, self.mask, erode=2**32 + 6)
        self.refused("threads 4294967297", mattebox.Model, None, threads=2**32 + 1)
        self.refused("max_memory -1", mattebox.Model, None, max_memory=-1)
        self.refused("width 4294967396", self.model.plan, 2**32 + 100, 100)
        self.refused("level 4294967299", self.model.run(self.photo).encode, level=2**32 + 3)

    def test_booleans(self):
        for value in (True, 1, np.True_, np.array(True)):
            self.assertTrue(np.array_equal(self.model.cut(self.photo, invert=value), self.model.cut(self.photo, invert=True)), repr(value))
        self.assertTrue(np.array_equal(self.model.cut(self.photo, invert=np.False_), self.model.cut(self.photo)))
        for name, value, said in (("erode", True, "erode=True: a whole number"), ("erode", np.True_, "a whole number"),
                                  ("feather", True, "feather=True: a number"), ("flip", 2, "flip=2: True or False"),
                                  ("crop", 5, "crop=5: True or False\ncrop=True, crop_margin=5 leaves a margin")):
            self.refused(said, self.model.cut, self.photo, **{name: value})

    def test_hints(self):
        """They name what Python has."""
        small = self.mask[::2, ::2]
        self.refused("of one size\nscale_mask=True scales it", self.model.matte, self.photo, small)
        self.refused('mask_channel="auto"', self.model.matte, self.photo, self.mask, mask_channel="alpha")
        grey = np.full_like(self.mask, 128)
        warning = self.model.refine(self.photo, trimap=grey, detail="guided").warning
        self.assertIn('detail guided does not solve a trimap, what is unknown stays grey: detail="pymatting" or detail="vitmatte"', warning)


if __name__ == "__main__":
    try:
        done = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    sys.exit(not done.result.wasSuccessful())
