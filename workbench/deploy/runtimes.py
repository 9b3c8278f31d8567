"""The table of inference runtimes. A new one is a row here and a file in `deploy.sessions`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path

from workbench import formatting
from workbench.deploy.environments import ENVIRONMENTS
from workbench.deploy.interpreter import interpreter
from workbench.deploy.sessions.processor import may_multiply_bfloat16
from workbench.errors import InputError
from workbench.i18n import _, mark as N_
from workbench.installation import install_command
from workbench.recipe.schema import brief


@dataclass(frozen=True)
class Runtime:
    """An inference runtime.

    Attributes
    ----------
    name : str
        The identifier.
    title_id : str
        The display name, a message id of the catalog.
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
    environment : str
        The separate environment that provides it if this Python does not; empty if there is none.
    """

    name: str
    title_id: str
    packages: tuple[str, ...]
    extra: str
    megabytes: int
    precisions: tuple[str, ...]
    suffix: str
    environment: str = ""

    @property
    def title(self) -> str:
        """The display name in the language of the page."""
        return _(self.title_id)

    @property
    def fixed_batch(self) -> bool:
        """Whether a file takes batches of one size only."""
        return self.suffix == ".tflite"

    @property
    def own_models_only(self) -> bool:
        """Whether it runs only models that came from it."""
        return self.suffix == ".keras"

    @property
    def precisions_here(self) -> tuple[str, ...]:
        """The precisions that the processor of this machine has."""
        left_out = () if may_multiply_bfloat16() else ("bfloat16",)
        return tuple(name for name in self.precisions if name not in left_out)

    def python(self) -> Path | None:
        """Return the interpreter that has its packages; None if it is not installed."""
        return interpreter(self.packages, ENVIRONMENTS.get(self.environment))

    def versions(self) -> dict[str, str]:
        """Return the versions of its packages."""
        if self.environment and self.python() != Path(sys.executable):
            return dict(ENVIRONMENTS[self.environment].versions())
        return {name: _version(name) for name in self.packages}

    @property
    def command(self) -> str:
        """The line that installs it for this Python; empty if it needs an environment."""
        return install_command(self.extra) if self.extra else ""

    def missing(self) -> str | None:
        """Return a sentence that says what is missing and what it adds, or None."""
        if self.python() is not None:
            return None
        if not self.extra:
            return _(
                "{runtime} needs an NVIDIA GPU and an environment with onnxruntime-gpu, which "
                "replaces onnxruntime, and tensorrt: there, python -m pip install onnxruntime-gpu "
                "tensorrt-cu13 adds several thousand MB."
            ).format(runtime=self.title)
        sentence = _("{runtime} is not installed: it adds about {megabytes} MB.").format(
            runtime=self.title, megabytes=self.megabytes
        )
        if not self.environment:
            return sentence
        other = _("Or run {command}.").format(command=f"workbench setup {self.environment}")
        return formatting.paragraph([sentence, other])

    def how_to_install(self) -> str | None:
        """Return the sentence of `missing` with the line that installs it, or None."""
        sentence = self.missing()
        if sentence is None or not self.command:
            return sentence
        return _("{sentence} Install it with: {command}").format(
            sentence=sentence, command=self.command
        )

    def check_installed(self) -> None:
        """Raise `InputError` if a package is missing."""
        sentence = self.how_to_install()
        if sentence:
            raise InputError(sentence, code="deploy.not_installed")


def _version(module: str) -> str:
    """Return the version of a module's package, which may have another name: onnxruntime-gpu."""
    try:
        return version(module).partition("+")[0]
    except PackageNotFoundError:
        names = packages_distributions().get(module, [])
        return version(names[0]).partition("+")[0] if names else ""


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
        Runtime(
            "executorch",
            "ExecuTorch",
            ("executorch", "torchao"),
            "executorch",
            330,
            ("float32",),
            ".pte",
            "executorch",
        ),
        Runtime(
            "tensorrt",
            N_("TensorRT (untested)"),
            (*EXPORTERS, "onnxruntime", "tensorrt"),
            "",
            0,
            ("float32",),
            ".onnx",
        ),
        Runtime("litert", "LiteRT", ("ai_edge_litert",), "litert", 63, ("float32",), ".tflite"),
        Runtime("keras", "Keras", ("keras",), "keras", 45, ("float32",), ".keras"),
        Runtime("torch", "PyTorch", ("torch",), "", 0, ("float32",), ".pt2"),
    )
}

ALIASES = {"onnx": "onnxruntime"}
"""Other names of runtimes, which the console and Python accept."""

NAMES = (*ALIASES, *RUNTIMES)
"""What a runtime may be called."""


def runtime_called(name: object) -> Runtime:
    """Return the runtime of a name or alias.

    Raises
    ------
    InputError
        If there is none.
    """
    known = RUNTIMES.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if known is None:
        raise InputError(
            f"There is no runtime {brief(name)}: choose one of {', '.join(RUNTIMES)}.",
            code="deploy.unknown_runtime",
        )
    return known


PRECISIONS = {
    "float32": N_("float32"),
    "bfloat16": N_("bfloat16"),
    "int8_inputs": N_("inputs rounded to 8 bits"),
}


def precision_name(precision: str) -> str:
    """Return the display name of a precision."""
    known = PRECISIONS.get(precision)
    return _(known) if known else precision


def title_of(runtime: str, precision: str) -> str:
    """Return the title of a runtime, with its precision unless that is the default one."""
    title = RUNTIMES[runtime].title
    if precision == RUNTIMES[runtime].precisions[0]:
        return title
    return f"{title}, {precision_name(precision)}"
