"""What a module has noted in its own attributes, and how to undo it."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

_OF_MODULES = frozenset(vars(nn.Module()))
"""What PyTorch keeps in each module: parameters, hooks, the mode and the like."""


class AttributeSnapshot:
    """The attributes of all layers of `module` as they are now, and what its lists and dicts hold.

    With `buffers`, the tensors that its buffers are, too.
    """

    def __init__(self, module: nn.Module, *, buffers: bool = False) -> None:
        self._layers = [(layer, _own(layer)) for layer in module.modules()]
        self._contents = [
            (value, copy.copy(value))
            for _, own in self._layers
            for value in own.values()
            if isinstance(value, list | dict | set)
        ]
        if buffers:
            held = [layer._buffers for layer in module.modules()]  # noqa: SLF001 - has no public name
            self._contents += [(one, copy.copy(one)) for one in held]

    @property
    def changed(self) -> bool:
        """Whether attributes are others by now, or their lists and dicts hold something else."""
        return any(
            now.keys() != own.keys() or any(now[name] is not own[name] for name in own)
            for layer, own in self._layers
            for now in [_own(layer)]
        ) or any(not _alike(value, content) for value, content in self._contents)

    def restore(self) -> None:
        """Give every layer its attributes back, and their lists and dicts what they held."""
        for layer, own in self._layers:
            for name in _own(layer).keys() - own.keys():
                del vars(layer)[name]
            vars(layer).update(own)
        for value, content in self._contents:
            if not _alike(value, content):
                value.clear()
                value.extend(content) if isinstance(value, list) else value.update(content)


def _own(layer: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(layer).items() if name not in _OF_MODULES}


def _alike(value: Any, content: Any) -> bool:
    """Return whether a list, dict or set holds the very objects of another."""
    if len(value) != len(content):
        return False
    if isinstance(value, dict):
        return all(name in value and value[name] is one for name, one in content.items())
    if isinstance(value, set):
        return bool(value == content)
    return all(map(_is, value, content))


def _is(one: object, other: object) -> bool:
    return one is other
