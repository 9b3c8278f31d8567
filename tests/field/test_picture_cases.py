"""Known cases of picture archives and their relatives, each with the right value or sentence."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import workbench as wb
from tests.field.pictures import encoded
from tests.raises import raises
from workbench.custom.pictures.folders import structure_of
from workbench.custom.pictures.inspection import PictureChoices
from workbench.custom.pictures.opening import open_files
from workbench.custom.pictures.reading import read_pictures
from workbench.custom.uploads import small_models

WHOLE = {"webp": {"lossless": True}}
ROOT = Path(__file__).parents[2]


def noise(seed, size=(24, 32)):
    """Return a picture without resemblance to others, uint8 [height, width, 3]."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
    return np.asarray(small.resize(size[::-1], Image.Resampling.BICUBIC))


def photo(seed, kind="png", size=(24, 32), **settings):
    return encoded(Image.fromarray(noise(seed, size)), kind, **settings)


def zipped(files, **settings):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **settings) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def photos(counts, start=0, suffix=".png"):
    """Return as many pictures in each folder as `counts` says."""
    files = {}
    for folder, count in counts.items():
        for number in range(count):
            files[f"{folder}/{number}{suffix}"] = photo(start + len(files))
    return files


def inspect(files, **choices):
    return wb.inspect_pictures(zipped(files), **choices)


def test_a_folder_without_classes_next_to_the_training_folder():
    found = inspect(photos({"d/train/ants": 30, "d/train/bees": 30, "d/test": 10}))
    assert found.classes == {"ants": 30, "bees": 30}
    assert found.warnings == ("“d/test” holds 10 images of no class: left out.",)
    assert found.given_splits == ()
    assert [sum(found.splits[name].values()) for name in found.splits] == [44, 8, 8]


def test_pictures_to_predict_next_to_splits_are_left_out_and_said():
    counts = {f"seg_{s}/seg_{s}/{c}": 12 for s in ("train", "test") for c in ("sea", "forest")}
    found = inspect(photos(counts | {"seg_pred/seg_pred": 5}))
    assert found.classes == {"forest": 24, "sea": 24}
    assert found.given_splits == ("train", "test")
    assert "“seg_pred/seg_pred” holds 5 images of no class: left out." in found.warnings


def test_tiff_and_png_are_mixed():
    files = {}
    for number in range(60):
        kind, suffix = (("tiff", "tif"), ("png", "png"))[number % 2]
        files[f"{'ab'[number // 30]}/{number}.{suffix}"] = photo(number, kind)
    assert inspect(files).pictures_used == 60


def test_sessions_below_the_classes():
    sessions = {f"d/{c}/session{n}": 3 for c in ("ants", "bees") for n in range(12)}
    found = inspect(photos(sessions))
    assert found.classes == {"ants": 36, "bees": 36}
    assert [level.level for level in found.levels] == [1, 2]
    assert len(found.levels[1].names) == 12
    assert found.warnings == (
        (
            "The folders “ants”, “bees” name the classes; the folders “session0”, “session1”, "
            "“session10”, … in them are joined. If the latter are the classes, choose level 2."
        ),
    )
    assert len(inspect(photos(sessions), level=2).classes) == 12


def test_patients_around_the_classes_are_said():
    found = inspect(photos({f"patient_{p}/{c}": 6 for p in (1, 2, 3) for c in "01"}))
    assert found.classes == {"0": 18, "1": 18}
    assert found.warnings == (
        (
            "The folders “0”, “1” name the classes; the folders “patient_1”, “patient_2”, "
            "“patient_3” around them are joined. If the latter are the classes, choose level 1."
        ),
    )


@pytest.mark.parametrize("copy", ["brain", "brain/data"])
@pytest.mark.parametrize("level", [None, 1])
def test_a_copy_of_the_class_folders_in_one_of_them_is_merged_and_said(copy, level):
    files = photos({"d/yes": 20, "d/no": 20})
    files |= {f"d/{copy}/{path[2:]}": content for path, content in files.items()}
    files[f"d/{copy}/yes/other.png"] = photo(500)
    found = inspect(files, level=level)
    assert found.classes == {"no": 20, "yes": 21}
    assert found.warnings[0] == (
        "“d/brain” repeats the folders “no”, “yes” next to it: they are merged, and files of the "
        "same content count once."
    )
    assert [(each.kind, each.count) for each in found.ignored] == [("copy", 40)]
    found = inspect(files | photos({"d/maybe": 20}, 600), leave_out=["maybe"], level=level)
    assert {each.kind: each.count for each in found.ignored} == {"copy": 40, "chosen": 20}


def test_a_copy_of_the_splits_is_merged():
    files = photos({f"{s}/{c}": 12 for s in ("train", "test") for c in ("ill", "well")})
    found = inspect(files | {f"xray/{path}": content for path, content in files.items()})
    assert (found.pictures_used, found.given_splits) == (48, ("train", "test"))
    assert found.classes == {"ill": 24, "well": 24}


def test_a_copy_in_the_folder_for_training_is_merged():
    files = photos({f"{s}/{c}": 12 for s in ("train", "test") for c in ("ill", "well")})
    copies = {f"train/{path}": each for path, each in files.items() if path.startswith("train")}
    found = inspect(files | copies)
    assert found.splits["test"] == {"ill": 12, "well": 12}
    assert found.pictures_used == 48
    assert any(text.startswith("“train/train” repeats the folders") for text in found.warnings)


@pytest.mark.parametrize("content", ["half", "nothing", "html"])
def test_one_broken_of_121(content):
    files = photos({"ants": 60, "bees": 60})
    jpeg = photo(999, "jpeg", size=(200, 300))
    files["ants/broken.jpg"] = {"half": jpeg[:2000], "nothing": b"", "html": b"<html>"}[content]
    found = inspect(files)
    assert found.classes == {"ants": 60, "bees": 60}
    (ignored,) = found.ignored
    assert (ignored.kind, ignored.count, ignored.examples) == ("broken", 1, ("ants/broken.jpg",))
    assert "“ants/broken.jpg”" in found.warnings[0]
    for number in range(14):
        files[f"bees/broken{number:02}.jpg"] = files["ants/broken.jpg"]
    with raises("upload.unreadable_image", "15 of 135", "ants/broken.jpg", "bees/broken01.jpg"):
        inspect(files)


@pytest.mark.parametrize(
    ("name", "content", "fact"),
    [
        ("1.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "export them as JPEG"),
        ("1.cr2", b"II*\0\x10\0\0\0CR", "Raw photographs"),
        ("1.mov", b"\0\0\0\x14ftypqt  \0\0\0\0", "frames"),
        ("1.dcm", b"\0" * 128 + b"DICM", "DICOM"),
        ("1.zip", b"PK\3\4", "unpack"),
        ("1.jpg", b"<html>404</html>", "save them again"),
        ("1.svg", b"<?xml version='1.0'?><svg/>", "export them as PNG"),
    ],
)
def test_only_files_that_are_not_read(name, content, fact):
    with raises("upload.unsupported_images", fact):
        inspect({f"{folder}/{name}": content for folder in ("ants", "bees")})


def test_photographs_are_read_at_64_pixels_as_a_whole():
    files = {f"{c}/{n}.jpg": photo(n + 50 * (c == "b"), "jpeg", (120, 240)) for c in "ab"
             for n in range(20)}  # fmt: skip
    pictures = read_pictures(zipped(files))
    assert pictures.inspection.size == 64
    assert pictures.inspection.largest == (240, 120)
    images = pictures.data.parts["train"][0]
    assert images.shape[1:] == (64, 64, 3)
    assert (images[:, [0, 15, 48, 63]] == pictures.preprocessing.background).all()
    assert (images[:, [16, 47]] != pictures.preprocessing.background).any(axis=(1, 2, 3)).all()
    assert inspect(files, size=96).size == 96
    with raises("argument.out_of_range", "28, 64, 96"):
        inspect(files, size=50)


def test_nearly_equal_pictures_stay_in_one_split():
    files = photos({"ants": 30, "bees": 30})
    for number in range(10):
        image = Image.fromarray(noise(number)).resize((48, 36))
        files[f"ants/again{number}.jpg"] = encoded(image, "jpeg", quality=80)
    pictures = read_pictures(zipped(files))
    assert pictures.inspection.duplicates == 10
    assert pictures.inspection.warnings == (
        "10 pictures are nearly the same as others: these are in the same split.",
    )
    split_of = {path: split for split, paths in pictures.paths.items() for path in paths}
    for number in range(10):
        assert split_of[f"ants/{number}.png"] == split_of[f"ants/again{number}.jpg"]


def test_nearly_equal_pictures_in_given_splits_are_said():
    files = photos({f"{s}/{c}": 10 for s in ("train", "val", "test") for c in ("ants", "bees")})
    files["test/ants/copy.jpg"] = encoded(Image.fromarray(noise(0)), "jpeg", quality=85)
    files["val/bees/copy.png"] = files["train/bees/3.png"]
    found = inspect(files)
    assert found.warnings == (
        (
            "2 pictures outside the training split are nearly the same as some in it: the accuracy "
            "will be too good."
        ),
    )
    assert found.splits["test"] == {"ants": 11, "bees": 10}


def test_the_same_picture_in_two_classes_is_said():
    files = photos({"ants": 30, "bees": 30})
    files["bees/copy.png"] = files["ants/3.png"]
    assert any("of another class" in text for text in inspect(files).warnings)


def mask(seed, kind="png"):
    rng = np.random.default_rng(seed)
    values = np.kron(rng.integers(0, 2, (6, 8), np.uint8) * 255, np.ones((4, 4), np.uint8))
    return encoded(Image.fromarray(values), kind)


@pytest.mark.parametrize(
    "folder", ["{c}/masks/{n}.png", "{c}/{n}_mask.png", "masks/{c}/{n}.png", "{c}/{n}-seg.jpg"]
)
def test_masks_are_left_out(folder):
    outer = "images/" if folder.startswith("masks") else ""
    files = photos({f"{outer}ants": 20, f"{outer}bees": 20})
    for label in ("ants", "bees"):
        for number in range(20):
            kind = "jpeg" if folder.endswith("jpg") else "png"
            files[folder.format(c=label, n=number)] = mask(number, kind)
    found = inspect(files)
    assert found.classes == {"ants": 20, "bees": 20}
    assert [(each.kind, each.count) for each in found.ignored] == [("mask", 40)]
    assert found.warnings[0].startswith("40 files left out: These are masks")


def test_faces_with_and_without_masks_are_classes():
    found = inspect(photos({"with_mask": 20, "without_mask": 20, "mask": 20}))
    assert list(found.classes) == ["mask", "with_mask", "without_mask"]


def test_a_class_with_too_few_pictures_can_be_left_out():
    files = photos({"ants": 20, "bees": 20, "rare": 2})
    found = inspect(files)
    assert found.rare == ("rare",)
    with raises("upload.rare_class", "“rare”", 2):
        read_pictures(zipped(files)).check()
    found = inspect(files, leave_out_rare=True)
    assert (found.classes, found.rare) == ({"ants": 20, "bees": 20}, ())
    assert inspect(files, leave_out=["rare"]).ignored[0].kind == "chosen"
    with raises("argument.unknown_class", "wasps"):
        inspect(files, leave_out=["wasps"])


FOLDERS = {
    "hierarchy": (["a/x", "a/y", "b/z"], {"a/x": "a", "a/y": "a", "b/z": "b"}, {}),
    "a class named train": (["car", "bus", "train"], {c: c for c in ("car", "bus", "train")}, {}),
    "flat test folder": (["car", "bus", "test"], {"car": "car", "bus": "bus"}, {}),
    "test of an experiment": (["control", "test"], {"control": "control", "test": "test"}, {}),
    "digits": (["0", "1", "2"], {"0": "0", "1": "1", "2": "2"}, {}),
    "60 patients": (
        [f"p{n}/{c}" for n in range(60) for c in "01"],
        {f"p{n}/{c}": c for n in range(60) for c in "01"},
        {},
    ),
    "one test class": (
        ["train/a", "train/b", "test/a"],
        {"train/a": "a", "train/b": "b", "test/a": "a"},
        {"train/a": "train", "train/b": "train", "test/a": "test"},
    ),
    "test in test": (
        ["train/a", "train/b", "test/test"],
        {"train/a": "a", "train/b": "b"},
        {"train/a": "train", "train/b": "train"},
    ),
    "deep folder without classes": (
        ["train/a", "train/b", "unlabeled/2024/x"],
        {"train/a": "a", "train/b": "b"},
        {},
    ),
    "only one folder has classes": (
        ["labelled/a", "labelled/b", "to predict/1", "to predict/2"],
        {"labelled/a": "a", "labelled/b": "b"},
        {},
    ),
    "batches for testing": (
        ["train/a", "train/b", "test/batch1", "test/batch2"],
        {"train/a": "a", "train/b": "b"},
        {"train/a": "train", "train/b": "train"},
    ),
    "days in splits": (
        ["train/day1/a", "train/day1/b", "train/day2/a", "train/day2/b", "test/day3/a"],
        {f"train/day{d}/{c}": c for d in (1, 2) for c in "ab"} | {"test/day3/a": "a"},
        {f"train/day{d}/{c}": "train" for d in (1, 2) for c in "ab"} | {"test/day3/a": "test"},
    ),
    "spelled variously": (
        ["Ants", "x/ants", "bees ", "wasps/s1"],
        {"Ants": "Ants", "bees ": "bees", "wasps/s1": "wasps", "x/ants": "x"},
        {},
    ),
    "splits with a prefix": (
        ["seg_train/seg_train/a", "seg_train/seg_train/b", "seg_test/seg_test/a", "seg_pred/x"],
        {"seg_train/seg_train/a": "a", "seg_train/seg_train/b": "b", "seg_test/seg_test/a": "a"},
        {
            "seg_train/seg_train/a": "train",
            "seg_train/seg_train/b": "train",
            "seg_test/seg_test/a": "test",
        },
    ),
    "training with a prefix, and what to predict": (
        ["seg_train/seg_train/a", "seg_train/seg_train/b", "seg_pred/seg_pred"],
        {"seg_train/seg_train/a": "a", "seg_train/seg_train/b": "b"},
        {"seg_train/seg_train/a": "train", "seg_train/seg_train/b": "train"},
    ),
    "splits with a suffix": (
        [f"{s}_2017_v1/{c}" for s in ("Train", "Valid", "Test") for c in "ab"],
        {f"{s}_2017_v1/{c}": c for s in ("Train", "Valid", "Test") for c in "ab"},
        {
            f"{s}_2017_v1/{c}": split
            for s, split in (("Train", "train"), ("Valid", "validation"), ("Test", "test"))
            for c in "ab"
        },
    ),
    "parts of training": (
        [f"{s}/{c}" for s in ("train_1", "train_2", "test") for c in "ab"],
        {f"{s}/{c}": c for s in ("train_1", "train_2", "test") for c in "ab"},
        {f"{s}/{c}": s[:5].strip("_") for s in ("train_1", "train_2", "test") for c in "ab"},
    ),
    "development and evaluation": (
        [f"{s}/{c}" for s in ("dev", "eval") for c in "ab"],
        {f"{s}/{c}": c for s in ("dev", "eval") for c in "ab"},
        {f"{s}/{c}": {"dev": "train", "eval": "test"}[s] for s in ("dev", "eval") for c in "ab"},
    ),
    "splits in classes, with their names": (
        [f"{c}/{c}_{s}" for s in ("train", "test") for c in ("cat", "dog")],
        {f"{c}/{c}_{s}": c for s in ("train", "test") for c in ("cat", "dog")},
        {f"{c}/{c}_{s}": s for s in ("train", "test") for c in ("cat", "dog")},
    ),
    "classes with words for splits": (
        ["train station/x", "train station/y", "test tube/x", "crash test/x"],
        {
            "train station/x": "train station",
            "train station/y": "train station",
            "test tube/x": "test tube",
            "crash test/x": "crash test",
        },
        {},
    ),
    "numbered patients": (
        [f"{p}/{c}" for p in range(8863, 8870) for c in "01"],
        {f"{p}/{c}": c for p in range(8863, 8870) for c in "01"},
        {},
    ),
    "patients, some without a class": (
        ["patient_01/0", "patient_02/0", "patient_02/1", "patient_03/0", "patient_03/1"],
        {f"patient_0{p}/{c}": c for p in (1, 2, 3) for c in "01" if (p, c) != (1, "1")},
        {},
    ),
    "subjects and visits": (
        [f"sub-{n:02}/visit{v}/{c}" for n in range(6) for v in (1, 2) for c in ("ill", "well")],
        {f"sub-{n:02}/visit{v}/{c}": c for n in range(6) for v in (1, 2) for c in ("ill", "well")},
        {},
    ),
    "persons": (
        [f"{p}/{c}" for p in ("ann", "bob", "eve") for c in ("happy", "sad")],
        {f"{p}/{c}": c for p in ("ann", "bob", "eve") for c in ("happy", "sad")},
        {},
    ),
    "validation and test alone": (
        [f"{s}/{c}" for s in ("val", "test") for c in "ab"],
        {f"{s}/{c}": c for s in ("val", "test") for c in "ab"},
        {},
    ),
    "numbers in classes": (
        [f"{c}/{n}" for c in ("ant", "bee", "fly") for n in "01"],
        {f"{c}/{n}": c for c in ("ant", "bee", "fly") for n in "01"},
        {},
    ),
    "sessions in numbered classes": (
        [f"{c}/session{n}" for c in "0123" for n in "12"],
        {f"{c}/session{n}": c for c in "0123" for n in "12"},
        {},
    ),
    "numbers in grades": (
        [f"grade{g}/{n}" for g in "123" for n in "01"],
        {f"grade{g}/{n}": f"grade{g}" for g in "123" for n in "01"},
        {},
    ),
    "views of classes": (
        [f"{c}/{v}" for c in ("ant", "bee", "fly") for v in ("left", "right")],
        {f"{c}/{v}": c for c in ("ant", "bee", "fly") for v in ("left", "right")},
        {},
    ),
    "test next to the classes for training": (
        ["a", "b", "test/a", "test/b"],
        {"a": "a", "b": "b", "test/a": "a", "test/b": "b"},
        {"a": "train", "b": "train", "test/a": "test", "test/b": "test"},
    ),
    "patients with small numbers": (
        [f"{p}/{c}" for p in "0123" for c in "01"],
        {f"{p}/{c}": c for p in "0123" for c in "01"},
        {},
    ),
    "patients of one class each": (
        [f"{p}/{p % 2}" for p in range(8863, 8870)],
        {f"{p}/{p % 2}": f"{p % 2}" for p in range(8863, 8870)},
        {},
    ),
    "two patients": (
        [f"patient_{p}/{c}" for p in (1, 2) for c in "012"],
        {f"patient_{p}/{c}": c for p in (1, 2) for c in "012"},
        {},
    ),
    "a word for validation": (
        [f"my_{s}/{c}" for s in ("train", "validate") for c in "ab"],
        {f"my_{s}/{c}": c for s in ("train", "validate") for c in "ab"},
        {f"my_{s}/{c}": s.replace("date", "dation") for s in ("train", "validate") for c in "ab"},
    ),
    "days of classes": (
        ["2024-05-01/a", "2024-05-01/b", "2024-05-02/a", "2024-05-02/b"],
        {f"2024-05-0{d}/{c}": c for d in (1, 2) for c in "ab"},
        {},
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_the_level_of_the_classes(name):
    folders, classes, splits = FOLDERS[name]
    with open_files(zipped({f"{f}/{n}.png": b"" for f in folders for n in range(3)})) as files:
        structure = structure_of(files.paths)
    assert {str(path.parent): each for path, each in structure.classes.items()} == classes
    assert {str(path.parent): each for path, each in structure.splits.items()} == splits
    assert {str(path.parent) for path in structure.unlabeled} == set(folders) - set(classes)


def test_a_folder_is_read_like_its_archive(tmp_path):
    files = photos({"Ärger": 20, "日本": 20}) | {"notes.txt": b"notes"}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link").symlink_to("/etc")
    one, other = read_pictures(tmp_path), read_pictures(zipped(files))
    assert one.inspection == other.inspection
    assert one.paths == other.paths
    for split, (images, labels) in one.data.parts.items():
        assert np.array_equal(images, other.data.parts[split][0])
        assert np.array_equal(labels, other.data.parts[split][1])
    with raises("file.missing", "there"):
        read_pictures(tmp_path / "there")


def test_names_in_utf_8_that_the_archive_does_not_mark():
    data = zipped(photos({"Ärger": 20, "日本": 20}))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        parts = data.split(signature)
        unmarked = [part[: at - 4] + b"\0\0" + part[at - 2 :] for part in parts[1:]]
        data = signature.join([parts[0], *unmarked])
    assert list(wb.inspect_pictures(data).classes) == ["Ärger", "日本"]


def test_spellings_of_a_class_are_joined_and_said_but_letters_are_not():
    found = inspect(photos({"Cat": 8, "cat": 10, "DOG ": 20}))
    assert found.classes == {"DOG": 20, "cat": 18}
    assert found.warnings == ("The folders “cat”, “Cat” are read as the class “cat”.",)
    assert list(inspect(photos({"A": 15, "a": 15})).classes) == ["A", "a"]


def test_the_first_of_several_pages_is_used_and_said():
    files = photos({"ants": 20, "bees": 20})
    pages = [Image.fromarray(noise(seed)) for seed in (500, 501)]
    for kind in ("tiff", "gif", "webp"):
        files[f"ants/x.{kind}"] = encoded(
            pages[0], kind, save_all=True, append_images=pages[1:], **WHOLE.get(kind, {})
        )
    pictures = read_pictures(zipped(files))
    sentence = "3 files have several pages or frames: the first ones are used."
    assert sentence in pictures.inspection.warnings


def test_values_of_12_bits_use_the_whole_range():
    files = {}
    for number in range(40):
        values = noise(number)[..., 0].astype(np.uint16) * 16
        files[f"{'ab'[number % 2]}/{number}.tif"] = encoded(Image.fromarray(values), "tiff")
    pictures = read_pictures(zipped(files), PictureChoices(size=28))
    assert (pictures.preprocessing.low, pictures.preprocessing.high) == (0, 4095)
    assert pictures.data.parts["train"][0].max() > 240


@pytest.mark.slow
def test_a_model_learns_from_pictures_and_says_what_changed(monkeypatch, tmp_path):
    monkeypatch.setattr(small_models, "STEPS", {"custom": 1, "image": 30})
    files = {}
    for number in range(60):
        pixels = noise(number, (64, 80)) // 3 + (number % 2) * 150
        files[f"{'ab'[number % 2]}/{number}.png"] = encoded(Image.fromarray(pixels), "png")
    (tmp_path / "shades.zip").write_bytes(zipped(files))
    model = wb.from_pictures(tmp_path / "shades.zip")
    assert model.name == "custom/shades"
    assert model.accuracy("test") > 0.9
    recipe = wb.Recipe(wb.Prune(0.97), wb.Quantize(2))
    comparison = wb.compare(model, recipe, split="validation")
    assert len(comparison.before) == len(model.task.split("validation"))
    assert model.task.split("validation").examples.shape[1:] == (64, 64, 3)


LARGE = """
import json, sys
import workbench as wb
found = wb.inspect_pictures(sys.argv[1], size=64)
status = open("/proc/self/status").read()  # ru_maxrss would hold the peak of the parent too
peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps({"peak": peak, "used": found.pictures_used, "largest": found.largest}))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells a process's peak")
def test_pictures_of_40_million_pixels_take_less_than_a_gigabyte(tmp_path):
    files = photos({"ants": 30, "bees": 30})
    huge = Image.new("RGBA", (8000, 5000), (200, 10, 10, 128))
    files["ants/huge.png"] = encoded(huge, "png", compress_level=1)
    files["bees/huge.tif"] = encoded(huge.convert("L"), "tiff", compression="tiff_adobe_deflate")
    path = tmp_path / "huge.zip"
    path.write_bytes(zipped(files))
    run = subprocess.run(
        [sys.executable, "-c", LARGE, path], capture_output=True, text=True, cwd=ROOT, check=True
    )
    result = json.loads(run.stdout)
    assert (result["used"], result["largest"]) == (62, [8000, 5000])
    assert result["peak"] < 10**9
