"""Multiply-adds, peak memory and latency of a model."""

from __future__ import annotations

import logging
import statistics
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from workbench.cancel import NEVER, CancelToken
from workbench.compression.roles import compressible
from workbench.domain import Model
from workbench.graph.channel_groups import channel_groups
from workbench.graph.output_axes import weight_axes
from workbench.profiling.energy.energy import Energy
from workbench.profiling.energy.meter import EnergyMeter
from workbench.profiling.inference_energy import of_thousand
from workbench.profiling.macs import FLOP_FORMULAS, FlopCounter
from workbench.runtime.batch import Batch, call
from workbench.runtime.shell import Shell, shell
from workbench.runtime.unfused import unfuse

LATENCY_BATCHES = (1, 64)
MEMORY_BATCH = ENERGY_BATCH = 64
SAMPLE_EXAMPLES = 2
"""Examples on which the axes of weights are traced; some modules reject a batch of one."""
FAKE_TENSOR_MACS = 4_000_000_000
"""Above this many multiply-accumulates, memory is measured on fake tensors without values."""
Run = Callable[[Mapping[str, Tensor], Any], None]
SECONDS = 0.25
"""Duration of the timed runs per batch size."""
ROUNDS = 12
"""Into how many rounds `runs_of_one` divides half a second."""
log = logging.getLogger(__name__)

KINDS: dict[type[nn.Module], str] = {
    nn.Linear: "linear",
    nn.Conv1d: "convolution",
    nn.Conv2d: "convolution",
    nn.Embedding: "embedding",
    nn.MultiheadAttention: "attention",
}
"""Display names of layer types; other layers use the class name."""


def macs(model: Model, weights: Mapping[str, Tensor]) -> int:
    """Return the multiply-accumulates of one example through the dense module."""
    examples = _min_batch(model)
    run, inputs = _runner(model, examples)
    with FlopCounter() as counter:
        run(weights, inputs)
    return int(counter.flops) // 2 // examples


def _min_batch(model: Model) -> int:
    """Return the smallest batch that the module accepts."""
    return 1 if model.architecture.traits.single_example else 2


def layer_profiles(model: Model, weights: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
    """Return the layer's kind, multiply-accumulates and couplings for each compressible tensor.

    ``coupled`` names the weights whose layers lose channels together, including this one; it is
    empty if the layer cannot lose channels. ``macs`` counts one example through the dense layer;
    the layers sum to `macs` of the model unless other operations multiply. The work of a layer with
    several weights, such as a GRU, is divided in proportion to their sizes. ``axes`` describes how
    the tensor is rearranged for compression, if it is.
    """
    examples = _min_batch(model)
    run = Shell(model)
    inputs = model.task.inputs(model.task.split("validation").examples[:examples])
    unfuse(run.module)
    flops_by_layer = _flops_by_layer(run, weights, inputs, model.name)
    coupled = [group.producers for group in channel_groups(model.architecture)]
    profiles = {}
    names = compressible(weights, model.architecture.buffers)
    sample = model.task.inputs(model.task.split("validation").examples[:SAMPLE_EXAMPLES])
    axes = weight_axes(run.module, weights, sample, names)
    for name in names:
        path = name.rpartition(".")[0]
        layer = run.module.get_submodule(path)
        flops = flops_by_layer.get(f"{type(run.module).__name__}.{path}", {})
        owner = run.module.get_submodule(path.partition(".parametrizations.")[0])
        kind = next((k for t, k in KINDS.items() if isinstance(owner, t)), type(layer).__name__)
        siblings = [n for n in names if n.rpartition(".")[0] == path]
        total = sum(weights[n].numel() for n in siblings) or 1  # a weight may be empty
        fraction = weights[name].numel() / total
        profiles[name] = {
            "kind": kind.lower(),
            "macs": round(sum(flops.values()) // 2 // examples * fraction),
            "coupled": next((list(group) for group in coupled if name in group), []),
        }
        if name in axes:
            profiles[name]["axes"] = axes[name].as_list()
    return profiles


def _flops_by_layer(
    run: Shell, weights: Mapping[str, Tensor], inputs: Any, name: str
) -> Mapping[str, Mapping[Any, int]]:
    """Return the operations of each layer; empty if the counter fails on the module."""
    try:
        with FlopCounterMode(display=False, custom_mapping=FLOP_FORMULAS) as counter:
            run(weights, inputs)
    except Exception as error:  # noqa: BLE001 - it does not support every operation
        log.info("the layers of %s are not counted: %s", name, error)
        return {}
    counts: Mapping[str, Mapping[Any, int]] = counter.get_flop_counts()
    return counts


def peak_memory(model: Model, weights: Mapping[str, Tensor]) -> int:
    """Return the bytes of the weights plus the peak bytes of live activations.

    Measured for a batch of 64 by tracking the lifetime of every tensor that the module creates,
    and of the inputs. Workspaces inside kernels are not included.
    """
    run, inputs = _runner(model, MEMORY_BATCH)
    batch = Batch.of(inputs)
    if MEMORY_BATCH * model.card.get("macs", 0) > FAKE_TENSOR_MACS:
        try:
            with FakeTensorMode(allow_non_fake_inputs=True) as mode:
                fake = {name: mode.from_tensor(weight) for name, weight in weights.items()}
                return _peak(run, fake, batch.with_tensors(map(mode.from_tensor, batch.tensors)))
        except Exception as error:  # noqa: BLE001 - a module may depend on values
            log.info("%s does not run on fake tensors: %s", model.name, error)
    return _peak(run, weights, batch)


def _peak(run: Run, weights: Mapping[str, Tensor], inputs: Batch) -> int:
    with _LiveBytes(weights.values()) as live:
        for tensor in inputs.tensors:
            live.add(tensor)
        run(weights, inputs)
    return int(live.peak + sum(w.numel() * w.element_size() for w in weights.values()))


def compare_latency(
    models: Sequence[tuple[Model, Mapping[str, Tensor]]],
    *,
    rounds: int = 5,
    cancel: CancelToken = NEVER,
) -> list[dict[str, Any]]:
    """Time several models in interleaved rounds, so background load affects all equally.

    Returns the same as `latency` for each model, over all rounds.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two runs.
    """
    times: list[dict[int, list[float]]] = [{} for _ in models]
    meters = [EnergyMeter(gpus=False) for _ in models]
    for _ in range(rounds):
        for (model, weights), by_batch, meter in zip(models, times, meters, strict=True):
            for batch in LATENCY_BATCHES:
                counted = meter if batch == ENERGY_BATCH else None
                runs = _timed(model, weights, batch, SECONDS / rounds, cancel, counted)
                by_batch.setdefault(batch, []).extend(runs)
    energies = [
        of_thousand(meter, ENERGY_BATCH * len(by_batch[ENERGY_BATCH]))
        for meter, by_batch in zip(meters, times, strict=True)
    ]
    return [_summary(*both) for both in zip(times, energies, strict=True)]


def latency(
    model: Model,
    weights: Mapping[str, Tensor],
    *,
    cancel: CancelToken = NEVER,
) -> dict[str, Any]:
    """Time the module on this machine, in milliseconds per batch, for batches of 1 and 64.

    Returns
    -------
    dict
        The median, the 10th and 90th percentile and the number of runs for each batch size, the
        number of threads, and the energy of 1,000 examples in batches of 64 as plain data. Runs are
        eager float32, for a quarter of a second per batch size.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two runs.
    """
    return compare_latency([(model, weights)], rounds=1, cancel=cancel)[0]


def runs_of_one(
    model: Model,
    weights: Mapping[str, Tensor],
    *,
    cancel: CancelToken = NEVER,
) -> list[float]:
    """Return the milliseconds of runs of the module on one example, eager and float32.

    Half a second in `ROUNDS` rounds, each after a warm-up: a short disturbance meets few of them.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled between two runs.
    """
    seconds = 2 * SECONDS / ROUNDS
    return [run for _ in range(ROUNDS) for run in _timed(model, weights, 1, seconds, cancel, None)]


def _timed(
    model: Model,
    weights: Mapping[str, Tensor],
    batch: int,
    seconds: float,
    cancel: CancelToken,
    meter: EnergyMeter | None,
) -> list[float]:
    """Return the milliseconds of each run: five at least, for `seconds`, after a warm-up."""
    run = shell(model)
    inputs = model.task.inputs(model.task.split("validation").examples[:batch])
    for _ in range(3):
        run(weights, inputs)
    times: list[float] = []
    begin = time.perf_counter()
    if meter is not None:
        meter.resume()
    while len(times) < 5 or (time.perf_counter() - begin < seconds and len(times) < 1000):
        cancel.check()
        start = time.perf_counter()
        run(weights, inputs)
        times.append((time.perf_counter() - start) * 1000)
    if meter is not None:
        meter.pause()
        meter.sample()
    return times


def _summary(times: Mapping[int, list[float]], energy: Energy) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "threads": torch.get_num_threads(),
        "device": "cpu",
        "energy": energy.as_dict(),
    }
    for batch, runs in times.items():
        deciles = statistics.quantiles(runs, n=10)
        summary[f"batch_{batch}"] = {
            "median": statistics.median(runs),
            "p10": deciles[0],
            "p90": deciles[-1],
            "runs": len(runs),
        }
    return summary


def _runner(model: Model, batch: int) -> tuple[Run, Any]:
    """Return a function that runs the module with basic operations visible to modes, and a batch.

    It runs on the CPU, because the first use of the meta device takes seconds to load.
    """
    module = unfuse(Shell(model).module)

    def run(weights: Mapping[str, Tensor], inputs: Any) -> None:
        with torch.no_grad():  # inference mode hides products inside composite operations
            call(module, weights, inputs)

    return run, model.task.inputs(model.task.split("validation").examples[:batch])


class _LiveBytes(TorchDispatchMode):
    """Tracks the bytes of live storage that operations create, without that of `known` tensors."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in known}  # noqa: SLF001

    def add(self, tensor: Tensor) -> None:
        """Count the tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        key = storage._cdata  # noqa: SLF001 - shared by all views of a storage
        if key in self._known:
            return
        size = storage.nbytes()
        self._known.add(key)
        self.now += size
        self.peak = max(self.peak, self.now)
        weakref.finalize(tensor, self._free, key, size)

    def _free(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.now -= size

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        outputs = function(*args, **(kwargs or {}))
        for item in outputs if isinstance(outputs, tuple | list) else (outputs,):
            if isinstance(item, Tensor):
                self.add(item)
        return outputs
