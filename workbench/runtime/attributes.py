"""Snapshots of the attributes that a module may change when it runs."""

from __future__ import annotations

import copy
import operator
from typing import Any

from torch import nn

_PYTORCH_ATTRIBUTES = frozenset(vars(nn.Module()))
"""The attributes that PyTorch itself keeps: parameters, hooks, the training flag and so on."""


class AttributeSnapshot:
    """A snapshot of the attributes of all layers, including the content of lists, dicts and sets.

    Parameters
    ----------
    module
        The module whose layers are recorded.
    buffers
        Whether to record which tensors the buffers are.
    """

    def __init__(self, module: nn.Module, *, buffers: bool = False) -> None:
        self._layers = [(layer, _user_attributes(layer)) for layer in module.modules()]
        self._contents = [
            (value, copy.copy(value))
            for _, saved in self._layers
            for value in saved.values()
            if isinstance(value, list | dict | set)
        ]
        if buffers:
            tables = [layer._buffers for layer in module.modules()]  # noqa: SLF001 - has no public name
            self._contents += [(table, copy.copy(table)) for table in tables]

    @property
    def changed(self) -> bool:
        """Whether an attribute, or the content of a list, dict or set, has changed."""
        return any(
            now.keys() != saved.keys() or any(now[name] is not saved[name] for name in saved)
            for layer, saved in self._layers
            for now in [_user_attributes(layer)]
        ) or any(not _same_items(value, content) for value, content in self._contents)

    def restore(self) -> None:
        """Restore the attributes of every layer and the content of lists, dicts and sets."""
        for layer, saved in self._layers:
            for name in _user_attributes(layer).keys() - saved.keys():
                del vars(layer)[name]
            vars(layer).update(saved)
        for value, content in self._contents:
            if not _same_items(value, content):
                value.clear()
                value.extend(content) if isinstance(value, list) else value.update(content)


def _user_attributes(layer: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(layer).items() if name not in _PYTORCH_ATTRIBUTES}


def _same_items(value: Any, content: Any) -> bool:
    """Return whether two lists, dicts or sets hold the same objects."""
    if len(value) != len(content):
        return False
    if isinstance(value, dict):
        return all(name in value and value[name] is item for name, item in content.items())
    if isinstance(value, set):
        return bool(value == content)
    return all(map(operator.is_, value, content))
