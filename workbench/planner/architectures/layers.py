"""Which layers of a model have which attention and which feed-forward part."""

from __future__ import annotations

from collections import Counter

from workbench.planner.architecture import Block, FeedForward, Mixer
from workbench.planner.architectures import attention as mixers
from workbench.planner.architectures.feed_forward import dense, experts
from workbench.planner.architectures.fields import Fields
from workbench.planner.architectures.style import Style
from workbench.planner.architectures.windows import window

LATENT = frozenset({"deepseek_v2", "deepseek_v3", "kimi_k2"})
SCANS = frozenset({"mamba", "falcon_mamba"})
MOST_LAYERS = 10_000
"""No model has more layers; a larger number is a mistake."""


def blocks(fields: Fields, style: Style) -> tuple[Block, ...]:
    """Return the layers, equal ones as one block; their order makes no difference to a plan."""
    count = fields.size("num_hidden_layers", most=MOST_LAYERS)
    rows = [
        (_mixer(fields, style, i, count), _feed_forward(fields, style, i)) for i in range(count)
    ]
    norms = _norms(fields, style)
    return tuple(
        Block(number, mixer, feed_forward, norms, style.norms)
        for (mixer, feed_forward), number in Counter(rows).items()
    )


def _norms(fields: Fields, style: Style) -> int:
    """Return the elements of the norms of a layer."""
    number = style.norms
    if fields.family == "falcon":
        number = _falcon_norms(fields)
    if fields.family == "stablelm" and fields.flag("use_parallel_residual", default=False):
        number = 1
    return number * norm_elements(fields, style) * fields.size("hidden_size")


def norm_elements(fields: Fields, style: Style) -> int:
    """Return the elements of a norm per channel."""
    has_weights = fields.flag("layer_norm_elementwise_affine", default=True)
    return style.norm if has_weights or fields.family != "opt" else 0


def _falcon_norms(fields: Fields) -> int:
    if fields.flag("new_decoder_architecture", default=False):
        return fields.size("num_ln_in_parallel_attn", 2)
    return 1 if fields.flag("parallel_attn", default=True) else 2


def _mixer(fields: Fields, style: Style, index: int, count: int) -> Mixer:
    if fields.family in SCANS:
        return mixers.selective_scan(fields)
    if fields.family in LATENT:
        return mixers.latent(fields, style)
    if fields.family == "jamba":
        period, offset = fields.size("attn_layer_period", 8), fields.size("attn_layer_offset", 4, 0)
        if index % period != offset:
            return mixers.selective_scan(fields)
    types = fields.names("layer_types", count)
    if fields.family == "qwen3_next":
        interval = fields.size("full_attention_interval", 4)
        is_linear = types[index] == "linear_attention" if types else bool((index + 1) % interval)
        if is_linear:
            return mixers.gated_delta(fields)
    mixer = mixers.attention(fields, style)
    return mixers.with_window(mixer, window(fields, style, index, types))


def _feed_forward(fields: Fields, style: Style, index: int) -> FeedForward:
    if fields.family in SCANS:
        return FeedForward()
    return experts(fields, style) if _has_experts(fields, index) else dense(fields, style)


def _has_experts(fields: Fields, index: int) -> bool:
    if fields.get("experts") is None:
        return False
    if fields.family == "jamba":
        period, offset = (
            fields.size("expert_layer_period", 2),
            fields.size("expert_layer_offset", 1, 0),
        )
        return fields.size("experts") > 1 and index % period == offset
    if fields.family in {*LATENT, "glm4_moe"}:
        return index >= fields.size("first_k_dense_replace", 0, 0)
    if fields.family in {"qwen2_moe", "qwen3_moe", "qwen3_next"}:
        step = fields.size("decoder_sparse_step", 1)
        dense_layers = fields.get("mlp_only_layers") or []
        return index not in dense_layers and (index + 1) % step == 0
    return True
