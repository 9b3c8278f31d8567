"""Generated archives of pictures: the structure of their folders, their formats, odd files."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

COUNT = 12
WIDTH, HEIGHT = 30, 21
SIZE = 28
CLASSES = ("ants", "bees", "wasps")


@dataclass
class Truth:
    """An archive, and what is right about it."""

    files: dict = field(default_factory=dict)
    pixels: dict = field(default_factory=dict)
    classes: dict = field(default_factory=dict)
    splits: dict = field(default_factory=dict)
    ignored: dict = field(default_factory=dict)

    def ignore(self, kind, path, content):
        self.files[path] = content
        self.ignored[kind] = self.ignored.get(kind, 0) + 1

    def zipped(self):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            for path, content in self.files.items():
                archive.writestr(path, content)
        return stream.getvalue()


# --- structures: (path of a folder, class, split) for each picture number ------------------

SPLIT_OF = ["train"] * 8 + ["val"] * 2 + ["test"] * 2
STRUCTURES = {
    "class": lambda c, n: (c, None),
    "wrapper/class": lambda c, n: (f"my data/photos/{c}", None),
    "class/session": lambda c, n: (f"{c}/session{n % 4}", None),
    "class/date": lambda c, n: (f"d/{c}/2024-05-{n % 5 + 10}", None),
    "class/images": lambda c, n: (f"{c}/images", None),
    "session/class": lambda c, n: (f"day {n % 3}/{c}", None),
    "split/class": lambda c, n: (f"{SPLIT_OF[n]}/{c}", SPLIT_OF[n]),
    "wrapper/Split/class": lambda c, n: (
        f"d/{SPLIT_OF[n].title()}ing/{c.title()}"
        if SPLIT_OF[n] != "val"
        else f"d/Valid/{c.upper()}",
        SPLIT_OF[n],
    ),
    "split_set/images/class": lambda c, n: (f"{SPLIT_OF[n]}_set/images/{c}", SPLIT_OF[n]),
    "class/split": lambda c, n: (f"{c}/{SPLIT_OF[n]}", SPLIT_OF[n]),
    "split/class, no test": lambda c, n: (
        f"{'train' if n < 10 else 'val'}/{c}",
        "train" if n < 10 else "val",
    ),
    "one class in sessions": lambda c, n: (f"{c}/s{n % 2}" if c == "ants" else c, None),
    "labeled/class": lambda c, n: (f"d/labeled/{c}", None),
}
UNLABELED = {
    "class": "test",
    "labeled/class": "d/to sort",
    "split/class": "extra",
    "class/session": "unlabeled",
    "split_set/images/class": "holdout",
}
"""A folder of pictures without a class that fits into a structure."""


# --- formats: a picture as bytes, and its true pixels --------------------------------------


def colors(rng, gray=False):
    """Return a smooth picture with a bright part, uint8 [HEIGHT, WIDTH, 3]."""
    small = rng.integers(0, 256, (4, 5, 3), np.uint8)
    picture = np.asarray(Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))
    return np.repeat(picture[..., :1], 3, 2) if gray else picture


def encoded(image, kind, **settings):
    stream = io.BytesIO()
    image.save(stream, kind, **settings)
    return stream.getvalue()


def _plain(kind, **settings):
    def make(rng):
        pixels = colors(rng)
        return encoded(Image.fromarray(pixels), kind, **settings), pixels

    return make


def _gray(kind, **settings):
    def make(rng):
        pixels = colors(rng, gray=True)
        return encoded(Image.fromarray(pixels[..., 0]), kind, **settings), pixels

    return make


def _palette(rng):
    image = Image.fromarray(colors(rng)).quantize(16)
    return encoded(image, "png"), np.asarray(image.convert("RGB"))


def _alpha(kind):
    def make(rng):
        pixels = colors(rng)
        opacity = np.full((HEIGHT, WIDTH), 255, np.uint8)
        opacity[:, : WIDTH // 3] = 0
        image = Image.fromarray(np.dstack([pixels, opacity]))
        return encoded(image, kind, lossless=True), np.where(opacity[..., None] > 0, pixels, 255)

    return make


def _cmyk(rng):
    image = Image.fromarray(255 - np.dstack([colors(rng), np.full((HEIGHT, WIDTH), 255, np.uint8)]))
    image = Image.frombytes("CMYK", (WIDTH, HEIGHT), image.tobytes())
    return encoded(image, "jpeg", quality=98), np.asarray(image.convert("RGB"))


def _rotated(rng):
    pixels = colors(rng)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it turned clockwise
    content = encoded(Image.fromarray(pixels), "jpeg", quality=98, subsampling=0, exif=exif)
    return content, np.rot90(pixels, -1)


def _deep(kind):
    def make(rng):
        values = colors(rng, gray=True)[..., 0].astype(np.uint16) * 257
        return encoded(Image.fromarray(values), kind), np.repeat((values // 257)[..., None], 3, 2)

    return make


def _real(rng):
    values = colors(rng, gray=True)[..., 0].astype(np.float32) / 255
    pixels = np.repeat(np.rint(values * 255).astype(np.uint8)[..., None], 3, 2)
    return encoded(Image.fromarray(values), "tiff"), pixels


def _pages(rng):
    pixels = colors(rng)
    others = [Image.fromarray(255 - pixels)] * 2
    return encoded(Image.fromarray(pixels), "tiff", save_all=True, append_images=others), pixels


def _frames(rng):
    image = Image.fromarray(colors(rng)).quantize(64)
    others = [image.point(lambda value: 63 - value)]
    content = encoded(image, "gif", save_all=True, append_images=others, loop=0)
    return content, np.asarray(image.convert("RGB"))


FORMATS = {
    "png": (".png", _plain("png"), 0),
    "gray png": (".png", _gray("png"), 0),
    "palette png": (".png", _palette, 0),
    "png with alpha": (".png", _alpha("png"), 0),
    "16-bit png": (".png", _deep("png"), 1),
    "jpeg": (".jpg", _plain("jpeg", quality=98, subsampling=0), 6),
    "gray jpeg": (".JPG", _gray("jpeg", quality=98), 6),
    "progressive jpeg": (".jpeg", _plain("jpeg", quality=98, subsampling=0, progressive=True), 6),
    "CMYK jpeg": (".jpg", _cmyk, 8),
    "turned jpeg": (".jpg", _rotated, 6),
    "tiff": (".tif", _plain("tiff"), 0),
    "LZW tiff": (".tiff", _plain("tiff", compression="tiff_lzw"), 0),
    "deflate tiff": (".tif", _plain("tiff", compression="tiff_adobe_deflate"), 0),
    "packbits tiff": (".TIF", _plain("tiff", compression="packbits"), 0),
    "jpeg tiff": (".tif", _plain("tiff", compression="jpeg", quality=98), 12),
    "LZMA tiff": (".tif", _plain("tiff", compression="lzma"), 0),
    "Zstandard tiff": (".tif", _plain("tiff", compression="zstd"), 0),
    "big-endian gray tiff": (".tif", _gray("tiff", big_tiff=True), 0),
    "tiff with alpha": (".tif", _alpha("tiff"), 0),
    "16-bit tiff": (".tif", _deep("tiff"), 1),
    "real tiff": (".tif", _real, 1),
    "tiff of several pages": (".tif", _pages, 0),
    "webp": (".webp", _plain("webp", lossless=True), 0),
    "webp with alpha": (".webp", _alpha("webp"), 0),
    "gif of two frames": (".gif", _frames, 0),
    "bmp": (".bmp", _plain("bmp"), 0),
    "ppm": (".ppm", _plain("ppm"), 0),
    "jpeg 2000": (".jp2", _plain("jpeg2000"), 0),
    "avif": (".avif", _plain("avif", quality=98, subsampling="4:4:4"), 8),
    "png called jpg": (".jpg", _plain("png"), 0),
    "png without ending": ("", _plain("png"), 0),
    "jpeg called png": (".png", _plain("jpeg", quality=98, subsampling=0), 6),
}
"""The ending, a function that makes a picture, and the largest mean error of a lossy format."""


# --- odd files -----------------------------------------------------------------------------


def _hidden(truth, folder, rng):
    truth.ignore("hidden", f"__MACOSX/{folder}/._0.png", b"\0\5\26\7")
    truth.ignore("hidden", f"{folder}/.DS_Store", b"\0\0\0\1Bud1")
    truth.ignore("hidden", f"{folder}/Thumbs.db", b"\xd0\xcf\x11\xe0")


def _broken(truth, folder, rng):
    whole = encoded(Image.fromarray(colors(rng)), "png")
    truth.ignore("broken", f"{folder}/half.png", whole[: len(whole) // 2])
    truth.ignore("broken", f"{folder}/nothing.jpg", b"")
    truth.ignore("broken", f"{folder}/page.jpg", b"<!DOCTYPE html><html>404</html>")


def _foreign(truth, folder, rng):
    truth.ignore("HEIC", f"{folder}/phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    truth.ignore("raw", f"{folder}/camera.NEF", b"MM\0*\0\0\0\x08")
    truth.ignore("video", f"{folder}/clip.mp4", b"\0\0\0\x18ftypisom\0\0\2\0")
    truth.ignore("document", f"{folder}/drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")


def _texts(truth, folder, rng):
    truth.ignore("text", f"{folder}/notes.txt", b"these are notes")
    truth.ignore("text", "labels.csv", b"file,label\n")
    truth.ignore("archive", f"{folder}/more.zip", b"PK\3\4 more")


def _outside(truth, folder, rng):
    truth.ignore("unlabeled", "cover.png", encoded(Image.fromarray(colors(rng)), "png"))


def _masks(truth, folder, rng):
    for n in range(4):
        mask = Image.fromarray(np.uint8(rng.random((HEIGHT, WIDTH)) < 0.5) * 255)
        truth.ignore("mask", f"{folder}/{n}_mask.png", encoded(mask, "png"))


ODD = (_hidden, _broken, _foreign, _texts, _outside, _masks)


def generate(structure, kind, odd, seed):
    """Return an archive of a structure and a format with odd files."""
    rng = np.random.default_rng(seed)
    suffix, make, _error = FORMATS[kind]
    truth = Truth()
    folder = ""
    for label in CLASSES:
        for number in range(COUNT):
            folder, split = STRUCTURES[structure](label, number)
            path = f"{folder}/{label[0]}{number}{suffix}"
            truth.files[path], truth.pixels[path] = make(rng)
            truth.classes[path], truth.splits[path] = label, split
    if structure in UNLABELED:
        for number in range(3):
            content, _pixels = make(rng)
            truth.ignore("unlabeled", f"{UNLABELED[structure]}/{number}{suffix}", content)
    for add in odd:
        add(truth, folder, rng)
    return truth
