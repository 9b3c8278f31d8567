"""How the layers of a family of models differ from those of Llama."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Style:
    """The properties of a family. A bias is yes, no, or the name of an entry that says so.

    Parameters
    ----------
    norm
        Elements of a norm per channel: 1 without bias (RMSNorm), 2 with (layer norm).
    norms
        Norms of a layer over the hidden units.
    query_norm
        Norms of queries and keys: of one head, of all heads together, or of each head alone.
    tied
        Whether embedding and head share a matrix if the configuration does not say.
    positions
        Rows of learned positions in addition to the longest context, or None without.
    windowed
        Which layers read a limited window if the configuration lists none: all, every second one,
        all but each n-th one, those from `max_window_layers` on, every second one before it, or
        those without rotary positions.
    expert_bias
        Whether the matrices of experts and their router have biases.
    """

    gated: bool = True
    norm: int = 1
    norms: int = 2
    qkv_bias: bool | str = "attention_bias"
    out_bias: bool | str = "attention_bias"
    mlp_bias: bool | str = "mlp_bias"
    query_norm: Literal["head", "all", "each"] | None = None
    tied: bool = False
    positions: int | None = None
    embedding_norm: bool = False
    head_bias: bool = False
    windowed: Literal["all", "alternate", "pattern", "late", "early", "unrotated"] | None = None
    expert_bias: bool = False
    head_dim: int | None = None
    sinks: bool = False
    final_norm: bool = True


OLD = Style(
    gated=False, norm=2, qkv_bias=True, out_bias=True, mlp_bias=True, tied=True, positions=0
)
"""GPT-2: layer norm, biases everywhere, learned positions."""
NO_BIAS = Style(qkv_bias=False, out_bias=False, mlp_bias=False)

STYLES: dict[str, Style] = {
    "llama": Style(),
    "mistral": Style(qkv_bias=False, out_bias=False, mlp_bias=False, windowed="all"),
    "mixtral": Style(qkv_bias=False, out_bias=False, mlp_bias=False, windowed="all"),
    "qwen2": Style(qkv_bias=True, out_bias=False, mlp_bias=False, windowed="late"),
    "qwen2_moe": Style(qkv_bias=True, out_bias=False, mlp_bias=False, windowed="early"),
    "qwen3": Style(mlp_bias=False, query_norm="head", windowed="late"),
    "qwen3_moe": Style(mlp_bias=False, query_norm="head", windowed="all"),
    "smollm3": Style(tied=True, windowed="unrotated"),
    "ernie4_5": Style(qkv_bias="use_bias", out_bias="use_bias", mlp_bias="use_bias", tied=True),
    "seed_oss": Style(out_bias="attention_out_bias", head_dim=128),
    "granite": Style(),
    "granitemoe": Style(mlp_bias=False),
    "olmo": Style(norm=0, mlp_bias=False),
    "olmo2": Style(mlp_bias=False, query_norm="all"),
    "olmo3": Style(mlp_bias=False, query_norm="all", windowed="pattern"),
    "olmoe": Style(mlp_bias=False, query_norm="all"),
    "gemma": Style(mlp_bias=False, tied=True, head_dim=256),
    "gemma2": Style(mlp_bias=False, tied=True, norms=4, head_dim=256, windowed="alternate"),
    "gemma3_text": Style(
        mlp_bias=False, tied=True, norms=4, head_dim=256, query_norm="head", windowed="pattern"
    ),
    "glm": Style(out_bias=False, mlp_bias=False, head_dim=128),
    "glm4": Style(out_bias=False, mlp_bias=False, head_dim=128, norms=4),
    "glm4_moe": Style(out_bias=False, mlp_bias=False),
    "phi3": replace(NO_BIAS, windowed="all"),
    "phi": Style(
        gated=False, norm=2, norms=1, qkv_bias=True, out_bias=True, mlp_bias=True, head_bias=True
    ),
    "stablelm": Style(norm=2, qkv_bias="use_qkv_bias", out_bias=False, mlp_bias=False),
    "cohere": Style(norms=1, mlp_bias=False, tied=True),
    "cohere2": Style(norms=1, mlp_bias=False, tied=True, windowed="pattern"),
    "starcoder2": Style(
        gated=False,
        norm=2,
        qkv_bias="use_bias",
        out_bias="use_bias",
        mlp_bias="use_bias",
        tied=True,
        windowed="all",
    ),
    "gpt_oss": Style(
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        expert_bias=True,
        windowed="alternate",
        sinks=True,
        head_dim=64,
    ),
    "gpt2": OLD,
    "gpt_bigcode": OLD,
    "gpt_neo": Style(
        gated=False, norm=2, qkv_bias=False, out_bias=True, mlp_bias=True, tied=True, positions=0
    ),
    "gpt_neox": Style(
        gated=False,
        norm=2,
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        mlp_bias=True,
    ),
    "gptj": Style(
        gated=False, norm=2, norms=1, qkv_bias=False, out_bias=False, mlp_bias=True, head_bias=True
    ),
    "opt": Style(
        gated=False,
        norm=2,
        qkv_bias="enable_bias",
        out_bias="enable_bias",
        mlp_bias="enable_bias",
        tied=True,
        positions=2,
    ),
    "bloom": Style(
        gated=False,
        norm=2,
        qkv_bias=True,
        out_bias=True,
        mlp_bias=True,
        tied=True,
        embedding_norm=True,
    ),
    "falcon": Style(
        gated=False, norm=2, qkv_bias="bias", out_bias="bias", mlp_bias="bias", tied=True
    ),
    "mpt": Style(gated=False, norm=1, qkv_bias=False, out_bias=False, mlp_bias=False, tied=True),
    "deepseek_v2": Style(),
    "deepseek_v3": Style(mlp_bias=False),
    "kimi_k2": Style(mlp_bias=False),
    "mamba": Style(norms=1, tied=True),
    "falcon_mamba": Style(norms=1, tied=True),
    "jamba": Style(qkv_bias=False, out_bias=False, mlp_bias=False),
    "qwen3_next": Style(query_norm="head", mlp_bias=False),
}

ENTRIES_ON_BY_DEFAULT = frozenset(
    {"enable_bias", "use_bias", ("gpt_neox", "attention_bias"), ("gpt_oss", "attention_bias")}
)
"""Biases that a configuration has unless it says no: in all families, or in one."""
SAME = {
    "codegen": "gptj",
    "exaone4": "qwen3",
    "gemma3": "gemma3_text",
    "qwen2_vl": "qwen2",
    "qwen2_vl_text": "qwen2",
    "qwen2_5_vl": "qwen2",
    "qwen2_5_vl_text": "qwen2",
    "qwen3_vl": "qwen3",
    "qwen3_vl_text": "qwen3",
    "qwen3_vl_moe": "qwen3_moe",
    "qwen3_vl_moe_text": "qwen3_moe",
    "gpt-sw3": "gpt2",
    "minimax_m2": "olmoe",
    "ministral3": "mistral",
    "qwen3_5_text": "qwen3_next",
    "youtu": "deepseek_v3",
}
"""Families with the layers of another one."""

REFUSED = {
    "bert": "an encoder",
    "roberta": "an encoder",
    "distilbert": "an encoder",
    "xlm-roberta": "an encoder",
    "electra": "an encoder",
    "albert": "an encoder",
    "deberta": "an encoder",
    "deberta-v2": "an encoder",
    "modernbert": "an encoder",
    "t5": "an encoder with a decoder",
    "mt5": "an encoder with a decoder",
    "bart": "an encoder with a decoder",
    "mbart": "an encoder with a decoder",
    "pegasus": "an encoder with a decoder",
    "marian": "an encoder with a decoder",
    "whisper": "a model of speech",
    "wav2vec2": "a model of speech",
    "vit": "a model of pictures",
    "clip": "a model of pictures",
    "siglip": "a model of pictures",
    "swin": "a model of pictures",
    "convnext": "a model of pictures",
    "resnet": "a model of pictures",
}
"""Families that are no decoder-only language models."""
