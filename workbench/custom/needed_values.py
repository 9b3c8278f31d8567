"""Find the values that a user's module needs and that files do not store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from workbench.artifact.unstored import Fingerprint, differing, fingerprint
from workbench.custom.probe import TOLERANCE, agree, run_on
from workbench.domain.module_copy import deep_copy
from workbench.domain.module_tensors import stored_tensors
from workbench.domain.unstored import layer_values, unstored_values, values_in
from workbench.runtime.batch import Batch
from workbench.runtime.guard import guarded
from workbench.runtime.seeding import preserve_random_state
from workbench.runtime.traits import Traits


def needed_values(
    module: nn.Module, traits: Traits, inputs: Callable[[], Any]
) -> dict[str, Fingerprint]:
    """Return the fingerprints of the unstored values on which the outputs of a module depend.

    Values that a run changes are not included, nor are values without which the outputs stay the
    same: the module computes these itself, such as a table that it keeps for the next run, or does
    not use them.

    Parameters
    ----------
    module
        The module, without wrappers, in any mode.
    traits
        How it may be run.
    inputs
        Returns a few examples as the module takes them, in new tensors at each call.
    """
    values = unstored_values(module)
    if not values:
        return {}
    before = {name: fingerprint(value) for name, value in values.items()}
    with preserve_random_state(), torch.no_grad():
        changed = _changed(module, traits, inputs, before)
        expected = run_on(guarded(_copy(module, traits), traits), Batch.of(inputs()))
        groups: dict[tuple[type, str], set[str]] = defaultdict(set)
        for path, layer in module.named_modules():
            for attribute, value in layer_values(layer).items():
                names = {f"{path}.{attribute}{n}".removeprefix(".") for n, _ in values_in(value)}
                groups[type(layer), attribute] |= names & before.keys() - changed
        needed = {
            name
            for (kind, attribute), names in groups.items()
            if names and not _runs_without(module, traits, inputs, expected, kind, attribute)
            for name in names
        }
    return {name: content for name, content in before.items() if name in needed}


def _changed(
    module: nn.Module,
    traits: Traits,
    inputs: Callable[[], Any],
    before: Mapping[str, Fingerprint],
) -> set[str]:
    """Return the names of unstored values that a run changes or removes."""
    private = _copy(module, traits)
    try:
        with torch.enable_grad() if traits.uses_autograd else nullcontext():
            run_on(private, Batch.of(inputs()))
    except Exception:  # noqa: BLE001 - a single example may fail without the guard
        return set()
    after = {name: fingerprint(value) for name, value in unstored_values(private).items()}
    return set(differing(before, after))


def _runs_without(
    module: nn.Module,
    traits: Traits,
    inputs: Callable[[], Any],
    expected: Any,
    kind: type,
    attribute: str,
) -> bool:
    """Whether the outputs stay the same without an attribute of all layers of one kind."""
    for remove in (_none, _empty):
        private = _copy(module, traits)
        try:
            for layer in private.modules():
                if type(layer) is kind and attribute in layer_values(layer):
                    table = layer._buffers if attribute in layer._buffers else vars(layer)  # noqa: SLF001 - has no public name
                    table[attribute] = remove(table[attribute])
            if agree(run_on(guarded(private, traits), Batch.of(inputs())), expected, TOLERANCE):
                return True
        except Exception:  # noqa: BLE001, S112 - a module may fail in any way without its values
            continue
    return False


def _none(_value: Any) -> None:
    return None


def _empty(value: Any) -> Any:
    """Return an empty container, or a tensor without the rows of its first axis."""
    if isinstance(value, Tensor | np.ndarray):
        return value[:0] if value.ndim else None
    return type(value)()


def _copy(module: nn.Module, traits: Traits) -> nn.Module:
    """Return a copy that shares the tensors that files store, unless a run changes them."""
    shared = {} if traits.mutated_tensors else stored_tensors(module)
    return deep_copy(module, {id(tensor): tensor for tensor in shared.values()}).eval()
