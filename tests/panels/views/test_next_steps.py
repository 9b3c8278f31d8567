"""The Python lines shown after a download work when they are pasted."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from torch import nn

import workbench as wb
from workbench.panels.views import next_steps

FILE = "small.safetensors"


def run(lines, folder, *arguments):
    command = [sys.executable, "-c", lines, *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, encoding="utf-8"
    ).stdout


NAMES = [
    "fashion/lenet5",
    "fashion/mlp-32.resnet.t4.labels1",
    "reviews/transformer",
    "reviews-lm/gpt",
    "vowels/gru",
]
ALONE = """
import os, sys
for folder in sys.argv[1:]:
    os.chdir(folder)
    exec(open("lines.py", encoding="utf-8").read(), {})
    print("end", flush=True)
"""
"""Runs the lines of each folder, one after the other: to load PyTorch takes seconds."""


@pytest.mark.slow
def test_the_lines_predict_with_the_file_in_its_folder(tmp_path):
    folders, expected = [], []
    for number, name in enumerate(NAMES):
        model = wb.model(name)
        artifact = wb.compress(model, wb.Recipe(wb.Prune(0.5), wb.Quantize(4)))
        folders.append(tmp_path / str(number))
        folders[-1].mkdir()
        artifact.save(folders[-1] / FILE)
        (folders[-1] / "lines.py").write_text(next_steps.code(model, FILE), encoding="utf-8")
        assert next_steps.note(model) is None
        examples = model.task.split("test").examples[:5]
        outputs = wb.to_module(artifact)(model.task.inputs(examples))
        if name == "reviews-lm/gpt":
            expected.append(str(outputs.argmax(-1)))
        else:
            expected.append(str([model.task.classes[k] for k in outputs.argmax(1)]))
    assert run(ALONE, tmp_path, *map(str, folders)).split("\nend\n") == [*expected, ""]


@pytest.mark.slow
def test_a_custom_model_is_not_in_a_fresh_python_so_the_lines_load_its_weights(tmp_path):
    examples = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    data = (examples, (examples[:, 0] > 0).astype("int64"))
    model = wb.from_module(
        nn.Linear(4, 2), train=data, validation=data, test=data, name="two-classes"
    )
    wb.compress(model, wb.Recipe(wb.Quantize(8))).save(tmp_path / FILE)
    assert run(next_steps.code(model, FILE), tmp_path) == "{'weight': (2, 4), 'bias': (2,)}\n"
    assert "wb.to_module(file, module)" in next_steps.note(model)
