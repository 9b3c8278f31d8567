"""Files that a converter in another process makes from an exported PyTorch program."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from workbench.deploy.entry import check_one_input
from workbench.deploy.environments import ENVIRONMENTS
from workbench.deploy.interpreter import interpreter, process_variables
from workbench.deploy.onnx_file import TRACED
from workbench.deploy.source import Network
from workbench.deploy.target import Target
from workbench.deploy.torch_file import exported_program, save_program
from workbench.errors import InputError

CONVERSION_SECONDS = 900.0
CONVERTERS = "workbench.deploy.converters"
LAST_LINES = 3
"""Lines of a converter's last words that an error repeats."""
SLOW = ("attention", "gru", "lstm", "rnn")
"""Parts of the names of operators that ExecuTorch runs slower than PyTorch."""


def executorch_bytes(network: Network, target: Target) -> bytes:
    """Return the .pte file of a network for batches of up to ``max(17, target.batch)`` examples.

    Raises
    ------
    InputError
        If the network takes several tensors, has attention or recurrent layers, or cannot be
        converted.
    """
    inputs, most = network.inputs(TRACED), max(TRACED, target.batch)
    check_one_input(inputs, "ExecuTorch")
    with torch.backends.nnpack.flags(enabled=False):  # it fixes whether a batch has 16 examples
        program = exported_program(network.module, inputs, most=most)
    operators = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    if any(part in operator for operator in operators for part in SLOW):
        raise InputError(
            "ExecuTorch is offered for convolutional and dense networks: it runs attention and "
            "recurrent layers slower than PyTorch. Export this network to onnxruntime.",
            code="deploy.not_convolutional",
        )
    return _converted(save_program(program), "executorch", "executorch", ("executorch",))


def litert_bytes(network: Network, target: Target) -> bytes:
    """Return the .tflite file of a network for batches of exactly `target.batch` examples.

    Raises
    ------
    InputError
        If the network takes several tensors, there is no converter, or it cannot convert the
        network.
    """
    environment = ENVIRONMENTS["litert-converter"]
    modules = ("litert_torch",)
    if interpreter(modules, environment) is None:
        raise InputError(
            f"LiteRT files are written by a converter. {environment.missing()}",
            code="deploy.no_converter",
        )
    inputs = network.inputs(target.batch)
    check_one_input(inputs, "LiteRT")
    program = exported_program(network.module, inputs, fixed=True)
    return _converted(save_program(program), "litert", environment.name, modules)


def _converted(program: bytes, name: str, environment: str, modules: tuple[str, ...]) -> bytes:
    """Return what a converter makes of an exported program."""
    python = interpreter(modules, ENVIRONMENTS[environment]) or Path(sys.executable)
    with TemporaryDirectory(prefix="workbench-") as folder:
        source, output = Path(folder) / "model.pt2", Path(folder) / "converted"
        source.write_bytes(program)
        command = [str(python), "-m", f"{CONVERTERS}.{name}"]
        try:
            result = subprocess.run(
                [*command, str(source), str(output)],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=CONVERSION_SECONDS,
                env=process_variables(python),
            )
        except subprocess.TimeoutExpired as error:
            raise InputError(
                f"The converter did not finish within {CONVERSION_SECONDS:g} s.",
                code="deploy.export_failed",
            ) from error
        if result.returncode or not output.is_file():
            lines = result.stderr.strip().splitlines()[-LAST_LINES:]
            raise InputError(
                f"The converter cannot convert this network: {' '.join(lines)}",
                code="deploy.export_failed",
            )
        return output.read_bytes()
