"""Check that a runtime really runs what was requested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.deploy.process import RuntimeFailedError
from workbench.deploy.runtimes import RUNTIMES
from workbench.deploy.target import Target

PROVIDERS = {
    "onnxruntime": "CPUExecutionProvider",
    "openvino": "CPU",
    "torch": "CPU",
    "keras": "CPU",
    "litert": "CPU",
    "tensorrt": "TensorrtExecutionProvider",
    "executorch": "XnnpackBackend",
}
TYPES = {
    "float32": ("f32", "float32"),
    "bfloat16": ("bf16", "bfloat16"),
    "int8_inputs": ("f32",),
}


def check_facts(target: Target, facts: Mapping[str, Any]) -> None:
    """Raise `RuntimeFailedError` if another device or another precision runs."""
    title, provider = RUNTIMES[target.runtime].title, facts["provider"]
    if provider != PROVIDERS[target.runtime]:
        raise RuntimeFailedError(
            f"{title} runs on {provider} and not on {PROVIDERS[target.runtime]}, as requested: "
            "its numbers are not shown.",
            code="deploy.other_provider",
        )
    precision = facts.get("precision")
    if precision is not None and precision not in TYPES[target.precision]:
        raise RuntimeFailedError(
            f"{title} computes in {precision} and not in {target.precision}, as requested: its "
            "numbers are not shown.",
            code="deploy.other_precision",
        )
