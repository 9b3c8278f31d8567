"""Which layers of a model have which attention and which feed-forward part."""

from __future__ import annotations

from itertools import groupby

from workbench.planner.architecture import Block, FeedForward, Mixer
from workbench.planner.architectures import attention as mixers
from workbench.planner.architectures.feed_forward import dense, experts
from workbench.planner.architectures.fields import Fields
from workbench.planner.architectures.style import Style

LATENT = frozenset({"deepseek_v2", "deepseek_v3", "kimi_k2"})
SCANS = frozenset({"mamba", "falcon_mamba"})
MOST_LAYERS = 10_000
"""No model has more layers; a larger number is a mistake."""
PATTERNS = {"gemma3_text": 6, "cohere2": 4, "olmo3": 4}
"""Each n-th layer of these families reads the complete context."""


def blocks(fields: Fields, style: Style) -> tuple[Block, ...]:
    """Return the layers in order; equal neighbors share a block."""
    count = fields.size("num_hidden_layers", most=MOST_LAYERS)
    rows = [
        (_mixer(fields, style, i, count), _feed_forward(fields, style, i)) for i in range(count)
    ]
    norms = _norms(fields, style)
    return tuple(
        Block(len(list(group)), mixer, feed_forward, norms, style.norms)
        for (mixer, feed_forward), group in groupby(rows)
    )


def _norms(fields: Fields, style: Style) -> int:
    """Return the elements of the norms of a layer."""
    number = style.norms
    if fields.family == "falcon":
        number = _falcon_norms(fields)
    if fields.family == "stablelm" and fields.flag("use_parallel_residual", default=False):
        number = 1
    return number * style.norm * fields.size("hidden_size")


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
    return mixers.with_window(mixer, _window(fields, style, index, types))


def _window(fields: Fields, style: Style, index: int, types: list[str] | None) -> int | None:
    """Return how many tokens a layer reads, or None for all."""
    if fields.family == "gpt_neo":
        kinds = [kind for kinds, times in _neo_types(fields) for kind in kinds * times]
        local = bool(kinds) and kinds[index % len(kinds)] == "local"
        return fields.size("window_size", 256) if local else None
    if not fields.get("sliding_window"):
        return None
    if types:
        is_windowed = types[index] in {"sliding_attention", "chunked_attention"}
    elif style.windowed == "pattern":
        period = fields.size("sliding_window_pattern", PATTERNS[fields.family])
        is_windowed = (index + 1) % period != 0
    elif style.windowed:
        is_windowed = style.windowed == "all" or index % 2 == 0
    else:
        is_windowed = fields.flag("use_sliding_window", default=False)
        is_windowed = is_windowed and index >= fields.size("max_window_layers", 28, 0)
    return fields.size("sliding_window") if is_windowed else None


def _neo_types(fields: Fields) -> list[tuple[list[str], int]]:
    value = fields.get("attention_types") or [[["global", "local"], 12]]
    return [(list(kinds), int(times)) for kinds, times in value]


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
