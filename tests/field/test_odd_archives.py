"""Archives of other systems and of other data."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.raises import raises


class Unmarked(zipfile.ZipInfo):
    """An entry whose name is in the encoding of a system, and does not say in which."""

    encoding = "cp437"

    def _encodeFilenameFlags(self):  # noqa: N802
        return self.filename.encode(self.encoding), self.flag_bits


def zipped(files, encoding=None):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name) if encoding is None else Unmarked(name)
            if encoding is not None:
                info.encoding = encoding
            archive.writestr(info, data)
    return content.getvalue()


def png(seed):
    pixels = np.random.default_rng(seed).integers(0, 255, (16, 16, 3), np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "png")
    return content.getvalue()


NAMES = {
    "gbk": ("猫咪", "小狗"),
    "cp866": ("кошка", "собака"),
    "cp437": ("Kätzchen", "Vögel"),
    "utf-8": ("猫咪", "Vögel"),
}


@pytest.mark.parametrize("encoding", NAMES)
def test_names_of_classes_in_the_encodings_of_systems(encoding):
    files = {f"{NAMES[encoding][n % 2]}/{n}.png": png(n) for n in range(40)}
    inspection = wb.inspect_pictures(zipped(files, encoding))
    assert inspection.classes == dict.fromkeys(sorted(NAMES[encoding]), 20)


def saved(seed, form):
    content = io.BytesIO()
    Image.open(io.BytesIO(png(seed))).save(content, form)
    return content.getvalue()


@pytest.mark.parametrize("form", ["tga", "pcx", "ico", "dds", "sgi"])
def test_pictures_of_formats_that_are_not_read_are_called_so(form):
    files = {f"{'ab'[n % 2]}/{n}.png": png(n) for n in range(40)}
    others = {f"{'ab'[n % 2]}/{n}.{form}": saved(n, form) for n in range(4)}
    (ignored,) = wb.inspect_pictures(zipped(files | others)).ignored
    assert (ignored.kind, ignored.count) == ("other format", 4)
    with raises("upload.unsupported_images", "save them as PNG"):
        wb.inspect_pictures(zipped(others))


OTHER = {
    "shards": ({"m/model-00001-of-00002.safetensors": b"x" * 20}, "holds weights"),
    "a table": ({"data.csv": b"a,b\n1,2\n", "readme.txt": b"x"}, "upload “data.csv”"),
    "a workbook": ({"data.xlsx": zipped({"xl/workbook.xml": b"<x/>"})}, "save that as CSV"),
}


@pytest.mark.parametrize(("files", "text"), OTHER.values(), ids=OTHER)
def test_archives_of_other_data(files, text):
    with raises("upload.unsupported_images", text):
        wb.inspect_pictures(zipped(files))
