"""A digest of a module's code: classes, functions, settings and constants.

Two modules with equal weights may differ in a stride, an activation or a line of code, and still
agree on the few examples on which a module is probed.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

ATOMS = (
    type(None), bool, int, float, complex, str, bytes, type(...), range, slice,
    torch.dtype, torch.device, torch.Size, torch.memory_format, np.generic,
)  # fmt: skip
"""Types whose `repr` describes a value completely."""
DIGESTED = (
    *ATOMS, FunctionType, type, tuple, list, dict, set, frozenset, np.ndarray, Tensor, nn.Module,
)  # fmt: skip
"""Types that are included when a function refers to them by name or a class holds them."""
CALLED = frozenset({"__call__", "__getattr__", "__getitem__", "__iter__", "__len__"})
"""Special methods that a forward may use; other special attributes are ignored."""
LIBRARIES = frozenset(sys.stdlib_module_names) | {"torch", "numpy", "workbench"}
"""Packages whose code is determined by versions, which are part of the cache keys."""
MANGLED = re.compile(r"___torch_mangle_\d+\.")
"""The part that TorchScript adds to a class name when it compiles the class again."""
TENSORS = frozenset({"_parameters", "_buffers"})
VOLATILE = frozenset({"training", "_is_full_backward_hook", "_backward_hooks"}) | TENSORS
"""Attributes of a module that do not affect its outputs, or are digested separately."""
HOOKS = frozenset({"_forward_hooks", "_forward_pre_hooks"})
"""Attributes of which only the values are digested: the keys differ in every process."""
MOST, DEEPEST = 100_000, 60
"""Limits on the number of values and on the nesting depth; values beyond are ignored."""


def code_digest(*values: Any) -> str:
    """Return the SHA-256 (hex) of modules, functions, tensors and other values.

    Of a module's parameters and saved buffers only dtypes and shapes are included, not values. The
    digest is the same in every process of one Python version.
    """
    digest = _Digest()
    for value in values:
        digest.add(value)
    return digest.hexdigest()


class _Digest:
    """Digests values. An object that occurs again is represented by its number."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # keeps objects alive, since ids are reused after deletion
        self._depth = 0

    def hexdigest(self) -> str:
        """Return the digest of all values so far."""
        return self._sha.hexdigest()

    def add(self, value: Any) -> None:
        """Add a value and its contents."""
        if isinstance(value, ATOMS):
            self._put(f"{type(value).__qualname__} {value!r}")
            return
        if id(value) in self._seen:
            self._put(f"seen {self._seen[id(value)]}")
            return
        if len(self._seen) >= MOST or self._depth >= DEEPEST:
            return
        self._seen[id(value)] = len(self._seen)
        self._alive.append(value)
        self._put(_name(type(value)))
        self._depth += 1
        next(add for types, add in self._TYPES if isinstance(value, types))(self, value)
        self._depth -= 1

    def _put(self, text: str | bytes) -> None:
        content = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
        self._sha.update(len(content).to_bytes(8, "little") + content)

    def _all(self, values: Iterable[Any]) -> None:
        items = list(values)
        self._put(f"{len(items)}")
        for item in items:
            self.add(item)

    def _mapping(self, value: Mapping[Any, Any]) -> None:
        self._put(f"{len(value)}")
        for key, item in value.items():
            self.add(key)
            self.add(item)

    def _set(self, value: Iterable[Any]) -> None:
        self._all(sorted(repr(item) for item in value if isinstance(item, ATOMS)))

    def _script(self, value: Any) -> None:
        self._put(MANGLED.sub("", str(getattr(value, "inlined_graph", ""))))

    def _module(self, value: nn.Module) -> None:
        attributes = vars(value)
        for name, tensor in attributes["_parameters"].items():
            self._put(f"{name} {_signature(tensor)}")
        for name, tensor in attributes["_buffers"].items():
            self._put(f"{name} {_signature(tensor)}")
            if name in attributes["_non_persistent_buffers_set"]:
                self.add(tensor)
        for name in sorted(attributes.keys() - VOLATILE):
            self._put(name)
            self.add([*attributes[name].values()] if name in HOOKS else attributes[name])
        self._class(type(value))

    def _tensor(self, value: Tensor) -> None:
        self._put(_signature(value))
        ordinary = type(value) in (Tensor, nn.Parameter) and not value.is_quantized
        if ordinary and value.device.type == "cpu" and value.layout == torch.strided:
            dense = value.detach().resolve_conj().resolve_neg().contiguous()
            self._put(dense.flatten().view(torch.uint8).numpy().tobytes())

    def _array(self, value: np.ndarray[Any, Any]) -> None:
        self._put(f"{value.dtype} {value.shape}")
        if value.dtype.hasobject:
            self._all(value.flat)
        else:
            self._put(np.ascontiguousarray(value).tobytes())

    def _function(self, value: FunctionType) -> None:
        self._put(_name(value))
        if _of_library(value):
            return
        self._code(value.__code__)
        self._all(value.__defaults__ or ())
        self._mapping(value.__kwdefaults__ or {})
        for cell in value.__closure__ or ():
            try:
                content = cell.cell_contents
            except ValueError:  # the cell is still empty
                continue
            self.add(content)
        names = _names(value.__code__)
        for name in names:
            self._global(name, value.__globals__.get(name), names)

    def _global(self, name: str, value: Any, names: list[str]) -> None:
        """Add a global variable of a function; of a Python module, the members in `names`."""
        if isinstance(value, DIGESTED):
            self._put(name)
            self.add(value)
        elif isinstance(value, ModuleType) and value.__name__.partition(".")[0] not in LIBRARIES:
            for attribute in names:
                member = vars(value).get(attribute)
                if isinstance(member, DIGESTED):
                    self._put(f"{name}.{attribute}")
                    self.add(member)

    def _code(self, code: CodeType) -> None:
        self._put(code.co_code)
        self._put(" ".join((*code.co_names, *code.co_varnames, *code.co_freevars)))
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._code(constant)
            else:
                self.add(constant)

    def _method(self, value: MethodType) -> None:
        self.add(value.__func__)
        self.add(value.__self__)

    def _partial(self, value: partial[Any]) -> None:
        self.add(value.func)
        self._all(value.args)
        self._mapping(value.keywords)

    def _class(self, value: type) -> None:
        for base in value.__mro__:
            self._put(_name(base))
            if _of_library(base) or (base is not value and id(base) in self._seen):
                continue
            self._seen.setdefault(id(base), len(self._seen))
            for name, member in sorted(vars(base).items()):
                self._member(name, member)

    def _member(self, name: str, member: Any) -> None:
        """Add a member of a class: a function, however wrapped, or a constant."""
        value = getattr(member, "fget", None) or getattr(member, "__func__", None) or member
        value = getattr(value, "__wrapped__", value)
        if isinstance(value, DIGESTED) and (name in CALLED or not name.startswith("__")):
            self._put(name)
            self.add(value)

    def _named(self, value: Any) -> None:
        self._put(_name(value))

    def _object(self, value: Any) -> None:
        if _of_library(type(value)):
            return
        self._class(type(value))
        slots = [name for base in type(value).__mro__ for name in getattr(base, "__slots__", ())]
        members = {name: getattr(value, name, None) for name in slots if name != "__dict__"}
        self._mapping({**members, **getattr(value, "__dict__", {})})

    _TYPES: ClassVar[tuple[tuple[Any, Callable[[_Digest, Any], None]], ...]] = (
        (torch.jit.ScriptModule, _script),
        (nn.Module, _module),
        (Tensor, _tensor),
        (np.ndarray, _array),
        (Mapping, _mapping),
        ((set, frozenset), _set),
        ((list, tuple), _all),
        (FunctionType, _function),
        (MethodType, _method),
        (BuiltinFunctionType, _named),
        (partial, _partial),
        (type, _class),
        (object, _object),
    )
    """How to add values, by the first type that matches."""


def _name(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"


def _of_library(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).partition(".")[0] in LIBRARIES


def _names(code: CodeType) -> list[str]:
    """Return the global and attribute names in a function and the functions inside it."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= dict.fromkeys(_names(constant))
    return list(names)


def _signature(tensor: Tensor | None) -> str:
    return "" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)} {tensor.layout}"
