"""Predicted peak memory against the allocations that PyTorch's profiler records.

`python benchmarks/memory.py [--quick] [NAME ...]`: every built-in model and, where `transformers`
is installed, published networks from small configurations; a training step with AdamW and a forward
pass, batch of 64 (8 for published networks).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import torch
from _table import table
from torch import nn
from torch.profiler import ProfilerActivity, profile

import workbench as wb
from workbench.profiling.memory.memory import Memory
from workbench.profiling.memory.predict import _loss
from workbench.runtime.batch import Batch

WARM_UP = 2


def main() -> None:
    """Print one row per module: profiler and prediction, for training and inference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--quick", action="store_true", help="three built-in models")
    options = parser.parse_args()
    names = options.names or (wb.models()[:3] if options.quick else wb.models())
    rows = []
    for name, module, inputs, predicted in [*built_in(names), *published(options)]:
        training, inference = allocated(module, inputs)
        rows.append(
            (
                name,
                f"{training / 1e6:.2f}",
                f"{predicted.training.total / training - 1:+.1%}",
                f"{inference / 1e6:.2f}",
                f"{predicted.inference.total / inference - 1:+.1%}",
            )
        )
        print(*rows[-1], flush=True)
    heads = ("module", "training, MB", "predicted", "inference, MB", "predicted")
    print(table(heads, rows))


def built_in(names: list[str]) -> Iterator[tuple[str, nn.Module, Batch, Memory]]:
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


CONFIGS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "BERT": ("BertConfig", "BertForSequenceClassification", {}),
    "GPT-2": ("GPT2Config", "GPT2LMHeadModel", {"n_embd": 128, "n_layer": 3, "n_head": 4}),
    "Llama": ("LlamaConfig", "LlamaForCausalLM", {"num_key_value_heads": 2}),
    "Qwen2": ("Qwen2Config", "Qwen2ForCausalLM", {"num_key_value_heads": 2}),
    "T5 encoder": ("T5Config", "T5EncoderModel", {"d_model": 128, "d_kv": 32, "d_ff": 256}),
    "DistilBERT": (
        "DistilBertConfig",
        "DistilBertForSequenceClassification",
        {"dim": 128, "hidden_dim": 256, "n_layers": 3, "n_heads": 4},
    ),
    "ViT": ("ViTConfig", "ViTForImageClassification", {"image_size": 64}),
    "ResNet": (
        "ResNetConfig",
        "ResNetForImageClassification",
        {"hidden_sizes": [32, 64, 128, 256], "embedding_size": 32},
    ),
    "MobileNetV2": ("MobileNetV2Config", "MobileNetV2ForImageClassification", {}),
    "ConvNeXt": (
        "ConvNextConfig",
        "ConvNextForImageClassification",
        {"hidden_sizes": [32, 64, 128, 256], "depths": [1, 1, 2, 1]},
    ),
    "Mamba": ("MambaConfig", "MambaForCausalLM", {"num_hidden_layers": 2, "hidden_size": 128}),
}
SMALL = {
    "vocab_size": 1000,
    "hidden_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 256,
}
"""Sizes of all configurations that have them."""


def published(options: argparse.Namespace) -> Iterator[tuple[str, nn.Module, Batch, Memory]]:
    """Yield networks of transformers, small and with random weights."""
    try:
        import transformers
    except ImportError:
        return
    for name, (config, network, sizes) in CONFIGS.items():
        if options.names or options.quick:
            return
        plain = getattr(transformers, config)()
        common = {key: value for key, value in SMALL.items() if key in plain.to_dict()}
        small = getattr(transformers, config)(**common | sizes)
        module = getattr(transformers, network)(small)
        if "Image" in network:
            size = getattr(small, "image_size", 64)
            images = torch.randn(8, 3, min(size, 64), min(size, 64))
            given = {"pixel_values": images}
        else:
            given = {"input_ids": torch.randint(0, 1000, (8, 64))}
        yield name, module, Batch.of(given), wb.memory(module, given)


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
