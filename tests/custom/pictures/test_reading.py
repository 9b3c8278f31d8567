"""Images in a zip archive: read in memory, with unsafe archives refused."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.raises import raises
from workbench.cancel import CancelToken
from workbench.custom.pictures import archive, report
from workbench.custom.pictures.reading import read_pictures
from workbench.errors import Cancelled

COUNT = 20
SIDE = 28


def read(data, **settings):
    pictures = read_pictures(data, **settings)
    pictures.check()
    return pictures.data


def png(value=0, size=(40, 30), mode="L", kind="png"):
    color = value if mode in {"L", "I;16"} else tuple([value, 255 - value, 7, 0][: len(mode)])
    stream = io.BytesIO()
    Image.new(mode, size, color).save(stream, kind)
    return stream.getvalue()


def zipped(files, **settings):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **settings) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def folders(outer="", mode="L", suffix="png"):
    return {
        f"{outer}{name}/{n}.{suffix}": png(n * 9 if name == "cat" else 255 - n * 9, mode=mode)
        for name in ("cat", "dog")
        for n in range(COUNT)
    }


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


def encrypted(data):
    """Mark every entry as encrypted."""
    changed = bytearray(data)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for entry in re.finditer(re.escape(signature), data):
            changed[entry.start() + at] |= 1
    return bytes(changed)


def with_wrong_length(data):
    """Change the length of the last entry to less than its content."""
    changed = bytearray(data)
    at = data.rindex(b"PK\x01\x02") + 24
    changed[at : at + 4] = struct.pack("<I", 10)
    return bytes(changed)


def huge(width, height):
    """Return a small PNG file whose header has a large size."""
    data = bytearray(png())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def bomb():
    return zipped(folders() | {"cat/b.png": b"\0" * 3_000_000}, compression=zipfile.ZIP_DEFLATED)


def with_link():
    stream = io.BytesIO(zipped(folders()))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(link("cat/l.png"), "/etc/passwd")
    return stream.getvalue()


def with_file(name, content):
    return zipped(folders() | {name: content})


INVALID = {
    "no zip": (b"hello", "upload.not_zip"),
    "nothing": (b"", "upload.not_zip"),
    "cut short": (zipped(folders())[:-100], "upload.not_zip"),
    "a bomb": (bomb(), "upload.unpacks_too_large"),
    "an absolute path": (with_file("/cat/x.png", png()), "upload.unsafe_path", "“/cat/x.png”"),
    "a path upwards": (with_file("cat/../../x.png", png()), "upload.unsafe_path"),
    "a Windows path": (with_file("..\\x.png", png()), "upload.unsafe_path"),
    "a drive": (with_file("C:\\cat\\x.png", png()), "upload.unsafe_path"),
    "a link": (with_link(), "upload.link", "“cat/l.png”"),
    "a password": (encrypted(zipped(folders())), "upload.encrypted"),
    "no folders": (zipped({f"{n}.png": png() for n in range(40)}), "upload.no_class_folders"),
    "no images": (zipped({"cat/a.txt": "x", "dog/b.txt": "y"}), "upload.no_class_folders"),
    "archives inside": (zipped({"cat/a.zip": zipped(folders())}), "upload.unsupported_images"),
    "one class": (
        zipped({k: v for k, v in folders("x/").items() if "cat/" in k}),
        "upload.one_class",
        "“cat”",
    ),
    "few": (
        zipped({k: v for k, v in folders().items() if k.endswith("1.png")}),
        "upload.too_few_examples",
        "at least 30",
    ),
    "a rare class": (with_file("owl/1.png", png()), "upload.rare_class", "“owl” has 1 example:"),
    "lzma": (zipped(folders(), compression=zipfile.ZIP_LZMA), "upload.compression_method"),
    "many classes": (
        zipped({f"c{c}/{n}.png": png() for c in range(51) for n in range(3)}),
        "upload.too_many_classes",
        "51",
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", INVALID)
def test_invalid_archives_are_refused(name):
    data, code, *facts = INVALID[name]
    with raises(code, *facts) as caught:
        read(data)
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


@pytest.mark.parametrize(
    ("module", "limit", "value", "code", "fact"),
    [
        (archive, "IMAGES_BYTES", 100, "upload.too_large", "100"),
        (archive, "UNPACKED_BYTES", 1000, "upload.unpacks_too_large", ""),
        (archive, "FILES", 39, "upload.too_many_files", "files"),
        (report, "IMAGES", 39, "upload.too_many_files", "40 images, at most 39"),
        (report, "PIXEL_BYTES", 39 * 3 * SIDE**2, "upload.too_many_files", "39 fit at 28 pixels"),
    ],
)
def test_sizes_are_limited(monkeypatch, module, limit, value, code, fact):
    monkeypatch.setattr(module, limit, value)
    with raises(code, fact):
        read(zipped(folders()))


BROKEN = {
    "no image": b"GIF89a nonsense",
    "half an image": png(size=(300, 300))[:90],
    "nothing": b"",
    "a web page": b"<html><body>404</body></html>",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "large": huge(9_000, 9_000),
    "vast": huge(60_000, 60_000),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", BROKEN)
def test_a_few_broken_images_are_left_out_and_more_refused(name):
    pictures = read_pictures(with_file("cat/x.png", BROKEN[name]))
    (ignored,) = pictures.inspection.ignored
    assert (ignored.count, ignored.examples) == (1, ("cat/x.png",))
    assert pictures.inspection.classes == {"cat": COUNT, "dog": COUNT}
    several = folders() | {f"cat/x{n}.png": BROKEN[name] for n in range(5)}
    if ignored.kind != "document":
        with raises("upload.unreadable_image", "5 of 45", "“cat/x0.png”, “cat/x1.png”"):
            read_pictures(zipped(several))


def test_an_entry_with_a_wrong_length_is_broken():
    pictures = read_pictures(with_wrong_length(zipped(folders(), compression=8)))
    assert pictures.inspection.ignored[0].examples == ("dog/19.png",)


def test_nothing_is_written_to_disk(monkeypatch):
    def refuse(*_args, **_settings):
        raise AssertionError

    monkeypatch.setattr(zipfile.ZipFile, "extract", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", refuse)
    assert read(zipped(folders())).classes == ("cat", "dog")


@pytest.mark.parametrize("outer", ["", "animals/", "a/b/"])
def test_gray_images_in_class_folders(outer):
    fractions = []
    others = {"__MACOSX/cat/._1.png": b"x", "cat/.DS_Store": b"x", "cat/notes.txt": b"x"}
    data = read(zipped(folders(outer) | others), cancel=CancelToken(on_progress=fractions.append))
    assert data.classes == ("cat", "dog")
    assert data.input_type == "image"
    assert data.notes == ()
    assert {name: images.shape for name, (images, _) in data.parts.items()} == {
        "train": (28, SIDE, SIDE),
        "validation": (6, SIDE, SIDE),
        "test": (6, SIDE, SIDE),
    }
    images, labels = data.parts["train"]
    assert images.dtype == np.uint8
    assert images[labels == 0].mean() < images[labels == 1].mean()
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize(("mode", "color"), [("RGB", True), ("RGBA", False)])
def test_color_is_preserved_and_transparency_is_white(mode, color):
    images, _labels = read(zipped(folders(mode=mode))).parts["train"]
    assert images.shape[1:] == ((SIDE, SIDE, 3) if color else (SIDE, SIDE))
    assert color or (images == 255).all()


def test_sixteen_bits_are_scaled_to_the_full_range():
    image = Image.fromarray((np.arange(900, dtype=np.uint16) * 70).reshape(30, 30))
    stream = io.BytesIO()
    image.save(stream, "png")
    images, _labels = read(with_file("cat/d.png", stream.getvalue())).parts["train"]
    assert images.max() > 200


def test_images_outside_folders_are_counted():
    data = read(with_file("cover.png", png()))
    assert data.notes == ("1 image outside class folders is left out.",)


@pytest.mark.parametrize("kind", ["jpeg", "bmp", "gif", "webp"])
def test_other_image_formats(kind):
    suffix = {"jpeg": "JPG"}.get(kind, kind)
    files = {
        f"{name}/{n}.{suffix}": png(n, kind=kind, mode="RGB") for name in "ab" for n in range(COUNT)
    }
    assert read(zipped(files)).classes == ("a", "b")


def test_reading_can_be_cancelled():
    with pytest.raises(Cancelled):
        read(zipped(folders()), cancel=CancelToken(lambda: True))
