"""What a recipe would do to a checkpoint, before anything is done."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from workbench import formatting
from workbench.arguments import expect_path, expect_recipe
from workbench.i18n import _, plural
from workbench.recipe import Recipe
from workbench.streaming.repeated import repeated_tensors
from workbench.streaming.source import Source
from workbench.streaming.supported import check_supported
from workbench.streaming.treatment import REASONS, Treatment, treatments

MOST_NAMED = 3
MOST_FIXED = 10


@dataclass(frozen=True)
class CheckpointInspection:
    """The tensors of a checkpoint, and what a recipe does to each.

    Attributes
    ----------
    title : str
        The name of the file or folder.
    bytes : int
        Bytes of its files.
    recipe : Recipe
    tensors : tuple of Treatment
    repeated : mapping of str to str
        The tensors that have the same bytes as an earlier one, and its name.
    metadata : mapping of str to str
    """

    title: str
    bytes: int
    recipe: Recipe
    tensors: tuple[Treatment, ...]
    repeated: Mapping[str, str]
    metadata: Mapping[str, str]

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """What is changed, what stays as it is and why, in full sentences."""
        return tuple(self._sentences())

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return {
            "model": self.title,
            "bytes": self.bytes,
            "recipe": self.recipe.as_dict(),
            "sentences": list(self.sentences),
            "tensors": [asdict(tensor) for tensor in self.tensors],
            "repeated": dict(self.repeated),
            "metadata": dict(self.metadata),
        }

    def __str__(self) -> str:
        count, size = formatting.count(len(self.tensors)), formatting.nbytes(self.bytes)
        return "\n".join([f"{self.title}: {count} tensors, {size}", *self.sentences])

    __repr__ = __str__

    def _sentences(self) -> Iterator[str]:
        changed = [tensor for tensor in self.tensors if tensor.action]
        if not changed and self.recipe != Recipe():
            yield self._nothing()
        for action in dict.fromkeys(tensor.action for tensor in changed):
            group = [tensor for tensor in changed if tensor.action == action]
            yield _("The recipe changes {tensors}, {action}: {names}.").format(
                tensors=_count_and_size(group), action=action, names=_names(group)
            )
        for reason, text in REASONS.items():
            for detail in dict.fromkeys(t.detail for t in self.tensors if t.reason == reason):
                group = [t for t in self.tensors if (t.reason, t.detail) == (reason, detail)]
                yield self._unchanged_text(reason).format(
                    tensors=_count_and_size(group),
                    reason=_(text).format(detail=detail),
                    names=_names(group),
                )
        yield from self._warnings()

    def _unchanged_text(self, reason: str) -> str:
        if self.recipe == Recipe() and reason == "recipe":
            return _("{tensors} can be pruned and rounded by a recipe: {names}.")
        return _("{tensors} unchanged, {reason}: {names}.")

    def _nothing(self) -> str:
        """Say why no tensor is changed."""
        reasons = {tensor.reason for tensor in self.tensors}
        if reasons & {"quantized", "integers", "small floats"} and not reasons & {"excluded"}:
            return _("Nothing is rounded: the weights are integers or 8-bit floats already.")
        return _("Nothing is changed: the recipe changes none of the tensors.")

    def _warnings(self) -> Iterator[str]:
        fixed = [
            tensor.name
            for tensor in self.tensors
            if tensor.fixed and (tensor.action or self.recipe == Recipe())
        ]
        if fixed:
            yield _(
                "By their names, these may be fixed transforms rather than learned weights: "
                "{names}. Exclude them if they must stay exact."
            ).format(names=_shortened_names(fixed, MOST_FIXED))
        for name, first in list(self.repeated.items())[:MOST_NAMED]:
            yield _(
                "{name} has the same bytes as {first}: they are stored once if treated alike."
            ).format(name=formatting.short(name), first=formatting.short(first))
        rest = len(self.repeated) - MOST_NAMED
        if rest > 0:
            yield plural(
                "{count} other tensor repeats an earlier one.",
                "{count} other tensors repeat earlier ones.",
                rest,
            ).format(count=formatting.count(rest))


def inspect_checkpoint(
    path: str | os.PathLike[str], recipe: Recipe | None = None
) -> CheckpointInspection:
    """Return what `recipe` does to each tensor of a checkpoint, without doing it.

    Parameters
    ----------
    path
        As for `wb.compress_file`.
    recipe
        Without one, nothing is changed; the result still says which tensors could be.

    Raises
    ------
    RecipeError
        If the recipe needs a module or data, or does not fit the tensors.
    ArtifactError
        If a file is damaged, or is a Workbench file.
    FileError
        If a file is missing or cannot be read.
    """
    recipe = Recipe() if recipe is None else expect_recipe(recipe)
    return inspection_of(Source.open(expect_path(path, "path")), recipe)


def inspection_of(source: Source, recipe: Recipe) -> CheckpointInspection:
    """Return what `recipe` does to each tensor of a source.

    Raises
    ------
    RecipeError
        If the recipe needs a module or data, or does not fit the tensors.
    """
    check_supported(recipe)
    recipe.check_names(source.layers, source.locations)
    return CheckpointInspection(
        source.title,
        source.file_bytes,
        recipe,
        treatments(source, recipe),
        repeated_tensors(source) if source.has_values else {},
        source.metadata,
    )


def _count_and_size(group: list[Treatment]) -> str:
    size = formatting.size(sum(tensor.bytes for tensor in group))
    return plural("{count} tensor ({size})", "{count} tensors ({size})", len(group)).format(
        count=formatting.count(len(group)), size=size
    )


def _names(group: list[Treatment]) -> str:
    return _shortened_names([tensor.name for tensor in group], MOST_NAMED)


def _shortened_names(names: list[str], most: int) -> str:
    return formatting.names([*map(formatting.short, names[:most]), *names[most:]], most)
