"""Archives of pictures as they are: classes, splits and pixels against their generator."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.field.pictures import CLASSES, COUNT, FORMATS, ODD, SIZE, STRUCTURES, UNLABELED, generate
from workbench.custom.pictures.inspection import PictureChoices
from workbench.custom.pictures.reading import read_pictures

SPLITS = {"train": "train", "val": "validation", "test": "test"}
CASES = [
    (structure, kind, ODD[number % len(ODD) :][:2])
    for number, kind in enumerate(FORMATS)
    for structure in [list(STRUCTURES)[(number + turn) % len(STRUCTURES)] for turn in (0, 5)]
]
LOSSLESS = 0.51
"""Largest mean error of a picture that is scaled in another mode."""


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request):
    structure, kind, odd = request.param
    truth = generate(structure, kind, odd, CASES.index(request.param))
    pictures = read_pictures(truth.zipped(), PictureChoices(size=SIZE))
    return structure, kind, truth, pictures


def expected(pixels, background):
    """Return the whole picture in the middle of a square, computed from the true pixels."""
    height, width = pixels.shape[:2]
    scale = SIZE / max(height, width)
    size = (round(width * scale), round(height * scale))
    scaled = np.asarray(Image.fromarray(np.uint8(pixels)).resize(size, Image.Resampling.BICUBIC))
    square = np.empty((SIZE, SIZE, 3), np.uint8)
    square[:] = background
    top, left = (SIZE - size[1]) // 2, (SIZE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = scaled
    return square


@pytest.mark.slow
def test_classes_and_ignored_files_are_right(case):
    structure, _kind, truth, pictures = case
    inspection = pictures.inspection
    assert [name.casefold() for name in inspection.classes] == list(CLASSES)
    assert set(inspection.classes.values()) == {COUNT}
    assert {files.kind: files.count for files in inspection.ignored} == truth.ignored
    assert inspection.files_read == len(truth.files)
    assert inspection.pictures_used == len(CLASSES) * COUNT
    assert all(files.reason for files in inspection.ignored)
    if structure in UNLABELED:
        folder = UNLABELED[structure]
        assert f"“{folder}” holds 3 images of no class: left out." in inspection.warnings


@pytest.mark.slow
def test_each_picture_is_in_its_class_and_split(case):
    _structure, _kind, truth, pictures = case
    for split, paths in pictures.paths.items():
        _images, labels = pictures.data.parts[split]
        names = [pictures.data.classes[label].casefold() for label in labels]
        assert names == [truth.classes[path] for path in paths]
    given = {split for split in truth.splits.values() if split}
    assert pictures.inspection.given_splits == tuple(SPLITS[s] for s in SPLITS if s in given)
    for split in given - {"train"}:
        assert set(pictures.paths[SPLITS[split]]) == {
            path for path, each in truth.splits.items() if each == split
        }
    everything = [path for paths in pictures.paths.values() for path in paths]
    assert sorted(everything) == sorted(truth.pixels)
    assert all(len(paths) >= len(CLASSES) for paths in pictures.paths.values())


def test_pixels_are_those_of_the_generator(case):
    _structure, kind, truth, pictures = case
    background = pictures.preprocessing.background
    tolerance = FORMATS[kind][2] or LOSSLESS
    for split, paths in pictures.paths.items():
        images, _labels = pictures.data.parts[split]
        for path, image in zip(paths, images, strict=True):
            square = expected(truth.pixels[path], background)
            square = square if pictures.inspection.color else square[..., 0]
            assert np.abs(image.astype(float) - square).mean() <= tolerance, path
    training = [truth.pixels[path].reshape(-1, 3) for path in pictures.paths["train"]]
    mean = np.mean([each.mean(axis=0) for each in training], axis=0)
    assert np.abs(mean - background).max() <= 1 + FORMATS[kind][2]


def test_new_pictures_become_the_same_pixels(case):
    _structure, _kind, truth, pictures = case
    paths = pictures.paths["test"]
    images = pictures.preprocessing.transform(truth.files[path] for path in paths)
    assert np.array_equal(images, pictures.data.parts["test"][0])
