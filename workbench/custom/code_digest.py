"""What a module computes with its tensors, in one digest: classes, code, settings, constants.

Two modules with equal weights may differ in a stride, an activation or a line of their code, and
still agree on the few examples on which a module is tried.
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
"""Kinds of values that their `repr` describes in full."""
LOOKED_UP = (
    *ATOMS, FunctionType, type, tuple, list, dict, set, frozenset, np.ndarray, Tensor, nn.Module,
)  # fmt: skip
"""Kinds of values that count where a function names them or a class holds them."""
CALLED = frozenset({"__call__", "__getattr__", "__getitem__", "__iter__", "__len__"})
"""Methods with such names that a forward may use; others, and the like, say nothing."""
LIBRARIES = frozenset(sys.stdlib_module_names) | {"torch", "numpy", "workbench"}
"""Packages whose code follows from versions, which the keys of stored results hold."""
MANGLED = re.compile(r"___torch_mangle_\d+\.")
"""What TorchScript puts into a class's name the second time that it meets it in a process."""
TENSORS = frozenset({"_parameters", "_buffers"})
VOLATILE = frozenset({"training", "_is_full_backward_hook", "_backward_hooks"}) | TENSORS
"""Attributes of a module that change nothing that it computes, or are described otherwise."""
HOOKS = frozenset({"_forward_hooks", "_forward_pre_hooks"})
"""Attributes whose values count and whose keys are numbers that differ in every process."""
MOST, DEEPEST = 100_000, 60
"""Values that are looked at, and how deep inside each other; what lies beyond does not count."""


def code_digest(*values: Any) -> str:
    """Return the SHA-256 (hex) of modules, functions, tensors and other values.

    Of a module, the values of its parameters and saved buffers do not count, only their kinds and
    shapes. The digest is the same in every process of one version of Python.
    """
    found = _Description()
    for value in values:
        found.add(value)
    return found.digest()


class _Description:
    """Adds values to a digest, each object once: where it comes again, only its number counts."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # an identity belongs to one object only while it lives
        self._depth = 0

    def digest(self) -> str:
        """Return the digest of what was added."""
        return self._sha.hexdigest()

    def add(self, value: Any) -> None:
        """Add a value and what it consists of."""
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
        next(describe for kind, describe in self._KINDS if isinstance(value, kind))(self, value)
        self._depth -= 1

    def _put(self, text: str | bytes) -> None:
        content = text if isinstance(text, bytes) else text.encode("utf-8", "backslashreplace")
        self._sha.update(len(content).to_bytes(8, "little") + content)

    def _all(self, values: Iterable[Any]) -> None:
        some = list(values)
        self._put(f"{len(some)}")
        for value in some:
            self.add(value)

    def _mapping(self, value: Mapping[Any, Any]) -> None:
        self._put(f"{len(value)}")
        for key, one in value.items():
            self.add(key)
            self.add(one)

    def _set(self, value: Iterable[Any]) -> None:
        self._all(sorted(repr(one) for one in value if isinstance(one, ATOMS)))

    def _script(self, value: Any) -> None:
        self._put(MANGLED.sub("", str(getattr(value, "inlined_graph", ""))))

    def _module(self, value: nn.Module) -> None:
        own = vars(value)
        for name, tensor in own["_parameters"].items():
            self._put(f"{name} {_kind(tensor)}")
        for name, tensor in own["_buffers"].items():
            self._put(f"{name} {_kind(tensor)}")
            if name in own["_non_persistent_buffers_set"]:
                self.add(tensor)
        for name in sorted(own.keys() - VOLATILE):
            self._put(name)
            self.add([*own[name].values()] if name in HOOKS else own[name])
        self._class(type(value))

    def _tensor(self, value: Tensor) -> None:
        self._put(_kind(value))
        ordinary = type(value) in (Tensor, nn.Parameter) and not value.is_quantized
        if ordinary and value.device.type == "cpu" and value.layout == torch.strided:
            plain = value.detach().resolve_conj().resolve_neg().contiguous()
            self._put(plain.flatten().view(torch.uint8).numpy().tobytes())

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
                held = cell.cell_contents
            except ValueError:  # the cell is still empty
                continue
            self.add(held)
        names = _names(value.__code__)
        for name in names:
            self._global(name, value.__globals__.get(name), names)

    def _global(self, name: str, held: Any, names: list[str]) -> None:
        """Add what a function finds under a global name; of a module, what it finds in that."""
        if isinstance(held, LOOKED_UP):
            self._put(name)
            self.add(held)
        elif isinstance(held, ModuleType) and held.__name__.partition(".")[0] not in LIBRARIES:
            for inside in names:
                found = vars(held).get(inside)
                if isinstance(found, LOOKED_UP):
                    self._put(f"{name}.{inside}")
                    self.add(found)

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
            for name, held in sorted(vars(base).items()):
                self._member(name, held)

    def _member(self, name: str, held: Any) -> None:
        """Add what a class holds under a name: its functions, however wrapped, and constants."""
        inside = getattr(held, "fget", None) or getattr(held, "__func__", None) or held
        inside = getattr(inside, "__wrapped__", inside)
        if isinstance(inside, LOOKED_UP) and (name in CALLED or not name.startswith("__")):
            self._put(name)
            self.add(inside)

    def _named(self, value: Any) -> None:
        self._put(_name(value))

    def _object(self, value: Any) -> None:
        if _of_library(type(value)):
            return
        self._class(type(value))
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        held = {name: getattr(value, name, None) for name in slots if name != "__dict__"}
        self._mapping({**held, **getattr(value, "__dict__", {})})

    _KINDS: ClassVar[tuple[tuple[Any, Callable[[_Description, Any], None]], ...]] = (
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
    """How values are described, by the first kind that they are of."""


def _name(value: Any) -> str:
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"


def _of_library(value: Any) -> bool:
    return str(getattr(value, "__module__", "")).partition(".")[0] in LIBRARIES


def _names(code: CodeType) -> list[str]:
    """Return the names that a function and those inside it look up outside of them."""
    found = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= dict.fromkeys(_names(constant))
    return list(found)


def _kind(tensor: Tensor | None) -> str:
    return "" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)} {tensor.layout}"
