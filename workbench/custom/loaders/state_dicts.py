"""Finding, in what a checkpoint holds, the state dict that a module loads.

Training scripts put a module's weights beside optimizers and counters, and wrappers put prefixes
before their names: ``module.`` (DataParallel), ``_orig_mod.`` (``torch.compile``), ``model.``
(Lightning). Nothing here changes a tensor, and no name is guessed: a reading of the checkpoint
counts only if the module loads it strictly.
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
"""Keys under which training scripts keep the weights, the most usual first."""
AVERAGED = ("ema", "swa", "average", "shadow")
"""Parts of the keys of averaged weights, which are read only if no others fit."""
WRAPPERS = frozenset({"module", "_orig_mod"})
"""Parts of names that DataParallel and ``torch.compile`` add, at any depth."""
DEEPEST = 3
"""Levels of nested dicts that are searched."""


def state_dicts(content: Any, module: nn.Module) -> list[StateDict]:
    """Return the dicts in `content` that hold tensors by name, the most likely first.

    Those without a name of the module's, as an optimizer's, are left out but for the first.
    """
    found = [*_nested(content, (), DEEPEST)]
    found.sort(key=lambda one: _rank(one[0]))  # stable: else in the order of the file
    states = [state for _keys, state in found]
    own = module.state_dict(keep_vars=True)
    likely = [
        one for one in states[1:] if any(set(own) & set(r) for r in name_variants(one, module))
    ]
    return states[:1] + likely


def name_variants(state: StateDict, module: nn.Module) -> list[StateDict]:
    """Return `state` under each set of names that may be the module's, the best match first.

    As it is; without the first part of its names, as often as all share one; and without the parts
    that wrappers add, on either side. A tied tensor that is stored once is there under each of
    its names.
    """
    own = module.state_dict(keep_vars=True)
    unwrapped = _renamed(state, _unwrap)
    plain = {_unwrap(name): name for name in own}
    found = [*_stripped(state), *_stripped(unwrapped)]
    found += [_renamed(one, lambda name: plain.get(name, name)) for one in found]
    distinct: dict[tuple[str, ...], StateDict] = {}
    for one in found:
        complete = _with_tied(one, own)
        distinct.setdefault(tuple(complete), complete)
    return sorted(distinct.values(), key=lambda one: -_matches(one, own))


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
    """Return what orders the keys on the way to a state dict."""
    averaged = any(part in key.lower() for key in keys for part in AVERAGED)
    places = [LISTED_FIRST.index(key) for key in keys if key in LISTED_FIRST]
    return averaged, min(places, default=len(LISTED_FIRST)), len(keys)


def _stripped(state: StateDict) -> Iterator[StateDict]:
    """Yield `state`, and without the first part of its names as long as all have the same."""
    while True:
        yield state
        first = {name.partition(".")[0] for name in state}
        if len(first) != 1 or not all("." in name for name in state):
            return
        (prefix,) = first
        state = _renamed(state, partial(_without, f"{prefix}."))


def _without(prefix: str, name: str) -> str:
    return name.removeprefix(prefix)


def _unwrap(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in WRAPPERS)


def _renamed(state: StateDict, rename: Rename) -> StateDict:
    """Return `state` under other names; versions of layers (``_metadata``) move with them."""
    values = {rename(name): value for name, value in state.items()}
    if len(values) < len(state):  # two names would become one
        return state
    versions = getattr(state, "_metadata", {})
    return _Named(values, {_layer(rename, path): about for path, about in versions.items()})


def _layer(rename: Rename, path: str) -> str:
    """Return the path of a layer after its tensors were renamed."""
    return str(rename(f"{path}.x").rpartition(".")[0])


class _Named(dict[str, Any]):
    """A state dict with the versions of layers where `nn.Module.load_state_dict` looks for them."""

    def __init__(self, values: Mapping[str, Any], versions: Mapping[str, Any]) -> None:
        super().__init__(values)
        self._metadata = versions


def _with_tied(state: StateDict, own: Mapping[str, Tensor]) -> StateDict:
    """Return `state` with a tied tensor that it holds once under all of its names."""
    stored = {_place(own[name]): value for name, value in state.items() if name in own}
    absent = {
        name: stored[_place(tensor)]
        for name, tensor in own.items()
        if name not in state and _place(tensor) in stored
    }
    return _Named({**state, **absent}, getattr(state, "_metadata", {})) if absent else state


def _place(tensor: Any) -> tuple[Any, ...]:
    """Return what two tensors share exactly if they are the same memory, seen alike."""
    if not isinstance(tensor, Tensor) or is_lazy(tensor) or tensor.is_meta or not tensor.numel():
        return (id(tensor),)
    view = (tensor.storage_offset(), *tensor.shape, *tensor.stride())
    return (tensor.untyped_storage().data_ptr(), *view)


def _matches(state: StateDict, own: Mapping[str, Any]) -> int:
    """Return for how many names both have a value of one shape."""
    return sum(
        name in own and shape_of(value) == shape_of(own[name]) for name, value in state.items()
    )


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Return the shape of a tensor; None where there is none, or not yet."""
    return None if not isinstance(value, Tensor) or is_lazy(value) else tuple(value.shape)
