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
from workbench.custom.uploads import images as uploads
from workbench.custom.uploads.limits import SIDE
from workbench.errors import Cancelled

COUNT = 20


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
    "archives inside": (zipped({"cat/a.zip": zipped(folders())}), "upload.no_class_folders"),
    "one class": (
        zipped({k: v for k, v in (folders() | folders("x/")).items() if "cat/" in k}),
        "upload.one_class",
        "“cat”",
    ),
    "few": (
        zipped({k: v for k, v in folders().items() if k.endswith("1.png")}),
        "upload.too_few_examples",
        "at least 30",
    ),
    "a rare class": (with_file("owl/1.png", png()), "upload.rare_class", "“owl” has 1 example:"),
    "no image": (
        with_file("cat/x.png", b"GIF89a nonsense"),
        "upload.unreadable_image",
        "“cat/x.png”",
    ),
    "half an image": (
        with_file("cat/x.png", png(size=(300, 300))[:90]),
        "upload.unreadable_image",
    ),
    "postscript": (
        with_file("cat/x.png", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
        "upload.unreadable_image",
    ),
    "a wrong length": (
        with_wrong_length(zipped(folders(), compression=8)),
        "upload.unreadable_image",
        "“dog/19.png”",
    ),
    "large": (
        with_file("cat/x.png", huge(9_000, 9_000)),
        "upload.image_too_large",
        "“cat/x.png”",
    ),
    "vast": (
        with_file("cat/x.png", huge(60_000, 60_000)),
        "upload.image_too_large",
        "“cat/x.png”",
    ),
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
        uploads.read(data)
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


@pytest.mark.parametrize(
    ("limit", "value", "code", "fact"),
    [
        ("IMAGES_BYTES", 100, "upload.too_large", "100"),
        ("UNPACKED_BYTES", 1000, "upload.unpacks_too_large", ""),
        ("IMAGES", 39, "upload.too_many_files", "more than 39 images"),
        ("IMAGES", 10, "upload.too_many_files", "more than 10 files"),
    ],
)
def test_sizes_are_limited(monkeypatch, limit, value, code, fact):
    monkeypatch.setattr(uploads, limit, value)
    with raises(code, fact):
        uploads.read(zipped(folders()))


def test_nothing_is_written_to_disk(monkeypatch):
    def refuse(*_args, **_settings):
        raise AssertionError

    monkeypatch.setattr(zipfile.ZipFile, "extract", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", refuse)
    assert uploads.read(zipped(folders())).classes == ("cat", "dog")


@pytest.mark.parametrize("outer", ["", "animals/", "a/b/"])
def test_gray_images_in_class_folders(outer):
    fractions = []
    others = {"__MACOSX/cat/._1.png": b"x", "cat/.DS_Store": b"x", "cat/notes.txt": b"x"}
    data = uploads.read(zipped(folders(outer) | others), CancelToken(on_progress=fractions.append))
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
    images, _labels = uploads.read(zipped(folders(mode=mode))).parts["train"]
    assert images.shape[1:] == ((SIDE, SIDE, 3) if color else (SIDE, SIDE))
    assert color or (images == 255).all()


def test_sixteen_bits_are_scaled_to_the_full_range():
    image = Image.fromarray((np.arange(900, dtype=np.uint16) * 70).reshape(30, 30))
    stream = io.BytesIO()
    image.save(stream, "png")
    images, _labels = uploads.read(with_file("cat/d.png", stream.getvalue())).parts["train"]
    assert images.max() > 200


def test_images_outside_folders_are_counted():
    data = uploads.read(with_file("cover.png", png()))
    assert data.notes == ("1 image outside class folders is left out.",)


@pytest.mark.parametrize("kind", ["jpeg", "bmp", "gif", "webp"])
def test_other_image_formats(kind):
    suffix = {"jpeg": "JPG"}.get(kind, kind)
    files = {
        f"{name}/{n}.{suffix}": png(n, kind=kind, mode="RGB") for name in "ab" for n in range(COUNT)
    }
    assert uploads.read(zipped(files)).classes == ("a", "b")


def test_reading_can_be_cancelled():
    with pytest.raises(Cancelled):
        uploads.read(zipped(folders()), cancel=CancelToken(lambda: True))
