"""The script and the requirements that a package contains: running it without Workbench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    return session.run(None, inputs)[0]
""",
    "openvino": """import openvino

properties = {{
    "INFERENCE_PRECISION_HINT": "{hint}",
    "INFERENCE_NUM_THREADS": {threads},
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": {group},
}}
model = openvino.Core().compile_model(str(FOLDER / "model.onnx"), "CPU", properties)


def run(inputs):
    return model([*inputs.values()])[0]
""",
    "torch": """import torch

torch.set_num_threads({threads})
model = torch.export.load(FOLDER / "model.pt2").module()


@torch.no_grad()
def run(inputs):
    return model(*map(torch.from_numpy, inputs.values())).numpy()
""",
    "tensorrt": """import os

os.environ["NVIDIA_TF32_OVERRIDE"] = "0"

import onnxruntime

session = onnxruntime.InferenceSession(
    str(FOLDER / "model.onnx"), providers=["TensorrtExecutionProvider", "CPUExecutionProvider"]
)
if session.get_providers()[0] != "TensorrtExecutionProvider":
    sys.exit("TensorRT does not run on this machine.")


def run(inputs):
    return session.run(None, inputs)[0]
""",
    "executorch": """import torch
from executorch.runtime import Runtime

program = Runtime.get().load_program(FOLDER / "model.pte")
method = program.load_method("forward")


def run(inputs):
    most = method.metadata.input_tensor_meta(0).sizes()[0]
    parts = torch.from_numpy(inputs["input"]).split(most)
    return torch.cat([method.execute((part.contiguous(),))[0].clone() for part in parts]).numpy()
""",
    "litert": """from ai_edge_litert.interpreter import Interpreter

network = Interpreter(str(FOLDER / "model.tflite"), num_threads={threads})
network.allocate_tensors()
entry, exit = network.get_input_details()[0], network.get_output_details()[0]["index"]


def run(inputs):
    given, size, parts = inputs["input"], entry["shape"][0], []
    for start in range(0, len(given), size):
        rows = given[start : start + size]
        batch = np.zeros(entry["shape"], entry["dtype"])
        batch[: len(rows)] = rows
        network.set_tensor(entry["index"], batch)
        network.invoke()
        parts.append(network.get_tensor(exit)[: len(rows)].copy())
    return np.concatenate(parts)
""",
    "keras": """import os

os.environ.setdefault("KERAS_BACKEND", "torch")  # or tensorflow, jax

import keras

model = keras.saving.load_model(FOLDER / "model.keras")


def run(inputs):
    return keras.ops.convert_to_numpy(model(inputs["input"], training=False))
""",
}
REQUIRED = {
    "executorch": {"executorch": "executorch", "torch": "torch"},
    "keras": {"keras": "keras", "torch": "torch"},
    "litert": {"ai-edge-litert": "ai_edge_litert"},
    "tensorrt": {"onnxruntime-gpu": "onnxruntime", "tensorrt": "tensorrt"},
}
"""The packages that a script needs if they are not named as the runtime, with their modules."""
HINTS = {"float32": "f32", "bfloat16": "bf16", "int8_inputs": "f32"}
GROUP_SIZES = {"int8_inputs": 32}
"""As in the session of OpenVINO."""

SCRIPT = '''"""Run the network on a {suffix} file: python run.py inputs{suffix} [outputs.npy]

{described}
"""

import sys
from pathlib import Path

import numpy as np
{loader_import}

FOLDER = Path(__file__).parent
CLASSES = {classes!r}
INPUTS = {{
{entries}
}}
{loader}

{reading}

inputs = read(sys.argv[1]) if len(sys.argv) > 1 else sys.exit(__doc__)
outputs = run(inputs)
if len(sys.argv) > 2:
    np.save(sys.argv[2], outputs)
for row in outputs:
    best = row.argmax(-1) if CLASSES else row
    print(CLASSES[best] if CLASSES and best.ndim == 0 else best)
'''
READING = '''def read(path):
    """Return the arrays of a file by name; end with a sentence if the network takes others."""
    only = [*INPUTS][0] if len(INPUTS) == 1 else "an array without a name"
    try:
        file = np.load(path)
        arrays = {**file} if hasattr(file, "files") else {only: file}
    except Exception as error:  # a damaged file raises errors of any type
        sys.exit(f"{path} cannot be read: {' '.join(str(error).split())}")
    if arrays.keys() != INPUTS.keys():
        held = ", ".join(arrays) or "nothing"
        sys.exit(f"{path} must hold {', '.join(INPUTS)}, and holds {held}.")
    counts = {len(array) if array.ndim else 0 for array in arrays.values()}
    if len(counts) > 1 or 0 in counts:
        sys.exit(f"{path} must hold the same number of examples for each input, at least one.")
    return {name: converted(name, arrays[name]) for name in INPUTS}


def converted(name, array):
    """Return an array in the type of an input."""
    kind, shape = INPUTS[name]
    if list(array.shape[1:]) != shape:
        sys.exit(f"{name} must have examples of shape {shape}, not {list(array.shape[1:])}.")
    numbers = array.dtype.kind in "biuf"
    with np.errstate(invalid="ignore"):
        values = array.astype(kind) if numbers else array
    if not numbers or (values.dtype.kind != "f" and (values != array).any()):
        sys.exit(f"{name} must be {kind}, and has other values, of the type {array.dtype}.")
    return values
'''


def run_script(manifest: Mapping[str, Any]) -> str:
    """Return the text of ``run.py``."""
    target, entries = manifest["target"], manifest["inputs"]
    loader = LOADERS[target["runtime"]].format(
        threads=target["threads"],
        hint=HINTS[target["precision"]],
        group=GROUP_SIZES.get(target["precision"], 0),
    )
    first, _, rest = loader.partition("\n")
    return SCRIPT.format(
        suffix=".npy" if len(entries) == 1 else ".npz",
        described=_described(entries),
        entries="\n".join(
            f"    {entry['name']!r}: {(entry['dtype'], entry['shape'][1:])!r}," for entry in entries
        ),
        reading=READING,
        loader_import=first,
        loader=rest,
        classes=tuple(manifest["classes"]),
    )


def _described(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence for an only input, or one that leads to the list of several."""
    preparation = entries[0]["preparation"]
    if len(entries) > 1:
        return f"The file holds {preparation} by name, as INPUTS lists them with type and shape."
    (entry,) = entries
    shape = ", ".join(["examples", *map(str, entry["shape"][1:])])
    return f"The inputs are {entry['dtype']}, [{shape}]: {preparation}."


def requirements(manifest: Mapping[str, Any]) -> str:
    """Return the text of ``requirements.txt``: the runtime as tested here, and NumPy."""
    runtime, versions = manifest["target"]["runtime"], manifest["versions"]
    packages = REQUIRED.get(runtime, {runtime: runtime})
    lines = [f"{package}=={versions[module]}" for package, module in packages.items()]
    return "\n".join([*lines, "numpy", ""])
