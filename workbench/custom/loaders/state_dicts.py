"""Find the state dict of a module in the content of a checkpoint.

Training scripts save a module's weights next to optimizers and counters, and wrappers add prefixes
to their names: ``module.`` (DataParallel), ``_orig_mod.`` (``torch.compile``), ``model.``
(Lightning). Tensors are not changed and names are not guessed: the module must load a candidate
strictly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import is_lazy

StateDict = Mapping[str, Any]
Rename = Callable[[str], str]

LISTED_FIRST = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights")
"""Keys under which training scripts save the weights, the most common first."""
AVERAGED = ("ema", "swa", "average", "shadow")
"""Parts of the keys of averaged weights, which are used only if no others fit."""
WRAPPERS = frozenset({"module", "_orig_mod"})
"""Parts of names that DataParallel and ``torch.compile`` add, at any depth."""
AVERAGING_COUNTER = "n_averaged"
"""The buffer that `torch.optim.swa_utils.AveragedModel` has next to its ``module``."""
DEEPEST = 3
"""Levels of nested dicts that are searched."""


def state_dicts(content: Any, module: nn.Module) -> list[StateDict]:
    """Return the dicts in `content` that contain tensors by name, the most likely first.

    Except for the first, dicts without any name of the module, such as an optimizer's, are left
    out.
    """
    candidates = sorted(_nested(content, (), DEEPEST), key=lambda item: _rank(item[0]))
    states = [state for _keys, state in candidates]
    expected = module.state_dict(keep_vars=True)
    likely = [
        s for s in states[1:] if any(set(expected) & set(v) for v in name_variants(s, module))
    ]
    return states[:1] + likely


def name_variants(state: StateDict, module: nn.Module) -> list[StateDict]:
    """Return `state` under each set of names that the module may use, the best match first.

    The variants are: unchanged; without common prefixes; and without the parts that wrappers add,
    in the file or in the module. A tied tensor that is stored once gets all of its names.
    """
    expected = module.state_dict(keep_vars=True)
    wrapped_names = {_unwrap(name): name for name in expected}
    if AVERAGING_COUNTER not in expected:
        state = _without_counter(state)
    variants = [*_stripped(state), *_stripped(_renamed(state, _unwrap))]
    variants += [_renamed(v, lambda name: wrapped_names.get(name, name)) for v in variants]
    distinct: dict[tuple[str, ...], StateDict] = {}
    for variant in variants:
        complete = _with_tied(variant, expected)
        distinct.setdefault(tuple(complete), complete)
    return sorted(distinct.values(), key=lambda variant: -_matches(variant, expected))


def _nested(
    content: Any, keys: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], StateDict]]:
    if not isinstance(content, Mapping):
        return
    named = all(isinstance(name, str) for name in content)
    if named and any(isinstance(value, Tensor) for value in content.values()):
        yield keys, content
    if depth:
        for key, value in content.items():
            yield from _nested(value, (*keys, str(key)), depth - 1)


def _rank(keys: tuple[str, ...]) -> tuple[bool, int, int]:
    """Return the sort key of a state dict by the keys that lead to it."""
    averaged = any(part in key.lower() for key in keys for part in AVERAGED)
    places = [LISTED_FIRST.index(key) for key in keys if key in LISTED_FIRST]
    return averaged, min(places, default=len(LISTED_FIRST)), len(keys)


def _stripped(state: StateDict) -> Iterator[StateDict]:
    """Yield `state`, then remove the first part of all names as long as they share it."""
    while True:
        yield state
        first = {name.partition(".")[0] for name in state}
        if len(first) != 1 or not all("." in name for name in state):
            return
        (prefix,) = first
        state = _renamed(state, partial(_without, f"{prefix}."))


def _without(prefix: str, name: str) -> str:
    return name.removeprefix(prefix)


def _without_counter(state: StateDict) -> StateDict:
    """Return the state dict of an averaged model without the number of averaged models."""
    names = set(state) - {AVERAGING_COUNTER}
    if len(names) == len(state) or not all(name.startswith("module.") for name in names):
        return state
    values = {name: state[name] for name in state if name in names}
    return _Versioned(values, getattr(state, "_metadata", {}))


def _unwrap(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _renamed(state: StateDict, rename: Rename) -> StateDict:
    """Return `state` with renamed tensors and layer versions (``_metadata``)."""
    values = {rename(name): value for name, value in state.items()}
    if len(values) < len(state):  # two names would become one
        return state
    versions = getattr(state, "_metadata", {})
    return _Versioned(values, {_layer(rename, path): value for path, value in versions.items()})


def _layer(rename: Rename, path: str) -> str:
    """Return the path of a layer after its tensors are renamed."""
    return str(rename(f"{path}.x").rpartition(".")[0])


class _Versioned(dict[str, Any]):
    """A state dict with layer versions, in the attribute that `load_state_dict` reads."""

    def __init__(self, values: Mapping[str, Any], versions: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._metadata = versions


def _with_tied(state: StateDict, expected: Mapping[str, Tensor]) -> StateDict:
    """Return `state` with tied tensors under all of their names."""
    stored = {_memory(expected[name]): value for name, value in state.items() if name in expected}
    absent = {
        name: stored[_memory(tensor)]
        for name, tensor in expected.items()
        if name not in state and _memory(tensor) in stored
    }
    return _Versioned({**state, **absent}, getattr(state, "_metadata", {})) if absent else state


def _memory(tensor: Any) -> tuple[Any, ...]:
    """Return a key that two tensors share only if they are the same view of the same memory."""
    if not isinstance(tensor, Tensor) or is_lazy(tensor) or tensor.is_meta or not tensor.numel():
        return (id(tensor),)
    layout = (tensor.storage_offset(), *tensor.shape, *tensor.stride())
    return (tensor.untyped_storage().data_ptr(), *layout)


def _matches(state: StateDict, expected: Mapping[str, Any]) -> int:
    """Return the number of names for which both have values of the same shape."""
    return sum(
        name in expected and shape_of(value) == shape_of(expected[name])
        for name, value in state.items()
    )


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of a tensor; None for lazy tensors and other values."""
    return None if not isinstance(value, Tensor) or is_lazy(value) else tuple(value.shape)
