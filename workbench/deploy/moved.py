"""The outputs of a file's network after its values are changed by as little as rounding does.

In a file that quantizes inputs, they are the values before each rounding: float32 decides to which
code one between two codes is rounded. In any other file, they are what each operation takes (Monte
Carlo arithmetic, D. S. Parker, 1997).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from workbench.artifact.module_spec import InputQParams
from workbench.cancel import CancelToken
from workbench.deploy.entry import inputs_of
from workbench.deploy.outputs import Outputs, distances, tolerances
from workbench.deploy.source import Network
from workbench.runtime.batch import apply
from workbench.runtime.integer_layers import IntegerForward, centered_codes, uses_integer_inputs
from workbench.runtime.nested import map_tensors

MOVED = 2.0**-18
"""By how much values are changed: relative to the largest value of an example or, without codes,
to the value itself.

It is 64 times the rounding of float32, which the sums and functions of a layer add up to.
"""
TRIES = 32
"""How many times an example runs, with biases as in the file and as integers."""
TOGETHER = 16
"""Examples that run together."""


@dataclass(frozen=True)
class Spread:
    """How far the outputs of an example spread if its values are moved.

    Attributes
    ----------
    exact : Tensor
        The outputs without moves, float64 [positions, outputs].
    mean, furthest : Tensor
        Of all tries, the mean and the largest distance of each output to the exact one.
    classes : Tensor
        The best output at each position, [tries, positions].
    """

    exact: Tensor
    mean: Tensor
    furthest: Tensor
    classes: Tensor

    def is_beyond(self, outputs: Tensor, positions: slice = slice(None)) -> bool:
        """Return whether a runtime's outputs at some positions lie further away than each try.

        Each difference counts in units of the mean difference of the tries there.
        """
        exact, mean, furthest = (
            values[positions] for values in (self.exact, self.mean, self.furthest)
        )
        unit = mean + tolerances(exact)
        distance = distances(outputs.reshape(exact.shape), exact) / unit
        most = max(float((furthest / unit).amax()), 1.0)
        return not float(distance.amax()) <= most  # also where one is no number


def spreads(
    network: Network,
    examples: NDArray[np.generic],
    rows: Sequence[int] | NDArray[np.int64],
    file: Outputs,
    cancel: CancelToken,
    *,
    rounds_biases: bool,
) -> Iterator[Spread]:
    """Yield how the outputs of some examples spread.

    Parameters
    ----------
    network
        The file.
    examples
        All examples that `file` has the outputs of, [n, ...].
    rows
        The numbers of the examples.
    file
        The outputs of the file.
    cancel
        Checked between the runs.
    rounds_biases
        Whether a runtime makes biases integers, see `Target.rounds_biases`.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    if network.spec.inputs:
        yield from _of_codes(network, examples, rows, file, cancel, rounds_biases=rounds_biases)
        return
    for start in range(0, len(rows), TOGETHER):
        yield from _of_operations(network, examples, rows[start : start + TOGETHER], file, cancel)


@torch.no_grad()
def _of_codes(
    network: Network,
    examples: NDArray[np.generic],
    rows: Sequence[int] | NDArray[np.int64],
    file: Outputs,
    cancel: CancelToken,
    *,
    rounds_biases: bool,
) -> Iterator[Spread]:
    moved = _with_moved_codes(network, rounds_biases=rounds_biases)
    for row in rows:
        cancel.check()
        inputs = inputs_of(network.task, examples[[row] * TRIES])
        exact = file.exact[row].double()
        exact = exact.reshape(-1, exact.shape[-1])
        tries = torch.cat([apply(module, inputs) for module in moved]).reshape(-1, *exact.shape)
        lengths = distances(tries, exact)
        yield Spread(exact, lengths.mean(0), lengths.amax(0), tries.argmax(-1))


def _with_moved_codes(network: Network, *, rounds_biases: bool) -> list[nn.Module]:
    """Return the network of the file with moved values before each rounding.

    If the runtime makes biases integers that are none in the file, there is a second one in which
    they are, as the package says.
    """
    generator = torch.Generator().manual_seed(0)

    def codes(values: Tensor, qparams: InputQParams) -> Tensor:
        largest = values.abs().flatten(1).amax(1).view(-1, *[1] * (values.ndim - 1))
        moves = torch.empty(values.shape).uniform_(-MOVED, MOVED, generator=generator)
        return centered_codes(values + largest * moves, qparams)

    module = deepcopy(network.reference)
    for forward in _integer_forwards(module):
        forward.codes = codes
    if not rounds_biases or all(f.whole_biases for f in _integer_forwards(module)):
        return [module]
    second = deepcopy(module)
    for forward in _integer_forwards(second):
        forward.whole_biases = True
    return [module, second]


def _integer_forwards(module: nn.Module) -> list[IntegerForward]:
    return [vars(layer)["forward"] for layer in module.modules() if uses_integer_inputs(layer)]


@torch.no_grad()
def _of_operations(
    network: Network,
    examples: NDArray[np.generic],
    rows: Sequence[int] | NDArray[np.int64],
    file: Outputs,
    cancel: CancelToken,
) -> Iterator[Spread]:
    """Yield the spreads of examples that run together.

    The exact outputs are those in float64, where the network runs in it.
    """
    inputs = inputs_of(network.task, examples[[*rows]])
    exact = file.exact[[*rows]].double()
    if network.model.architecture.traits.float64:
        exact = apply(deepcopy(network.reference).double(), inputs.to(torch.float64))
    exact = exact.reshape(len(rows), -1, file.exact.shape[-1])
    total, furthest = torch.zeros_like(exact), torch.zeros_like(exact)
    classes, generator = [], torch.Generator().manual_seed(0)
    for _number in range(TRIES):
        cancel.check()
        with _MovedOperands(generator):
            tries = apply(network.reference, inputs)
        tries = tries.reshape(exact.shape)
        lengths = distances(tries, exact)
        total += lengths
        furthest = torch.maximum(furthest, lengths)
        classes.append(tries.argmax(-1))
    mean, best = total / TRIES, torch.stack(classes, 1)
    for place in range(len(rows)):
        yield Spread(exact[place], mean[place], furthest[place], best[place])


class _MovedOperands(TorchDispatchMode):
    """Moves the numbers that each operation takes, except one that returns or writes to them."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = generator

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call an operation of PyTorch."""
        if not _has_aliases(func):
            args, kwargs = map_tensors(self._moved, (args, kwargs))
        return func(*args, **kwargs or {})

    def _moved(self, values: Tensor) -> Tensor:
        if not values.is_floating_point():
            return values
        moves = torch.empty(values.shape).uniform_(1 - MOVED, 1 + MOVED, generator=self._generator)
        return values * moves.to(values.dtype)


@cache
def _has_aliases(func: Any) -> bool:
    return any(argument.alias_info is not None for argument in func._schema.arguments)  # noqa: SLF001 - has no public name
