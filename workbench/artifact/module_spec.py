"""The module spec: how the module of an artifact differs from the model's original module."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import ArtifactError

VERSION = 1
MAX_BITS = 8


@dataclass(frozen=True)
class InputQParams:
    """Quantization parameters of inputs or outputs: value = (code − zero point) · scale."""

    bits: int
    scale: float
    zero_point: int

    @property
    def top(self) -> int:
        """The largest code."""
        return int(2**self.bits) - 1


Pairs = tuple[tuple[str, InputQParams], ...]


@dataclass(frozen=True)
class ModuleSpec:
    """The changes that a module needs before it can run with the weights of an artifact.

    Attributes
    ----------
    width : float
        The fraction of the original's channels and neurons that the module has, 0 to 1.
    left_out : int
        The number of layers or blocks that were left out when the module was built.
    narrowed : bool
        Whether channels were removed; the shapes of the tensors give the remaining number.
    folded : tuple
        Pairs of module paths: a batch norm and the layer that it was folded into.
    inputs : tuple
        Pairs of a layer's path and the `InputQParams` of its inputs.
    biases : tuple
        Paths of layers whose biases are whole multiples of the input scale times the row scale.
    outputs : tuple
        Pairs of a layer's path and the `InputQParams` of its outputs.
    """

    width: float = 1.0
    left_out: int = 0
    narrowed: bool = False
    folded: tuple[tuple[str, str], ...] = ()
    inputs: Pairs = ()
    biases: tuple[str, ...] = ()
    outputs: Pairs = ()

    @property
    def smaller(self) -> bool:
        """Whether the module has fewer weights and multiply-accumulates than the original."""
        return self.narrowed or (self.width, self.left_out) != (1.0, 0)

    def without_integers(self) -> ModuleSpec:
        """Return the spec of the module that rounds no inputs, biases and outputs."""
        return replace(self, inputs=(), biases=(), outputs=())

    def as_list(self) -> list[list[Any]]:
        """Return plain data for JSON: each rewrite with its name and version."""
        rewrites: list[list[Any]] = []
        if (self.width, self.left_out) != (1.0, 0):
            rewrites.append(["build", VERSION, self.width, self.left_out])
        if self.narrowed:
            rewrites.append(["remove_channels", VERSION])
        if self.folded:
            rewrites.append(["fold_norms", VERSION, dict(self.folded)])
        if self.inputs:
            rewrites.append(["quantize_inputs", VERSION, _as_lists(self.inputs)])
        if self.biases:
            rewrites.append(["round_biases", VERSION, [*self.biases]])
        if self.outputs:
            rewrites.append(["quantize_outputs", VERSION, _as_lists(self.outputs)])
        return rewrites

    @classmethod
    def from_list(cls, data: Any) -> ModuleSpec:
        """Read the output of `as_list`.

        Raises
        ------
        ArtifactError
            If it holds an unknown rewrite or an invalid one.
        """
        width, left_out, narrowed, folded = 1.0, 0, False, {}
        inputs: Pairs = ()
        biases: tuple[str, ...] = ()
        outputs: Pairs = ()
        if not isinstance(data, list):
            raise ArtifactError(
                "The file is damaged: it does not describe its module. Download or save it again.",
                code="artifact.no_module_spec",
            )
        for rewrite in data:
            match rewrite:
                case ["build", 1, float() as width, left_out] if _is_size(width, left_out):
                    pass
                case ["remove_channels", 1]:
                    narrowed = True
                case ["fold_norms", 1, dict() as pairs] if all(map(_is_path, pairs.values())):
                    folded = pairs
                case ["quantize_inputs", 1, dict() as layers] if all(
                    map(_is_qparams, layers.values())
                ):
                    inputs = _as_pairs(layers)
                case ["round_biases", 1, list() as paths] if all(map(_is_path, paths)):
                    biases = tuple(paths)
                case ["quantize_outputs", 1, dict() as layers] if all(
                    map(_is_qparams, layers.values())
                ):
                    outputs = _as_pairs(layers)
                case _:
                    raise ArtifactError(
                        "The file needs module rewrites that this version does not know: upgrade "
                        "Workbench.",
                        code="artifact.unknown_rewrite",
                    )
        norms = tuple(folded.items())
        spec = cls(width, left_out, narrowed, norms, inputs, biases, outputs)
        _check_rounded(spec)
        if spec.as_list() != data:
            raise ArtifactError(
                "The file is damaged: its module rewrites are in the wrong order. Download or "
                "save it again.",
                code="artifact.rewrites_not_canonical",
            )
        return spec


UNCHANGED = ModuleSpec()
"""The spec of the model's original module."""


def _check_rounded(spec: ModuleSpec) -> None:
    rounded = {*spec.biases, *dict(spec.outputs)}
    if not rounded <= dict(spec.inputs).keys() or len(set(spec.biases)) < len(spec.biases):
        raise ArtifactError(
            "The file is damaged: it rounds biases or outputs of layers whose inputs it does not "
            "quantize. Download or save it again.",
            code="artifact.rounds_without_inputs",
        )


def _as_lists(pairs: Pairs) -> dict[str, list[Any]]:
    return {path: [q.bits, q.scale, q.zero_point] for path, q in pairs}


def _as_pairs(layers: dict[str, list[Any]]) -> Pairs:
    return tuple((path, InputQParams(*numbers)) for path, numbers in layers.items())


def _is_path(value: Any) -> bool:
    return isinstance(value, str)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_size(width: float, left_out: Any) -> bool:
    return 0 < width <= 1 and _is_integer(left_out) and left_out >= 0


def _is_qparams(value: Any) -> bool:
    match value:
        case [bits, float() as scale, zero_point] if _is_integer(bits) and _is_integer(zero_point):
            in_range = 2 <= bits <= MAX_BITS and 0 <= zero_point < 2**bits
            return bool(in_range and math.isfinite(scale) and scale > 0)
    return False
