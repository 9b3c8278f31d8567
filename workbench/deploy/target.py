"""What a file is exported for: a runtime and how it runs there, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from workbench.deploy.runtimes import runtime_called
from workbench.errors import InputError
from workbench.recipe.schema import brief

ROUNDED_INPUTS = "int8_inputs"
"""Inputs of products with 4-bit weights are rounded to 8 bits at run time."""
MAX_BATCH = 4096
MAX_THREADS = 256


@dataclass(frozen=True)
class Target:
    """A runtime, and how a network runs there. It is not part of the recipe or of the file.

    Attributes
    ----------
    runtime : str
        A name in `RUNTIMES`, such as "onnxruntime", "openvino" or "torch"; "onnx" means the first.
    precision : str
        The precision of the arithmetic; each runtime lists those that it has.
    batch : int
        Examples per call when predictions are compared.
    threads : int
        Threads of one call.

    Raises
    ------
    InputError
        If a value is not among these.

    Examples
    --------
    >>> Target("openvino").precision
    'float32'
    """

    runtime: str = "onnxruntime"
    precision: str = "float32"
    batch: int = 64
    threads: int = 1

    def __post_init__(self) -> None:
        runtime = runtime_called(self.runtime)
        object.__setattr__(self, "runtime", runtime.name)
        if self.precision not in runtime.precisions:
            raise InputError(
                f"{runtime.title} does not run in {self.precision!r} here: choose one of "
                f"{', '.join(runtime.precisions)}.",
                code="deploy.unknown_precision",
            )
        for name, highest in (("batch", MAX_BATCH), ("threads", MAX_THREADS)):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= highest:
                raise InputError(
                    f"{name} must be a whole number from 1 to {highest:,}, not {value!r}.",
                    code="deploy.invalid_number",
                )

    @property
    def rounds_biases(self) -> bool:
        """Whether integer layers have integer biases in the runtime, even if not in the file."""
        return self.runtime == "onnxruntime"

    @classmethod
    def of(cls, value: object) -> Target:
        """Return a target, or that of the name of a runtime.

        Raises
        ------
        InputError
            If it is neither.
        """
        if isinstance(value, str):
            return cls(value)
        if not isinstance(value, Target):
            raise InputError(
                f"A target is the name of a runtime, or wb.Target(...), not {brief(value)}.",
                code="argument.not_a_target",
            )
        return value

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for JSON."""
        return asdict(self)
