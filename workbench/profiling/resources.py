"""What a model costs to run: multiply-adds, memory, time."""

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

from workbench.compression.roles import compressible
from workbench.domain import Model
from workbench.errors import Cancelled
from workbench.graph.channel_groups import channel_groups
from workbench.graph.output_axes import weight_axes
from workbench.profiling.macs import FLOP_FORMULAS, FlopCounter
from workbench.runtime.batch import Batch, call
from workbench.runtime.shell import Shell, shell
from workbench.runtime.unfused import unfuse

LATENCY_BATCHES = (1, 64)
MEMORY_BATCH = 64
SAMPLE_EXAMPLES = 2
"""Examples on which weights are followed; some modules take no single one."""
FAKE_TENSOR_MACS = 4_000_000_000
"""Multiply-adds from which on the life of tensors is followed without computing their values."""
Run = Callable[[Mapping[str, Tensor], Any], None]
SECONDS = 0.25
"""How long each batch size is run."""
log = logging.getLogger(__name__)

KINDS: dict[type[nn.Module], str] = {
    nn.Linear: "linear",
    nn.Conv1d: "convolution",
    nn.Conv2d: "convolution",
    nn.Embedding: "embedding",
    nn.MultiheadAttention: "attention",
}
"""What layers are called; others go by their class."""


def macs(model: Model, weights: Mapping[str, Tensor]) -> int:
    """Return the multiply-adds of one example through the dense module."""
    examples = _fewest(model)
    run, inputs = _runner(model, examples)
    with FlopCounter() as counted:
        run(weights, inputs)
    return int(counted.flops) // 2 // examples


def _fewest(model: Model) -> int:
    """Return how many examples the module takes at least."""
    return 1 if model.architecture.traits.single_example else 2


def layer_profiles(model: Model, weights: Mapping[str, Tensor]) -> dict[str, dict[str, Any]]:
    """Return for each tensor that can be compressed its layer's kind, multiply-adds and couplings.

    `coupled` names the weights whose layers lose channels together with this one's, itself among
    them; it is empty where a layer cannot lose any. The multiply-adds are those of one example
    through the dense layer; those of all layers sum to `macs` where nothing else multiplies. A
    layer with several weights, such as a GRU, has its work divided by their sizes. `axes` says how
    a tensor is turned to be compressed, where it is.
    """
    examples = _fewest(model)
    run = Shell(model)
    inputs = model.task.inputs(model.task.split("validation").examples[:examples])
    unfuse(run.module)
    counted = _flops_by_layer(run, weights, inputs, model.name)
    together = [group.producers for group in channel_groups(model.architecture)]
    found = {}
    names = compressible(weights, model.architecture.buffers)
    few = model.task.inputs(model.task.split("validation").examples[:SAMPLE_EXAMPLES])
    axes = weight_axes(run.module, weights, few, names)
    for name in names:
        path = name.rpartition(".")[0]
        layer = run.module.get_submodule(path)
        flops = counted.get(f"{type(run.module).__name__}.{path}", {})
        owner = run.module.get_submodule(path.partition(".parametrizations.")[0])
        kind = next((k for t, k in KINDS.items() if isinstance(owner, t)), type(layer).__name__)
        beside = [n for n in names if n.rpartition(".")[0] == path]
        whole = sum(weights[n].numel() for n in beside) or 1  # a weight may be empty
        share = weights[name].numel() / whole
        found[name] = {
            "kind": kind.lower(),
            "macs": round(sum(flops.values()) // 2 // examples * share),
            "coupled": next((list(makers) for makers in together if name in makers), []),
        }
        if name in axes:
            found[name]["axes"] = axes[name].as_list()
    return found


def _flops_by_layer(
    run: Shell, weights: Mapping[str, Tensor], inputs: Any, name: str
) -> Mapping[str, Mapping[Any, int]]:
    """Return the operations of each layer, none where the counter cannot follow the module."""
    try:
        with FlopCounterMode(display=False, custom_mapping=FLOP_FORMULAS) as counter:
            run(weights, inputs)
    except Exception as error:  # noqa: BLE001 - it may meet operations that it does not know
        log.info("the layers of %s are not counted: %s", name, error)
        return {}
    found: Mapping[str, Mapping[Any, int]] = counter.get_flop_counts()
    return found


def peak_memory(model: Model, weights: Mapping[str, Tensor]) -> int:
    """Return the bytes of the weights and the most bytes of activations alive at once.

    Counted over one batch of 64 by following the life of every tensor the module makes, inputs
    included; a runtime's own workspace is not seen.
    """
    run, inputs = _runner(model, MEMORY_BATCH)
    batch = Batch.of(inputs)
    if MEMORY_BATCH * model.card.get("macs", 0) > FAKE_TENSOR_MACS:
        try:
            with FakeTensorMode(allow_non_fake_inputs=True) as shapes:
                hollow = {name: shapes.from_tensor(weight) for name, weight in weights.items()}
                return _peak(
                    run, hollow, batch.with_tensors(map(shapes.from_tensor, batch.tensors))
                )
        except Exception as error:  # noqa: BLE001 - a module may look at values, in whatever way
            log.info("%s is not followed by shapes alone: %s", model.name, error)
    return _peak(run, weights, batch)


def _peak(run: Run, weights: Mapping[str, Tensor], inputs: Batch) -> int:
    with _LiveBytes(weights.values()) as live:
        for tensor in inputs.tensors:
            live.add(tensor)
        run(weights, inputs)
    return int(live.peak + sum(w.numel() * w.element_size() for w in weights.values()))


def compare_latency(
    contestants: Sequence[tuple[Model, Mapping[str, Tensor]]],
    *,
    rounds: int = 5,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    """Time several models in turn, so that what else the machine does strikes all of them alike.

    Returns what `latency` returns for each, over all rounds.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two runs.
    """
    taken: list[dict[int, list[float]]] = [{} for _ in contestants]
    for _ in range(rounds):
        for (model, weights), mine in zip(contestants, taken, strict=True):
            for batch in LATENCY_BATCHES:
                runs = _timed(model, weights, batch, SECONDS / rounds, cancelled)
                mine.setdefault(batch, []).extend(runs)
    return [_summary(mine) for mine in taken]


def latency(
    model: Model,
    weights: Mapping[str, Tensor],
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Time the module on this machine, in milliseconds per batch, for batches of 1 and 64.

    Returns
    -------
    dict
        For each batch size the median, the 10th and 90th percentile and the number of runs, and
        the number of threads. Eager float32, a quarter of a second of runs per batch size.

    Raises
    ------
    Cancelled
        As soon as `cancelled()` answers True between two runs.
    """
    return compare_latency([(model, weights)], rounds=1, cancelled=cancelled)[0]


def _timed(
    model: Model,
    weights: Mapping[str, Tensor],
    batch: int,
    seconds: float,
    cancelled: Callable[[], bool],
) -> list[float]:
    """Return the milliseconds of at least five runs that fill `seconds`, once it is warm."""
    run = shell(model)
    inputs = model.task.inputs(model.task.split("validation").examples[:batch])
    for _ in range(3):
        run(weights, inputs)
    taken: list[float] = []
    begin = time.perf_counter()
    while len(taken) < 5 or (time.perf_counter() - begin < seconds and len(taken) < 1000):
        if cancelled():
            raise Cancelled("Timing was stopped.")
        start = time.perf_counter()
        run(weights, inputs)
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def _summary(taken: Mapping[int, list[float]]) -> dict[str, Any]:
    out: dict[str, Any] = {"threads": torch.get_num_threads(), "device": "cpu"}
    for batch, runs in taken.items():
        deciles = statistics.quantiles(runs, n=10)
        out[f"batch_{batch}"] = {
            "median": statistics.median(runs),
            "p10": deciles[0],
            "p90": deciles[-1],
            "runs": len(runs),
        }
    return out


def _runner(model: Model, batch: int) -> tuple[Run, Any]:
    """Return what runs the module so that modes see its basic operations, and a batch for it.

    On the CPU, because loading what the meta device needs takes seconds.
    """
    module = unfuse(Shell(model).module)

    def run(weights: Mapping[str, Tensor], inputs: Any) -> None:
        with torch.no_grad():  # inference mode would hide products inside larger operations
            call(module, weights, inputs)

    return run, model.task.inputs(model.task.split("validation").examples[:batch])


class _LiveBytes(TorchDispatchMode):
    """Follows how many bytes of storage, beside `known` ones, the operations inside keep alive."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in known}  # noqa: SLF001

    def add(self, tensor: Tensor) -> None:
        """Count the tensor's storage until it is freed."""
        storage = tensor.untyped_storage()
        key = storage._cdata  # noqa: SLF001 - views of a storage have no other name in common
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
