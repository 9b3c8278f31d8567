"""A ``.safetensors`` file that somebody uploads: weights for one of the built-in networks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from workbench import formatting
from workbench.artifact.artifact import Artifact
from workbench.artifact.container import FORMAT
from workbench.cache.memory import Lifetime
from workbench.custom.uploads.limits import WEIGHTS_BYTES
from workbench.custom.uploads.splits import quoted
from workbench.domain import Model
from workbench.domain.model import Architecture
from workbench.errors import WorkbenchError
from workbench.evaluation.model_card import score_entry
from workbench.evaluation.scores import iter_scores
from workbench.i18n import _
from workbench.zoo.registry import model as find
from workbench.zoo.registry import register_model as remember
from workbench.zoo.tables import ARCHITECTURES, CUSTOM_PREFIX

Shapes = Mapping[str, list[int]]
MAX_DECODED_BYTES = 2**28
"""Bytes that a file of our own may unpack to."""


@dataclass(frozen=True)
class UploadedWeights(Architecture):
    """A built-in network with somebody's weights; `fingerprint` is their SHA-256 (hex)."""

    base: str = ""
    fingerprint: str = ""
    held: Mapping[str, Tensor] = field(default_factory=dict, compare=False, repr=False)
    lifetime: Lifetime = field(default_factory=Lifetime, compare=False, repr=False)

    def build(self) -> nn.Module:
        """Make the module with fresh weights."""
        return self._base.build()

    @property
    def most_left_out(self) -> int:
        """How many layers or blocks can be left out."""
        return self._base.most_left_out

    def weights(self, digest: str) -> dict[str, Tensor]:
        """Return the weights that were uploaded."""
        return dict(self.held)

    @property
    def _base(self) -> Architecture:
        return replace(ARCHITECTURES[self.base], width=self.width, left_out=self.left_out)


def is_workbench_file(data: bytes) -> bool:
    """Whether the bytes are those of a file that Workbench has written, whole or not."""
    return f'"format":"{FORMAT}"'.encode() in data[:200]


def open_artifact(data: bytes) -> Artifact:
    """Return the file that Workbench has written, from its bytes.

    Raises
    ------
    ArtifactError
        When it is damaged, or unpacks to more than any model here.
    """
    return Artifact.from_bytes(data, max_bytes=MAX_DECODED_BYTES)


def read(data: bytes) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file.

    Raises
    ------
    WorkbenchError
        When it is too large, or its header does not tell what is in it.
    """
    if len(data) > WEIGHTS_BYTES:
        raise WorkbenchError(
            _("The file is larger than {size}, and so than any built-in model.").format(
                size=formatting.size(WEIGHTS_BYTES)
            )
        )
    try:
        return load(data)
    except (SafetensorError, KeyError, ValueError, RuntimeError, TypeError, AssertionError):
        raise WorkbenchError(
            _(
                "This is no whole safetensors file: its header does not fit what follows, or names "
                "a kind of number that is not known here."
            )
        ) from None


def match_builtin(tensors: Mapping[str, Tensor]) -> tuple[Model, dict[str, Tensor]]:
    """Return the built-in model whose tensors these could be, and them in its kinds of numbers.

    Raises
    ------
    WorkbenchError
        When they are those of none, saying which is the closest, or hold what is no number.
    """
    if not tensors:
        raise WorkbenchError(_("The file holds no tensors."))
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    known = [find(name) for name in ARCHITECTURES]
    for one in known:
        if one.card["tensors"] == shapes:
            return one, _converted(one, tensors)
    closest = max(known, key=lambda one: _likeness(one.card["tensors"], shapes))
    raise WorkbenchError(
        _("These weights fit no built-in model; the closest is {model}, but {difference}.").format(
            model=closest.name, difference=_difference(closest.card["tensors"], shapes)
        )
    )


def model_with_weights(
    name: str,
    base: Model,
    tensors: dict[str, Tensor],
    watch: Callable[[float], None] = lambda share: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Model:
    """Return `base` with other weights, measured and known as ``custom/name`` from now on.

    Raises
    ------
    Cancelled
        When `cancelled()` answers True between two batches; nothing is then kept.
    """
    plain = save({key: tensors[key] for key in base.card["tensors"]})
    fingerprint = hashlib.sha256(plain).hexdigest()
    made = UploadedWeights(
        name=f"{CUSTOM_PREFIX}{name}",
        task=base.task,
        title=name,
        base=base.name,
        fingerprint=fingerprint,
        held=tensors,
    )
    card: dict[str, Any] = {
        **base.card,
        "sha256": fingerprint,
        "original_bytes": len(plain),
        "training": {"seconds": None},
    }
    model = Model(made, card)
    splits = [base.task.split(split) for split in ("validation", "test")]
    total, before = sum(map(len, splits)), 0
    found = {}
    for split in splits:
        for score in iter_scores(model, tensors, split, cancelled=cancelled):
            watch((before + score.examples) / total)
        found[split.name] = score_entry(score)
        before += len(split)
    card["accuracy"] = found
    remember(model)
    return model


def _converted(base: Model, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors in the kinds of numbers that the model's own have."""
    found = {}
    for name, own in base.weights().items():
        tensor = tensors[name]
        if tensor.is_floating_point() != own.is_floating_point() or tensor.is_complex():
            raise WorkbenchError(
                _("{name} holds another kind of numbers than in {model}.").format(
                    name=quoted(name), model=base.name
                )
            )
        wide = tensor.to(own.dtype)
        if not bool(wide.isfinite().all()):
            raise WorkbenchError(
                _("{name} holds values that are no numbers: save the weights again.").format(
                    name=quoted(name)
                )
            )
        found[name] = wide
    return found


def _likeness(ours: Shapes, theirs: Shapes) -> tuple[int, int, int]:
    names = ours.keys() & theirs.keys()
    same = sum(ours[name] == theirs[name] for name in names)
    kinds = {tuple(shape) for shape in ours.values()} & {tuple(shape) for shape in theirs.values()}
    return same, len(names), len(kinds)


def _difference(ours: Shapes, theirs: Shapes) -> str:
    for name, shape in ours.items():
        if name not in theirs:
            return _("{name} is missing").format(name=quoted(name))
        if theirs[name] != shape:
            return _("{name} is {found} and not {wanted}").format(
                name=quoted(name), found=_shape(theirs[name]), wanted=_shape(shape)
            )
    more = next(name for name in theirs if name not in ours)
    return _("it has no {name}").format(name=quoted(more))


def _shape(shape: list[int]) -> str:
    return " × ".join(map(str, shape[:6])) or _("one number")
