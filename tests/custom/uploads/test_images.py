"""Images in a zip: read in memory, and what could do harm is refused with a sentence."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from workbench.custom.uploads import images as pictures
from workbench.custom.uploads.limits import SIDE
from workbench.errors import Cancelled, WorkbenchError

COUNT = 20


def png(value=0, size=(40, 30), mode="L", kind="png"):
    colour = value if mode in {"L", "I;16"} else tuple([value, 255 - value, 7, 0][: len(mode)])
    made = io.BytesIO()
    Image.new(mode, size, colour).save(made, kind)
    return made.getvalue()


def zipped(files, **more):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **more) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


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
    """Say of every entry that it is encrypted."""
    marked = bytearray(data)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), data):
            marked[found.start() + at] |= 1
    return bytes(marked)


def lying(data):
    """Say of the last entry that it is shorter than it is."""
    marked = bytearray(data)
    at = data.rindex(b"PK\x01\x02") + 24
    marked[at : at + 4] = struct.pack("<I", 10)
    return bytes(marked)


def huge(width, height):
    """Return a small PNG that says it is large."""
    data = bytearray(png())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def bomb():
    return zipped(folders() | {"cat/b.png": b"\0" * 3_000_000}, compression=zipfile.ZIP_DEFLATED)


def with_link():
    made = io.BytesIO(zipped(folders()))
    with zipfile.ZipFile(made, "a") as archive:
        archive.writestr(link("cat/l.png"), "/etc/passwd")
    return made.getvalue()


BAD = {
    "no zip": (b"hello", "not a whole zip"),
    "nothing": (b"", "not a whole zip"),
    "cut short": (zipped(folders())[:-100], "not a whole zip"),
    "a bomb": (bomb(), "unpacks to far more"),
    "an absolute path": (zipped(folders() | {"/cat/x.png": png()}), "leads out of it"),
    "a path upwards": (zipped(folders() | {"cat/../../x.png": png()}), "leads out of it"),
    "a Windows path": (zipped(folders() | {"..\\x.png": png()}), "leads out of it"),
    "a drive": (zipped(folders() | {"C:\\cat\\x.png": png()}), "leads out of it"),
    "a link": (with_link(), "“cat/l.png” in the archive is a link"),
    "a password": (encrypted(zipped(folders())), "encrypted"),
    "no folders": (zipped({f"{n}.png": png() for n in range(40)}), "no images in class folders"),
    "no images": (zipped({"cat/a.txt": "x", "dog/b.txt": "y"}), "no images in class folders"),
    "archives inside": (zipped({"cat/a.zip": zipped(folders())}), "no images in class folders"),
    "one class": (
        zipped({k: v for k, v in (folders() | folders("x/")).items() if "cat/" in k}),
        "one folder, “cat”",
    ),
    "few": (zipped({k: v for k, v in folders().items() if k.endswith("1.png")}), "at least 30"),
    "a rare class": (zipped(folders() | {"owl/1.png": png()}), "“owl” has 1 example:"),
    "no image": (zipped(folders() | {"cat/x.png": b"GIF89a nonsense"}), "“cat/x.png” cannot be"),
    "half an image": (zipped(folders() | {"cat/x.png": png(size=(300, 300))[:90]}), "cannot be"),
    "postscript": (zipped(folders() | {"cat/x.png": b"%!PS-Adobe-3.0 EPSF-3.0\n"}), "cannot be"),
    "a lying length": (lying(zipped(folders(), compression=8)), "“dog/19.png” cannot be"),
    "large": (zipped(folders() | {"cat/x.png": huge(9_000, 9_000)}), "“cat/x.png” has more than"),
    "vast": (zipped(folders() | {"cat/x.png": huge(60_000, 60_000)}), "“cat/x.png” has more than"),
    "lzma": (zipped(folders(), compression=zipfile.ZIP_LZMA), "unusual way"),
    "many classes": (
        zipped({f"c{c}/{n}.png": png() for c in range(51) for n in range(3)}),
        "51 class folders",
    ),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_one_sentence(name):
    data, sentence = BAD[name]
    with pytest.raises(WorkbenchError, match=sentence) as told:
        pictures.read(data)
    assert re.fullmatch(r"[^\n]+\.", str(told.value))


@pytest.mark.parametrize(
    ("limit", "value", "sentence"),
    [
        ("PICTURES_BYTES", 100, "larger than"),
        ("UNPACKED_BYTES", 1000, "unpacks to far more"),
        ("PICTURES", 39, "more than 39 images"),
        ("PICTURES", 10, "more than 10 files"),
    ],
)
def test_sizes_are_limited(monkeypatch, limit, value, sentence):
    monkeypatch.setattr(pictures, limit, value)
    with pytest.raises(WorkbenchError, match=sentence):
        pictures.read(zipped(folders()))


def test_nothing_touches_the_disk(monkeypatch):
    def refuse(*_args, **_more):
        raise AssertionError

    monkeypatch.setattr(zipfile.ZipFile, "extract", refuse)
    monkeypatch.setattr(zipfile.ZipFile, "extractall", refuse)
    assert pictures.read(zipped(folders())).classes == ("cat", "dog")


@pytest.mark.parametrize("outer", ["", "animals/", "a/b/"])
def test_grey_images_in_class_folders(outer):
    seen = []
    more = {"__MACOSX/cat/._1.png": b"x", "cat/.DS_Store": b"x", "cat/notes.txt": b"x"}
    found = pictures.read(zipped(folders(outer) | more), seen.append)
    assert found.classes == ("cat", "dog")
    assert found.form == "image"
    assert found.notes == ()
    assert {name: images.shape for name, (images, _) in found.parts.items()} == {
        "train": (28, SIDE, SIDE),
        "validation": (6, SIDE, SIDE),
        "test": (6, SIDE, SIDE),
    }
    images, labels = found.parts["train"]
    assert images.dtype == np.uint8
    assert images[labels == 0].mean() < images[labels == 1].mean()
    assert seen == sorted(seen)
    assert seen[-1] == 1


@pytest.mark.parametrize(("mode", "colour"), [("RGB", True), ("RGBA", False)])
def test_colour_is_kept_and_what_is_clear_is_white(mode, colour):
    images, _labels = pictures.read(zipped(folders(mode=mode))).parts["train"]
    assert images.shape[1:] == ((SIDE, SIDE, 3) if colour else (SIDE, SIDE))
    assert colour or (images == 255).all()


def test_sixteen_bits_are_stretched():
    deep = Image.fromarray((np.arange(900, dtype=np.uint16) * 70).reshape(30, 30))
    made = io.BytesIO()
    deep.save(made, "png")
    images, _labels = pictures.read(zipped(folders() | {"cat/d.png": made.getvalue()})).parts[
        "train"
    ]
    assert images.max() > 200


def test_images_outside_folders_are_counted():
    found = pictures.read(zipped(folders() | {"cover.png": png()}))
    assert found.notes == ("1 image outside class folders is left out.",)


@pytest.mark.parametrize("kind", ["jpeg", "bmp", "gif", "webp"])
def test_other_kinds(kind):
    suffix = {"jpeg": "JPG"}.get(kind, kind)
    files = {
        f"{name}/{n}.{suffix}": png(n, kind=kind, mode="RGB") for name in "ab" for n in range(COUNT)
    }
    assert pictures.read(zipped(files)).classes == ("a", "b")


def test_reading_can_be_given_up():
    with pytest.raises(Cancelled):
        pictures.read(zipped(folders()), cancelled=lambda: True)
