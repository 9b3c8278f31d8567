"""What is refused in a Keras file before Keras opens it; Keras need not be installed."""

from __future__ import annotations

import json
import zipfile

import pytest

from tests.raises import raises
from workbench.custom.loaders.keras_archive import check_archive


def layer(name, class_name, module="keras.layers", **entries):
    return {"module": module, "class_name": class_name, "config": {"name": name}, **entries}


def archive(path, *layers, version="3.15.1", **files):
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": list(layers)}}
    content = {
        "config.json": json.dumps(config),
        "metadata.json": json.dumps({"keras_version": version}),
        **files,
    }
    with zipfile.ZipFile(path, "w") as target:
        for name, text in content.items():
            target.writestr(name, text)
    return path


def check(path, registered=()):
    check_archive(path, lambda name: name in registered)


def test_layers_of_keras_are_accepted(tmp_path):
    relu = {"module": "builtins", "class_name": "function", "config": "relu"}
    dense = layer("a", "Dense", "keras.src.layers.core.dense") | {"activation": relu}
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 4]}}
    check(archive(tmp_path / "m.keras", dense, layer("b", "ReLU"), tensor))


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (layer("own", "Lambda"), "module.keras_code"),
        (layer("own", "TorchModuleWrapper"), "module.keras_code"),
        (layer("own", "TFSMLayer"), "module.keras_code"),
        (layer("own", "JaxLayer"), "module.keras_code"),
        (layer("own", "TextVectorization"), "module.keras_strings"),
        (layer("own", "StringLookup"), "module.keras_strings"),
        (layer("own", "Dense", "os"), "module.keras_custom"),
        (layer("own", "Swirl", None, registered_name="mine>Swirl"), "module.keras_custom"),
        (layer("own", "Swirl", "keras_of_another"), "module.keras_custom"),
    ],
)
def test_a_layer_that_cannot_be_read_is_named(tmp_path, entry, code):
    path = archive(tmp_path / "m.keras", layer("first", "Dense"), entry)
    with raises(code, "own", entry["class_name"]):
        check(path)


def test_code_in_a_layer_is_found_at_any_depth(tmp_path):
    hidden = {"class_name": "__lambda__", "config": {"value": "code"}}
    outer = layer("outer", "TimeDistributed") | {"inner": [{"activation": hidden}]}
    with raises("module.keras_code", "outer"):
        check(archive(tmp_path / "m.keras", outer))


def test_a_registered_class_of_the_user_is_accepted(tmp_path):
    own = layer("own", "Swirl", None, registered_name="mine>Swirl")
    check(archive(tmp_path / "m.keras", own), ["mine>Swirl"])


def test_a_file_of_keras_2_is_refused(tmp_path):
    with raises("module.keras_version", "2.15.0"):
        check(archive(tmp_path / "m.keras", version="2.15.0"))


@pytest.mark.parametrize(
    "files",
    [
        {"config.json": "{"},
        {"config.json": "[]"},
        {"metadata.json": "3"},
        {"config.json": "[" * 9999},
    ],
)
def test_a_damaged_description_is_refused(tmp_path, files):
    with raises("file.not_keras"):
        check(archive(tmp_path / "m.keras", **files))


def test_other_files_are_refused(tmp_path):
    path = archive(tmp_path / "m.keras")
    content = path.read_bytes()
    for wrong in (b"", b"\x89HDF\r\n", content[: len(content) // 2]):
        path.write_bytes(wrong)
        with raises("file.not_keras", "m.keras"):
            check(path)
    with zipfile.ZipFile(path, "w") as empty:
        empty.writestr("other.txt", "")
    with raises("file.not_keras"):
        check(path)
    with raises("file.missing", "none.keras"):
        check(tmp_path / "none.keras")
