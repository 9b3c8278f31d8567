"""Predicted peak memory against the allocations that PyTorch's profiler records.

`python benchmarks/memory.py [--quick]`: every built-in model with a batch of 64; then the networks
of benchmarks/breadth.py, which include those of `transformers` if it is installed, with their two
examples. A training step with AdamW, and a forward pass.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before transformers reads it

import torch
from _architectures import fixtures, foreign
from _table import table
from torch import nn
from torch.profiler import ProfilerActivity, profile

import workbench as wb
from workbench.errors import WorkbenchError
from workbench.profiling.memory.memory import Memory
from workbench.profiling.memory.predict import _loss
from workbench.runtime.batch import Batch

WARM_UP = 2
CLOSE, BOUND = 0.01, 0.1
HEADS = ("module", "training, MB", "predicted", "inference, MB", "predicted")


def main() -> None:
    """Print the built-in models, the networks that are not within 10 %, and how many are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three built-in models only")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")  # third-party networks cause warnings
    torch.set_num_threads(1)
    names = wb.models()[:3] if quick else wb.models()
    print(table(HEADS, (row(*compared(item)) for item in built_in(names))))
    if quick:
        return
    others = [compared(item) for item in published()]
    largest = [max(abs(training), abs(inference)) for _, (_, training), (_, inference) in others]
    print(
        table(HEADS, (row(*o) for o, error in zip(others, largest, strict=True) if error > BOUND))
    )
    close, within = (sum(error <= bound for error in largest) for bound in (CLOSE, BOUND))
    print(f"{len(others)} networks: {close} within 1 %, {within} within 10 %")


Figure = tuple[int, float]
"""Recorded bytes, and the relative error of the prediction."""
Item = tuple[str, nn.Module, Batch, Memory]


def compared(item: Item) -> tuple[str, Figure, Figure]:
    """Return the figures of training and of inference."""
    name, module, inputs, predicted = item
    training, inference = allocated(module, inputs)
    return (
        name,
        (training, predicted.training.total / training - 1),
        (inference, predicted.inference.total / inference - 1),
    )


def row(name: str, training: Figure, inference: Figure) -> tuple[str, ...]:
    """Return a row of the table."""
    figures = (training, inference)
    return (name, *(text for b, e in figures for text in (f"{b / 1e6:.2f}", f"{100 * e:+.1f} %")))


def built_in(names: list[str]) -> Iterator[Item]:
    """Yield built-in models with their trained weights in a plain module."""
    for name in names:
        model = wb.model(name)
        module = model.module().to_empty(device="cpu")
        for path, buffer in model.module().named_buffers():
            if not buffer.is_meta:  # an unsaved buffer has its values
                module.get_buffer(path).copy_(buffer)
        module.load_state_dict(model.weights(), strict=False)
        inputs = Batch.of(model.task.inputs(model.task.split("validation").examples[:64]))
        yield name, module, inputs, wb.memory(model, batch=64)


def published() -> Iterator[Item]:
    """Yield small networks of known architectures, with random weights."""
    for architecture in (*fixtures(), *foreign()):
        torch.manual_seed(0)
        module, inputs = architecture.build(), architecture.inputs(1)
        try:
            yield architecture.name, module, Batch.of(inputs), wb.memory(module, inputs)
        except WorkbenchError as error:
            print(f"{architecture.name}: {error}")


def allocated(module: nn.Module, inputs: Batch) -> tuple[int, int]:
    """Return the peak bytes of a training step and of a forward pass, as the profiler sees them."""

    def outputs() -> Any:
        if inputs.names is None:
            return module(*inputs.tensors)
        return module(**dict(zip(inputs.names, inputs.tensors, strict=True)))

    module.eval()
    with torch.no_grad():
        inference = peak(outputs, [*module.parameters(), *module.buffers(), *inputs.tensors])
    module.train()
    optimizer = torch.optim.AdamW([p for p in module.parameters() if p.requires_grad])

    def step() -> None:
        _loss(outputs()).backward()
        optimizer.step()

    for _ in range(WARM_UP):
        step()
        optimizer.zero_grad()
    states = [
        value
        for state in optimizer.state.values()
        for value in state.values()
        if isinstance(value, torch.Tensor)
    ]
    known = [*module.parameters(), *module.buffers(), *inputs.tensors, *states]
    return peak(step, known, warm_up=0), inference


def peak(run: Callable[[], Any], known: list[torch.Tensor], warm_up: int = WARM_UP) -> int:
    """Return the bytes of `known` tensors plus the peak of what `run` allocates."""
    for _ in range(warm_up):
        run()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        run()
    events = recorded.profiler.kineto_results.events()
    changes = sorted(
        ((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"),
        key=lambda change: change[0],
    )
    now = highest = 0
    for _, change in changes:
        now += change
        highest = max(highest, now)
    storages = {tensor.untyped_storage().data_ptr(): tensor for tensor in known}
    return highest + sum(tensor.untyped_storage().nbytes() for tensor in storages.values())


if __name__ == "__main__":
    main()
