"""Measures this machine: matrix products, a copy, and steps of small language models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention, silu

from workbench.errors import InputError
from workbench.planner.chips import Chip, chip

NAMES = {
    "V100": "v100",
    "A100-SXM4-40GB": "a100-40",
    "A100-SXM4-80GB": "a100-80",
    "A40": "a40",
    "H100 PCIe": "h100-pcie",
    "H100 80GB HBM3": "h100-sxm",
    "H200": "h200",
    "B200": "b200",
    "RTX 4090": "rtx-4090",
}
"""Parts of the names that the driver gives to chips of the table."""
SHAPES = {
    "cpu": (
        (256, 4, 1, 128, 8192),
        (384, 4, 2, 128, 2048),
        (512, 4, 1, 256, 8192),
        (256, 2, 4, 128, 1024),
        (512, 2, 1, 512, 1024),
        (128, 6, 8, 64, 2048),
        (384, 6, 1, 64, 4096),
        (256, 4, 2, 384, 8192),
    ),
    "cuda": (
        (1024, 8, 4, 512, 32768),
        (1024, 16, 1, 2048, 8192),
        (2048, 8, 1, 2048, 32768),
        (2048, 8, 2, 4096, 8192),
        (4096, 4, 1, 2048, 32768),
        (4096, 2, 8, 1024, 8192),
    ),
}
"""Hidden units, layers, sequences, tokens of each and vocabulary of the models: unlike each other,
so that the error of each by the others is that of a model which was not measured."""
PRODUCT = {"cpu": 1024, "cuda": 8192}
COPIED = {"cpu": 2**26, "cuda": 2**31}
"""Rows of square matrices, and bytes of a copy."""
HEAD, REPEATS = 64, 5


class Layer(nn.Module):
    """A layer of Llama without rotary positions."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.RMSNorm(hidden) for _ in range(2))
        self.mixer = nn.ModuleList(nn.Linear(hidden, hidden, bias=False) for _ in range(4))
        self.enter = nn.ModuleList(nn.Linear(hidden, 3 * hidden, bias=False) for _ in range(2))
        self.leave = nn.Linear(3 * hidden, hidden, bias=False)

    def forward(self, x: Tensor, cache: list[Tensor] | None = None) -> Tensor:
        """Return [examples, tokens, hidden]; with a cache, of one more token."""
        entering = self.norms[0](x)
        query, key, value = (
            part(entering).unflatten(-1, (-1, HEAD)).transpose(1, 2) for part in self.mixer[:3]
        )
        if cache is not None:
            key, value = (torch.cat(pair, 2) for pair in zip(cache, (key, value), strict=True))
        mixed = scaled_dot_product_attention(query, key, value, is_causal=cache is None)
        x = x + self.mixer[3](mixed.transpose(1, 2).flatten(2))
        entering = self.norms[1](x)
        inner = silu(self.enter[0](entering)) * self.enter[1](entering)
        result: Tensor = x + self.leave(inner)
        return result


class Network(nn.Module):
    """Embedding, layers and head."""

    def __init__(self, hidden: int, layers: int, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        self.layers = nn.ModuleList(Layer(hidden) for _ in range(layers))
        self.final = nn.RMSNorm(hidden)
        self.head = nn.Linear(hidden, vocabulary, bias=False)

    def forward(self, words: Tensor, caches: list[list[Tensor]] | None = None) -> Tensor:
        """Return the logits of all tokens in training, else of the last."""
        x = self.embedding(words)
        for number, layer in enumerate(self.layers):
            x = layer(x, None if caches is None else caches[number])
        x = self.final(x if self.training else x[:, -1:])
        logits: Tensor = self.head(x)
        return logits


def device() -> str:
    """Return the device that is measured."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def measured_chip(chosen: Chip | None) -> Chip:
    """Return the chip of this machine with its measured rates.

    Raises
    ------
    InputError
        If it is not in the table, or another one was chosen.
    """
    where = device()
    machine = chip("cpu")
    if where == "cuda":
        name = torch.cuda.get_device_name()
        known = [key for part, key in NAMES.items() if part in name]
        if not known:
            raise InputError(
                f"{name} is not in the table of chips; choose a similar one and pass measured "
                "rows.",
                code="plan.unknown_chip",
            )
        machine = replace(chip(known[0]), usable=torch.cuda.mem_get_info()[1])
    if chosen is not None and chosen.id != machine.id:
        raise InputError(
            f"This machine has {machine.title}, not {chosen.title}; pass measured rows instead.",
            code="plan.other_chip",
        )
    kinds = (("bf16", torch.bfloat16), ("fp32", torch.float32))[where == "cpu" :]
    rates = [(name, _product_rate(where, dtype)) for name, dtype in kinds]
    return replace(machine, sustained=(*rates, ("bandwidth", _copy_rate(where))))


def measured_rows(base: Chip) -> Iterator[dict[str, Any]]:
    """Yield measured training steps and, on a processor, reading and generating text."""
    where = device()
    precision, dtype = ("fp32", torch.float32) if where == "cpu" else ("bf16", torch.bfloat16)
    for hidden, layers, batch, tokens, vocabulary in SHAPES[where]:
        torch.manual_seed(0)
        network = Network(hidden, layers, vocabulary).to(where, dtype)
        config = {
            "model_type": "llama",
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": hidden // HEAD,
            "intermediate_size": 3 * hidden,
            "vocab_size": vocabulary,
            "tie_word_embeddings": False,
        }
        words = torch.randint(vocabulary, (batch, tokens), device=where)
        step = _training_step(network, words)
        yield {
            "config": config,
            "microbatch": batch,
            "sequence": tokens,
            "precision": precision,
            "step_ms": 1000 * fastest(step, where),
        }
        with torch.inference_mode():
            network.eval()
            row = {"config": config, "batch": batch, "context": tokens, "precision": precision}
            row["prefill_ms"] = 1000 * fastest(lambda: network(words), where)  # noqa: B023
            if where == "cpu":  # on a GPU, Python would be measured
                empty = torch.zeros(batch, hidden // HEAD, tokens, HEAD, dtype=dtype)
                caches = [[empty, empty] for _ in range(layers)]
                token = words[:, :1]
                row["decode_ms"] = 1000 * fastest(lambda: network(token, caches), where)  # noqa: B023
            yield row


def _training_step(network: Network, words: Tensor) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(network.parameters(), fused=True)

    def step() -> None:
        logits = network(words).float()
        cross_entropy(logits.flatten(0, 1), words.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def _product_rate(where: str, dtype: torch.dtype) -> float:
    size = PRODUCT[where]
    matrix = torch.ones(size, size, dtype=dtype, device=where)
    product = torch.empty_like(matrix)
    return 2 * size**3 / fastest(lambda: torch.mm(matrix, matrix, out=product), where)


def _copy_rate(where: str) -> float:
    source = torch.ones(COPIED[where] // 4, device=where)
    target = torch.empty_like(source)
    return 2 * COPIED[where] / fastest(lambda: target.copy_(source), where)


def fastest(call: Callable[[], object], where: str) -> float:
    """Return the seconds of the fastest of some calls, after two that warm up."""
    seconds = []
    for number in range(REPEATS + 2):
        _wait(where)
        start = time.perf_counter()
        call()
        _wait(where)
        if number >= 2:
            seconds.append(time.perf_counter() - start)
    return min(seconds)


def _wait(where: str) -> None:
    if where == "cuda":
        torch.cuda.synchronize()
