"""Networks of other authors, and a chain of equal stages, for `parallel.py`: ranks import them."""

from __future__ import annotations

from torch import Tensor, nn

WORDS, CLASSES = 96, 4


def bert() -> nn.Module:
    """Return a small BERT classifier of the package transformers, with new weights."""
    from transformers import BertConfig, BertForSequenceClassification

    return BertForSequenceClassification(
        BertConfig(
            vocab_size=WORDS,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=16,
            num_labels=CLASSES,
        )
    )


def gpt2() -> nn.Module:
    """Return a small GPT-2 of the package transformers, whose embeddings are tied."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=WORDS,
            bos_token_id=0,
            eos_token_id=0,
            n_positions=16,
            n_embd=32,
            n_layer=2,
            n_head=2,
        )
    )


def vit() -> nn.Module:
    """Return a small vision transformer of the package transformers."""
    from transformers import ViTConfig, ViTForImageClassification

    return ViTForImageClassification(
        ViTConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            image_size=16,
            patch_size=4,
            num_labels=CLASSES,
        )
    )


class Chain(nn.Module):
    """Eight equal layers: a pipeline of 2, 4 or 8 stages has stages of equal cost."""

    def __init__(self, width: int = 512) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(width, width) for _layer in range(8)))

    def forward(self, x: Tensor) -> Tensor:
        """Map [b, width] to the same shape."""
        outputs: Tensor = self.layers(x)
        return outputs


def chain() -> nn.Module:
    """Return a chain of equal layers."""
    return Chain()
