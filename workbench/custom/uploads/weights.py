"""Uploaded ``.safetensors`` files: weights for a built-in network, or compressed files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from workbench import formatting
from workbench.artifact.artifact import Artifact
from workbench.artifact.container import FORMAT
from workbench.cache.memory import Lifetime
from workbench.cancel import NEVER, CancelToken
from workbench.custom.uploads.limits import WEIGHTS_BYTES
from workbench.custom.uploads.splits import quoted
from workbench.domain import Model
from workbench.domain.model import Architecture
from workbench.errors import InputError
from workbench.evaluation.model_card import FIGURES, figures_entry, score_entry
from workbench.evaluation.scores import iter_scores
from workbench.evaluation.uncompressed_file import FILE_BYTES
from workbench.i18n import _, mark as N_
from workbench.zoo.registry import model as find_model, register_model
from workbench.zoo.tables import ARCHITECTURES, CUSTOM_PREFIX

Shapes = Mapping[str, list[int]]
NOT_SAFETENSORS = N_(
    "This is not a complete safetensors file: its header does not fit its content, or names an "
    "unknown dtype."
)
MAX_DECODED_BYTES = 2**28
"""Bytes that a compressed file may decode to."""


@dataclass(frozen=True)
class UploadedWeights(Architecture):
    """A built-in network with uploaded weights; `fingerprint` is their SHA-256 (hex)."""

    base: str = ""
    fingerprint: str = ""
    tensors: Mapping[str, Tensor] = field(default_factory=dict, compare=False, repr=False)
    lifetime: Lifetime = field(default_factory=Lifetime, compare=False, repr=False)

    def build(self) -> nn.Module:
        """Return the module with random weights."""
        return self._base.build()

    @property
    def most_left_out(self) -> int:
        """The number of layers or blocks that can be left out."""
        return self._base.most_left_out

    def weights(self, digest: str) -> dict[str, Tensor]:
        """Return the uploaded weights."""
        return dict(self.tensors)

    @property
    def _base(self) -> Architecture:
        return replace(ARCHITECTURES[self.base], width=self.width, left_out=self.left_out)


def is_workbench_file(data: bytes) -> bool:
    """Whether the bytes are the beginning of a file that Workbench has written."""
    return f'"format":"{FORMAT}"'.encode() in data[:200]


def open_artifact(data: bytes) -> Artifact:
    """Return the artifact of a file that Workbench has written, from its bytes.

    Raises
    ------
    ArtifactError
        If it is damaged, or decodes to more than `MAX_DECODED_BYTES`.
    """
    return Artifact.from_bytes(data, max_bytes=MAX_DECODED_BYTES)


def read(data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Raises
    ------
    InputError
        If it is too large, or its header does not fit its content.
    """
    if len(data) > WEIGHTS_BYTES:
        raise InputError(
            _("The file is larger than {size}, which no built-in model is.").format(
                size=formatting.size(WEIGHTS_BYTES)
            ),
            code="upload.too_large",
        )
    try:
        return load(data)
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError, AssertionError):
        raise InputError(_(NOT_SAFETENSORS), code="upload.not_safetensors") from None


def match_builtin(tensors: Mapping[str, Tensor]) -> tuple[Model, dict[str, Tensor]]:
    """Return the built-in model that the tensors fit, and the tensors in its dtypes.

    Raises
    ------
    InputError
        If they fit none, with the closest one in the message, or contain NaN or infinity.
    """
    if not tensors:
        raise InputError(_("The file contains no tensors."), code="upload.no_tensors")
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    model = builtin_of(shapes)
    if model is not None:
        return model, _converted(model, tensors)
    raise InputError(mismatch(shapes), code="upload.unknown_weights")


def builtin_of(shapes: Shapes) -> Model | None:
    """Return the built-in model whose tensors have these names and shapes, or None."""
    return next((model for model in _builtin() if model.card["tensors"] == shapes), None)


def mismatch(shapes: Shapes) -> str:
    """Return a sentence about the built-in model that is closest to tensors that fit none."""
    closest = max(_builtin(), key=lambda model: _similarity(model.card["tensors"], shapes))
    if not closest.card["tensors"].keys() & shapes.keys():
        return _("These weights fit no built-in model.")
    return _(
        "These weights fit no built-in model. The closest is {model}, but {difference}."
    ).format(model=closest.name, difference=_difference(closest.card["tensors"], shapes))


def model_with_weights(
    name: str,
    base: Model,
    tensors: dict[str, Tensor],
    cancel: CancelToken = NEVER,
) -> Model:
    """Return `base` with other weights, measured and registered as ``custom/name``.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two batches; nothing is then registered.
    """
    content = save({key: tensors[key] for key in base.card["tensors"]})
    fingerprint = hashlib.sha256(content).hexdigest()
    architecture = UploadedWeights(
        name=f"{CUSTOM_PREFIX}{name}",
        task=base.task,
        title=name,
        base=base.name,
        fingerprint=fingerprint,
        tensors=tensors,
    )
    card: dict[str, Any] = {
        **{key: value for key, value in base.card.items() if key != FILE_BYTES},
        "sha256": fingerprint,
        "original_bytes": len(content),
        "training": {"seconds": None},
    }
    model = Model(architecture, card)
    splits = [base.task.split(split) for split in ("validation", "test")]
    total, before = sum(map(len, splits)), 0
    entries = {}
    for split in splits:
        for score in iter_scores(model, tensors, split, cancel=cancel):
            cancel.progress((before + score.examples) / total)
        if split.name == "validation":
            card[FIGURES] = figures_entry(model, tensors, score)
        entries[split.name] = score_entry(score)
        before += len(split)
    card["accuracy"] = entries
    register_model(model)
    return model


def _converted(base: Model, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors in the dtypes of the model."""
    converted = {}
    for name, original in base.weights().items():
        tensor = tensors[name]
        if tensor.is_floating_point() != original.is_floating_point() or tensor.is_complex():
            raise InputError(
                _("{name} has a different type of numbers than in {model}.").format(
                    name=quoted(name), model=base.name
                ),
                code="upload.dtype",
            )
        converted[name] = tensor.to(original.dtype)
        if not bool(converted[name].isfinite().all()):
            raise InputError(
                _("{name} contains NaN or infinity: save the weights again.").format(
                    name=quoted(name)
                ),
                code="upload.not_finite",
            )
    return converted


def _builtin() -> list[Model]:
    return [find_model(name) for name in ARCHITECTURES]


def _similarity(expected: Shapes, actual: Shapes) -> tuple[int, int, int]:
    names = expected.keys() & actual.keys()
    same = sum(expected[name] == actual[name] for name in names)
    shapes = set(map(tuple, expected.values())) & set(map(tuple, actual.values()))
    return same, len(names), len(shapes)


def _difference(expected: Shapes, actual: Shapes) -> str:
    for name, shape in expected.items():
        if name not in actual:
            return _("{name} is missing").format(name=quoted(name))
        if actual[name] != shape:
            return _("{name} is {found} instead of {wanted}").format(
                name=quoted(name), found=_shape(actual[name]), wanted=_shape(shape)
            )
    extra = next(name for name in actual if name not in expected)
    return _("it has no {name}").format(name=quoted(extra))


def _shape(shape: list[int]) -> str:
    return " × ".join(map(str, shape[:6])) or _("a scalar")
