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
{loader}
{reading}
outputs = run(inputs)
if len(sys.argv) > 2:
    np.save(sys.argv[2], outputs)
for row in outputs:
    best = row.argmax(-1) if CLASSES else row
    print(CLASSES[best] if CLASSES and best.ndim == 0 else best)
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
        reading=_reading(entries),
        loader_import=first,
        loader=rest,
        classes=tuple(manifest["classes"]),
    )


def _described(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence for an only input, or a line for each of several."""
    texts = [
        f"{entry['dtype']}, [{', '.join(['examples', *map(str, entry['shape'][1:])])}]"
        for entry in entries
    ]
    preparation = entries[0]["preparation"]
    if len(entries) == 1:
        return f"The inputs are {texts[0]}: {preparation}."
    named = [f"    {entry['name']}: {text}" for entry, text in zip(entries, texts, strict=True)]
    return "\n".join([f"The file holds {preparation} by name:", "", *named])


def _reading(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines that read the inputs by name."""
    if len(entries) == 1:
        (entry,) = entries
        return f'inputs = {{"{entry["name"]}": np.load(sys.argv[1]).astype("{entry["dtype"]}")}}'
    types = [f'    "{entry["name"]}": "{entry["dtype"]}",' for entry in entries]
    reading = "inputs = {name: file[name].astype(kind) for name, kind in TYPES.items()}"
    return "\n".join(["TYPES = {", *types, "}", "file = np.load(sys.argv[1])", reading])


def requirements(manifest: Mapping[str, Any]) -> str:
    """Return the text of ``requirements.txt``: the runtime as tested here, and NumPy."""
    runtime, versions = manifest["target"]["runtime"], manifest["versions"]
    packages = REQUIRED.get(runtime, {runtime: runtime})
    lines = [f"{package}=={versions[module]}" for package, module in packages.items()]
    return "\n".join([*lines, "numpy", ""])
