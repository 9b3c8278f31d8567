"""Attention layers and recurrences of a configuration."""

from __future__ import annotations

from dataclasses import replace
from math import ceil

from workbench.errors import InputError
from workbench.planner.architecture import Matrix, Mixer
from workbench.planner.architectures.fields import Fields
from workbench.planner.architectures.style import ENTRIES_ON_BY_DEFAULT, Style


def bias(fields: Fields, value: bool | str, default: bool = False) -> bool:
    """Return whether a layer has a bias: `value`, or the entry of that name."""
    if isinstance(value, str):
        on = value in ENTRIES_ON_BY_DEFAULT or (fields.family, value) in ENTRIES_ON_BY_DEFAULT
        return fields.flag(value, default or on)
    return value


def attention(fields: Fields, style: Style) -> Mixer:
    """Return attention with `num_key_value_heads` groups of query heads.

    Raises
    ------
    InputError
        If the heads do not divide as they must.
    """
    hidden, heads = fields.size("hidden_size"), fields.size("num_attention_heads")
    groups = kv_heads(fields, heads)
    given = fields.get("head_dim")
    if given is None and style.head_dim is None and hidden % heads:
        raise InputError(
            f"hidden_size {hidden:,} must be a multiple of num_attention_heads {heads}, "
            "or the configuration must have head_dim.",
            code="plan.config_heads",
        )
    size = fields.size("head_dim", style.head_dim or hidden // heads)
    if heads % groups:
        raise InputError(
            f"num_attention_heads {heads} must be a multiple of num_key_value_heads {groups}.",
            code="plan.config_heads",
        )
    enter = bias(fields, style.qkv_bias, default=fields.family in {"glm", "glm4"})
    query_width = heads * size * (2 if fields.family == "qwen3_next" else 1)  # with a gate
    extra = {
        None: 0,
        "head": 2 * size * (2 if fields.family == "phi" else 1),  # with biases
        "all": (heads + groups) * size,
        "each": (heads + groups) * size,
    }[query_norm(fields, style)]
    return Mixer(
        "attention",
        (
            Matrix(hidden, query_width, enter),
            Matrix(hidden, groups * size, enter),
            Matrix(hidden, groups * size, enter),
            Matrix(heads * size, hidden, bias(fields, style.out_bias)),
        ),
        heads=heads,
        kv_heads=groups,
        key_dim=size,
        value_dim=size,
        cached=2 * groups * size,
        extra=extra + (heads if style.sinks else 0),
    )


def query_norm(fields: Fields, style: Style) -> str | None:
    """Return which norms queries and keys have."""
    if style.query_norm:
        return style.query_norm
    if fields.flag("use_qk_norm", default=False):
        return "head" if fields.family == "glm4_moe" else "each"
    if fields.flag("qk_layernorm", default=False):
        return "each" if fields.family == "stablelm" else "head"
    return None


def kv_heads(fields: Fields, heads: int) -> int:
    """Return the number of heads of keys and values."""
    if fields.family == "falcon":
        if fields.flag("new_decoder_architecture", default=False):
            return fields.size("num_key_value_heads", heads)
        return 1 if fields.flag("multi_query", default=True) else heads
    if fields.family == "gpt_bigcode":
        return 1 if fields.flag("multi_query", default=True) else heads
    return fields.size("num_key_value_heads", heads)


def latent(fields: Fields, style: Style) -> Mixer:
    """Return multi-head latent attention: one latent vector and one rotary key are cached.

    DeepSeek-AI, "DeepSeek-V2", arXiv 2405.04434.
    """
    hidden, heads = fields.size("hidden_size"), fields.size("num_attention_heads")
    rank, rotary = fields.size("kv_lora_rank"), fields.size("qk_rope_head_dim")
    inner, value = fields.size("qk_nope_head_dim"), fields.size("v_head_dim")
    with_bias = bias(fields, style.qkv_bias)
    matrices = [
        Matrix(hidden, rank + rotary, with_bias),
        Matrix(rank, heads * (inner + value)),
        Matrix(heads * value, hidden, with_bias),
    ]
    extra = rank
    if fields.get("q_lora_rank") is None:
        matrices.append(Matrix(hidden, heads * (inner + rotary)))
    else:
        query_rank = fields.size("q_lora_rank")
        matrices += [
            Matrix(hidden, query_rank, with_bias),
            Matrix(query_rank, heads * (inner + rotary)),
        ]
        extra += query_rank
    return Mixer(
        "latent",
        tuple(matrices),
        heads=heads,
        kv_heads=heads,
        key_dim=inner + rotary,
        value_dim=value,
        cached=rank + rotary,
        extra=extra,
    )


def selective_scan(fields: Fields, prefix: str = "") -> Mixer:
    """Return a Mamba layer: a convolution and a selective scan.

    Gu and Dao, "Mamba", arXiv 2312.00752.
    """
    jamba = fields.family == "jamba"
    hidden = fields.size("hidden_size")
    expand = fields.size("mamba_expand" if jamba else "expand", 2)
    inner = hidden * expand if jamba else fields.size("intermediate_size", hidden * expand)
    state = fields.size("mamba_d_state" if jamba else "state_size", 16)
    kernel = fields.size("mamba_d_conv" if jamba else "conv_kernel", 4)
    rank_name = "mamba_dt_rank" if jamba else "time_step_rank"
    automatic = fields.get(rank_name) in {None, "auto"}
    rank = ceil(hidden / 16) if automatic else fields.size(rank_name)
    projection = fields.flag("mamba_proj_bias" if jamba else "use_bias", default=False)
    with_bias = fields.flag("mamba_conv_bias" if jamba else "use_conv_bias", default=True)
    extra = inner * kernel + (inner if with_bias else 0) + inner * state + inner
    return Mixer(
        "recurrence",
        (
            Matrix(hidden, 2 * inner, projection),
            Matrix(inner, rank + 2 * state),
            Matrix(rank, inner, bias=True),
            Matrix(inner, hidden, projection),
        ),
        state=inner * (state + kernel),
        extra=extra + (rank + 2 * state if jamba else 0),
    )


def gated_delta(fields: Fields) -> Mixer:
    """Return a gated delta rule layer, as in Qwen3-Next.

    Yang et al., "Gated Delta Networks", arXiv 2412.06464.
    """
    hidden = fields.size("hidden_size")
    keys, values = (
        fields.size("linear_num_key_heads", 16),
        fields.size("linear_num_value_heads", 32),
    )
    key, value = fields.size("linear_key_head_dim", 128), fields.size("linear_value_head_dim", 128)
    kernel = fields.size("linear_conv_kernel_dim", 4)
    channels = 2 * keys * key + values * value
    return Mixer(
        "recurrence",
        (
            Matrix(hidden, 2 * keys * key + 2 * values * value),
            Matrix(hidden, 2 * values),
            Matrix(values * value, hidden),
        ),
        state=values * key * value + channels * kernel,
        extra=channels * kernel + 2 * values + value,
    )


def with_window(mixer: Mixer, window: int | None) -> Mixer:
    """Return `mixer` that reads at most `window` tokens."""
    return replace(mixer, window=window) if mixer.heads else mixer
