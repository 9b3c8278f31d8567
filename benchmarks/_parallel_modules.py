"""Networks of other authors, and a chain of equal stages, for `parallel.py`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WORDS, CLASSES = 96, 4


def networks() -> dict[str, tuple[str, nn.Module]]:
    """Return small networks of the package transformers with new weights, and their data."""
    import transformers as t

    words = {"vocab_size": WORDS, "num_hidden_layers": 4, "hidden_size": 32}
    short = {"max_position_embeddings": 16, "intermediate_size": 64, "num_attention_heads": 4}
    first = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    bert = t.BertConfig(**words, **short, num_labels=CLASSES)
    gpt2 = t.GPT2Config(
        vocab_size=WORDS, n_positions=16, n_embd=32, n_layer=4, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    llama = t.LlamaConfig(**words, **short, **first, num_key_value_heads=2)
    vit = t.ViTConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64,
        image_size=32, patch_size=8, num_labels=CLASSES,
    )  # fmt: skip
    resnet = t.ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 16, 32, 32], depths=[1, 1, 1, 1],
        layer_type="basic", num_labels=CLASSES,
    )  # fmt: skip
    convnext = t.ConvNextConfig(
        hidden_sizes=[8, 16, 16, 32], depths=[1, 1, 2, 1], image_size=32, patch_size=2,
        num_labels=CLASSES,
    )  # fmt: skip
    return {
        "bert": ("words", t.BertForSequenceClassification(bert)),
        "gpt2": ("next", t.GPT2LMHeadModel(gpt2)),
        "llama": ("next", t.LlamaForCausalLM(llama)),
        "vit": ("pictures", t.ViTForImageClassification(vit)),
        "resnet": ("pictures", t.ResNetForImageClassification(resnet)),
        "convnext": ("pictures", t.ConvNextForImageClassification(convnext)),
    }


class Chain(nn.Module):
    """Eight equal layers: a pipeline of 2, 4 or 8 stages has stages of equal cost.

    Without `shift`, the first layer would need no gradient of its input and be faster than others.
    """

    def __init__(self, width: int = 1024) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(width))
        self.layers = nn.Sequential(*(nn.Linear(width, width) for _layer in range(8)))

    def forward(self, x: Tensor) -> Tensor:
        """Map [b, width] to the same shape."""
        outputs: Tensor = self.layers(x + self.shift)
        return outputs
