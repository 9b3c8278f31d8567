"""The script and the requirements that a package contains: running it without Workbench."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOADERS = {
    "onnxruntime": """import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {threads}
# On an x86 processor without VNNI, 8-bit sums are exact only with this option:
# options.add_session_config_entry("session.x64quantprecision", "1")
session = onnxruntime.InferenceSession(
    str(FOLDER / "model.onnx"), options, providers=["CPUExecutionProvider"]
)


def run(inputs):
    return session.run(None, {{"input": inputs}})[0]
""",
    "openvino": """import openvino

properties = {{
    "INFERENCE_PRECISION_HINT": "{hint}",
    "INFERENCE_NUM_THREADS": {threads},
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": {group},
}}
model = openvino.Core().compile_model(str(FOLDER / "model.onnx"), "CPU", properties)


def run(inputs):
    return model(inputs)[0]
""",
    "torch": """import torch

torch.set_num_threads({threads})
model = torch.export.load(FOLDER / "model.pt2").module()


@torch.no_grad()
def run(inputs):
    return model(torch.from_numpy(inputs)).numpy()
""",
    "keras": """import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # or tensorflow, jax

import keras

model = keras.saving.load_model(FOLDER / "model.keras")


def run(inputs):
    return keras.ops.convert_to_numpy(model(inputs, training=False))
""",
}
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8_inputs": "f32"}
GROUP_SIZES = {"int8_inputs": 32}
"""As in the session of OpenVINO."""

SCRIPT = '''"""Run the network on the inputs of a .npy file: python run.py inputs.npy [outputs.npy]

The inputs are {dtype}, [examples{shape}]: {preparation}.
"""

import sys
from pathlib import Path

import numpy as np
{loader_import}

FOLDER = Path(__file__).parent
CLASSES = {classes!r}
{loader}
inputs = np.load(sys.argv[1]).astype("{dtype}")
outputs = run(inputs)
if len(sys.argv) > 2:
    np.save(sys.argv[2], outputs)
for row in outputs:
    best = row.argmax(-1) if CLASSES else row
    print(CLASSES[best] if CLASSES and best.ndim == 0 else best)
'''


def run_script(manifest: Mapping[str, Any]) -> str:
    """Return the text of ``run.py``."""
    target, entry = manifest["target"], manifest["input"]
    loader = LOADERS[target["runtime"]].format(
        threads=target["threads"],
        hint=HINTS[target["precision"]],
        group=GROUP_SIZES.get(target["precision"], 0),
    )
    first, _, rest = loader.partition("\n")
    return SCRIPT.format(
        dtype=entry["dtype"],
        shape="".join(f", {size}" for size in entry["shape"][1:]),
        preparation=entry["preparation"],
        loader_import=first,
        loader=rest,
        classes=tuple(manifest["classes"]),
    )


def requirements(manifest: Mapping[str, Any]) -> str:
    """Return the text of ``requirements.txt``: the runtime as tested here, and NumPy."""
    runtime = manifest["target"]["runtime"]
    return f"{runtime}=={manifest['versions'][runtime]}\nnumpy\n"
