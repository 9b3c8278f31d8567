"""Multiply-adds, bytes and time of each layer of a module in one call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from workbench.profiling.macs import FlopCounter
from workbench.runtime.batch import call


@dataclass
class LayerWork:
    """The work of one layer in one call of its module, without that of layers inside it."""

    kind: str
    macs: int = 0
    bytes: int = 0
    seconds: float = 0.0


@dataclass
class _Frame:
    """A layer that runs: the counts when it began, and what the layers inside it took."""

    flops: int
    start: float
    inner_flops: int = 0
    inner_seconds: float = 0.0


@dataclass
class _Recorder:
    counter: FlopCounter | None
    layers: dict[str, LayerWork] = field(default_factory=dict)
    stack: list[_Frame] = field(default_factory=list)

    def begin(self) -> None:
        self.stack.append(_Frame(self._flops(), time.perf_counter()))

    def end(self, name: str, layer: nn.Module, inputs: Any, outputs: Any) -> None:
        seconds, frame = time.perf_counter(), self.stack.pop()
        elapsed, flops = seconds - frame.start, self._flops() - frame.flops
        if self.stack:
            self.stack[-1].inner_seconds += elapsed
            self.stack[-1].inner_flops += flops
        work = self.layers.setdefault(name, LayerWork(type(layer).__name__))
        work.macs += (flops - frame.inner_flops) // 2
        work.seconds += elapsed - frame.inner_seconds
        moved = [*tree_leaves((inputs, outputs)), *layer.parameters(recurse=False)]
        work.bytes += sum(t.numel() * t.element_size() for t in moved if isinstance(t, Tensor))

    def _flops(self) -> int:
        return 0 if self.counter is None else self.counter.flops


def layer_work(
    module: nn.Module, weights: Mapping[str, Tensor], inputs: Any, calls: int
) -> dict[str, LayerWork]:
    """Return the work of each layer by name, in the order in which they run.

    A layer reads its inputs and weights once and writes its outputs once. The time is that of the
    fastest of `calls` calls, with the overhead of calling the layer.
    """
    with FlopCounter() as counter, _recording(module, _Recorder(counter)) as recorder:
        call(module, weights, inputs)
    layers = recorder.layers
    fastest = dict.fromkeys(layers, float("inf"))
    for _number in range(calls):
        with _recording(module, _Recorder(None)) as timed:
            call(module, weights, inputs)
        for name, work in timed.layers.items():
            fastest[name] = min(fastest[name], work.seconds)
    for name, work in layers.items():
        work.seconds = fastest[name]
    return layers


@contextmanager
def _recording(module: nn.Module, recorder: _Recorder) -> Iterator[_Recorder]:
    handles = []
    for name, layer in module.named_modules():
        if [*layer.parameters(recurse=False)] or not [*layer.children()]:
            handles += _hooks(name, layer, recorder)
    try:
        with torch.no_grad():  # inference mode hides products inside composite operations
            yield recorder
    finally:
        for handle in handles:
            handle.remove()


def _hooks(name: str, layer: nn.Module, recorder: _Recorder) -> list[Any]:
    def after(layer: nn.Module, args: Any, kwargs: Any, outputs: Any) -> None:
        recorder.end(name, layer, (args, kwargs), outputs)

    return [
        layer.register_forward_pre_hook(lambda _layer, _args: recorder.begin()),
        layer.register_forward_hook(after, with_kwargs=True),
    ]
