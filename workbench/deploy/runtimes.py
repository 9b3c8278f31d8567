"""The table of inference runtimes. A new one is a row here and a file in `deploy.sessions`."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from workbench.errors import InputError


@dataclass(frozen=True)
class Runtime:
    """An inference runtime.

    Attributes
    ----------
    name, title : str
        The identifier and the display name.
    packages : tuple of str
        Modules that it needs.
    extra : str
        The extra of this package that installs them; empty if they are always there.
    megabytes : int
        What the extra adds to an installation, rounded.
    precisions : tuple of str
        Precisions of the arithmetic, the default first.
    suffix : str
        The suffix of the exported network's file.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    extra: str
    megabytes: int
    precisions: tuple[str, ...]
    suffix: str

    def missing(self) -> str | None:
        """Return a sentence that says how to install what is missing, or None."""
        if all(find_spec(package) for package in self.packages):
            return None
        return (
            f"{self.title} is not installed: pip install 'workbench[{self.extra}]' adds about "
            f"{self.megabytes} MB."
        )

    def check_installed(self) -> None:
        """Raise `InputError` if a package is missing."""
        sentence = self.missing()
        if sentence:
            raise InputError(sentence, code="deploy.not_installed")


EXPORTERS = ("onnx", "onnxscript")
"""Modules that write ONNX files."""

RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            "onnxruntime",
            "ONNX Runtime",
            (*EXPORTERS, "onnxruntime"),
            "onnx",
            107,
            ("float32", "int8_inputs"),
            ".onnx",
        ),
        Runtime(
            "openvino",
            "OpenVINO",
            (*EXPORTERS, "openvino"),
            "openvino",
            214,
            ("float32", "bfloat16", "int8_inputs"),
            ".onnx",
        ),
        Runtime("keras", "Keras", ("keras",), "keras", 45, ("float32",), ".keras"),
        Runtime("torch", "PyTorch", ("torch",), "", 0, ("float32",), ".pt2"),
    )
}
