"""The operations of a network in order, with layers as single operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn
from torch.nn import functional

from workbench.errors import describe
from workbench.parallel.rank.strategy import UnsupportedError
from workbench.runtime.batch import Batch, outputs_of
from workbench.runtime.symbolic_length import symbolic_length

ELEMENTWISE_LAYERS = (
    *(nn.ReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.LeakyReLU, nn.Softplus),
    *(nn.Dropout, nn.Identity),
)
ELEMENTWISE_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    *(functional.relu, functional.gelu, functional.silu, functional.dropout),
)

CALL, READ, WRITTEN = 500_000, 10, 5
"""The cost of an operation, of a number that it reads and of one that it writes, in
multiply-accumulates: fitted to the times of the operations of five built-in models on one thread of
an AMD EPYC, forward and backward."""
EXAMPLES = 2
"""Examples with which a network is exported; PyTorch takes a dimension of 1 for a constant."""


def operations(module: nn.Module, inputs: Batch) -> fx.GraphModule:
    """Return the operations of `module`: by tracing its layers, else by `torch.export`.

    Parameters
    ----------
    inputs
        At least `EXAMPLES` examples.

    Raises
    ------
    UnsupportedError
        If the forward pass decides by the values of tensors, or the network has too many inputs.
    """
    try:
        return trace(module, inputs)
    except UnsupportedError as error:
        if error.code != "parallel.not_traceable":
            raise
    from torch.export import Dim, export

    tensors = inputs[:EXAMPLES].tensors
    network = _CALLS[len(tensors)](module, inputs.names).eval()
    shapes = tuple({0: Dim.DYNAMIC} for _tensor in tensors)
    try:
        with symbolic_length(module):
            exported = export(network, tensors, dynamic_shapes=shapes, strict=False)
    except Exception as error:
        raise UnsupportedError(
            "A pipeline needs the network's operations in order, but its forward pass can be "
            f"neither traced nor exported: {describe(error)}. Use strategy='data' or 'zero3'.",
            code="parallel.not_traceable",
        ) from error
    module_of_graph = exported.module(check_guards=False)
    assert isinstance(module_of_graph, fx.GraphModule)
    return module_of_graph


def trace(module: nn.Module, inputs: Batch) -> fx.GraphModule:
    """Return the graph of `module` with its layers as operations.

    Raises
    ------
    UnsupportedError
        If the forward pass is not traceable by `torch.fx`, or the network has too many inputs.
    """
    count = len(inputs.tensors)
    if count not in _CALLS:
        raise UnsupportedError(
            f"A pipeline accepts networks with up to {max(_CALLS)} inputs, but this has {count}; "
            "use strategy='data' or 'zero3'.",
            code="parallel.many_inputs",
        )
    tracer = fx.Tracer()
    try:
        with symbolic_length(module):
            graph = tracer.trace(_CALLS[count](module, inputs.names))
    except Exception as error:
        raise UnsupportedError(
            f"The forward pass cannot be traced: {describe(error)}.", code="parallel.not_traceable"
        ) from error
    traced = fx.GraphModule(tracer.root, graph)
    _insert_facts(traced)
    return traced


def _insert_facts(graph: fx.GraphModule) -> None:
    """Replace facts about weights other than their values, such as the dtype, by constants."""
    for node in [*graph.graph.nodes]:
        if node.target is not getattr or not is_weight(graph, node.args[0]):
            continue
        fact = getattr(_attribute(graph, str(node.args[0].target)), node.args[1])
        if isinstance(fact, Tensor):
            continue
        constant = _Constant(node, fact)
        for user in [*node.users]:
            user.args = fx.node.map_arg(user.args, constant)
            user.kwargs = fx.node.map_arg(user.kwargs, constant)
        graph.graph.erase_node(node)


@dataclass(frozen=True)
class _Constant:
    """Replaces one operation by its value."""

    node: fx.Node
    value: Any

    def __call__(self, node: fx.Node) -> Any:
        return self.value if node is self.node else node


class _Call(nn.Module):
    """A network that is called with a fixed number of inputs, without its optional ones."""

    def __init__(self, network: nn.Module, names: tuple[str, ...] | None) -> None:
        super().__init__()
        self.network = network
        self._names = names

    def call(self, *inputs: Any) -> Any:
        """Return the output tensor of the network."""
        if self._names is None:
            return outputs_of(self.network(*inputs))
        return outputs_of(self.network(**dict(zip(self._names, inputs, strict=True))))


class _CallWithOne(_Call):
    def forward(self, first: Any) -> Any:
        """Call the network."""
        return self.call(first)


class _CallWithTwo(_Call):
    def forward(self, first: Any, second: Any) -> Any:
        """Call the network."""
        return self.call(first, second)


class _CallWithThree(_Call):
    def forward(self, first: Any, second: Any, third: Any) -> Any:
        """Call the network."""
        return self.call(first, second, third)


_CALLS = {1: _CallWithOne, 2: _CallWithTwo, 3: _CallWithThree}
PREFIX = "network."
"""What the names of layers in a graph begin with."""


def elementwise(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Return whether an operation changes each value of its only input on its own."""
    if node.op == "call_module":
        return isinstance(graph.get_submodule(str(node.target)), ELEMENTWISE_LAYERS)
    return node.op == "call_function" and node.target in ELEMENTWISE_FUNCTIONS


class Recorder(fx.Interpreter):
    """Runs a graph and keeps, for each operation, its type of value and its cost.

    Parameters
    ----------
    scale
        The cost is estimated for this many times the number of examples of the run.

    Attributes
    ----------
    cost : dict from node to int
        The time of its forward and backward pass, in multiply-accumulates. It is estimated from
        sizes and not measured, so that every run and every machine cuts a network alike.
    carries : dict from node to bool
        Whether the value is a float tensor, which can be sent to another rank.
    """

    def __init__(self, graph: fx.GraphModule, scale: float = 1.0) -> None:
        super().__init__(graph, garbage_collect_values=False)
        self._scale = scale
        self.cost: dict[fx.Node, int] = {}
        self.carries: dict[fx.Node, bool] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Run one operation and record it."""
        value = super().run_node(n)
        self.carries[n] = isinstance(value, Tensor) and value.is_floating_point()
        if n.op.startswith("call"):
            macs = sum(_macs(weight, value) for weight in self._matrices(n))
            read = sum(_numbers(self.env[s]) for s in n.all_input_nodes if s.op != "get_attr")
            written = _numbers(value)
            numbers = macs + READ * read + WRITTEN * written
            self.cost[n] = CALL + round(self._scale * numbers)
        return value

    def _matrices(self, node: fx.Node) -> list[Tensor]:
        if node.op == "call_module":
            layer = self.fetch_attr(str(node.target))
            if isinstance(layer, nn.Embedding):
                return []
            return [p for p in layer.parameters() if p.ndim > 1]
        if node.op != "call_function" or "embedding" in str(node.target):
            return []
        operands = (self.env[source] for source in node.all_input_nodes if is_weight(self, source))
        return [operand for operand in operands if operand.ndim > 1]


def _numbers(value: Any) -> int:
    return value.numel() if isinstance(value, Tensor) else 0


def _macs(weight: Tensor, output: Any) -> int:
    first = output[0] if isinstance(output, tuple) else output
    return int(weight.numel() // max(1, weight.shape[0]) * first.numel())


def has_weights(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Return whether an operation uses parameters: those of its layer, or as operands."""
    if node.op == "call_module":
        return any(True for _parameter in graph.get_submodule(str(node.target)).parameters())
    return any(is_weight(graph, source) for source in node.all_input_nodes)


def is_weight(graph: fx.GraphModule | fx.Interpreter, node: fx.Node) -> bool:
    """Return whether an operation only names a parameter."""
    if node.op != "get_attr":
        return False
    module = graph.module if isinstance(graph, fx.Interpreter) else graph
    return isinstance(_attribute(module, str(node.target)), nn.Parameter)


def _attribute(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = getattr(value, name)
    return value
