"""Feed-forward layers of a configuration: dense, or experts of which a token uses some."""

from __future__ import annotations

from workbench.planner.architecture import FeedForward, Matrix
from workbench.planner.architectures.attention import bias
from workbench.planner.architectures.fields import Fields
from workbench.planner.architectures.style import Style

FIXED_WIDTH = {"falcon": "ffn_hidden_size", "bloom": "ffn_hidden_size", "mpt": "ffn_hidden_size"}
"""Families that ignore an entry `intermediate_size`."""


def dense(fields: Fields, style: Style) -> FeedForward:
    """Return the matrices that every token uses."""
    hidden = fields.size("hidden_size")
    name = FIXED_WIDTH.get(fields.family, "intermediate_size")
    width = fields.size(name, default_width(fields, hidden))
    with_bias = bias(fields, style.mlp_bias)
    return FeedForward(_matrices(hidden, width, style.gated, with_bias), gated=style.gated)


def default_width(fields: Fields, hidden: int) -> int | None:
    """Return the width of families whose configurations may leave it out, or None."""
    if fields.family == "mpt":
        return hidden * fields.size("expansion_ratio", 4)
    if fields.family in {"gpt2", "gpt_bigcode", "gpt_neo", "gptj", "bloom", "falcon"}:
        return 4 * hidden
    return None


def experts(fields: Fields, style: Style) -> FeedForward:
    """Return a router, its experts and, where the family has them, shared ones."""
    hidden = fields.size("hidden_size")
    count, active = fields.size("experts"), fields.size("num_experts_per_tok", 2)
    width = fields.size("moe_intermediate_size", fields.size("intermediate_size"))
    shared: tuple[Matrix, ...] = ()
    router = [Matrix(hidden, count, style.expert_bias)]
    if fields.family in {"deepseek_v2", "deepseek_v3", "kimi_k2", "glm4_moe"}:
        number = fields.size("n_shared_experts", 1, least=0)
        if number:
            with_bias = bias(fields, style.mlp_bias)
            shared = _matrices(hidden, number * width, gated=True, with_bias=with_bias)
    elif fields.family in {"qwen2_moe", "qwen3_next"}:
        common = fields.size("shared_expert_intermediate_size")
        shared = _matrices(hidden, common, gated=True, with_bias=False)
        router.append(Matrix(hidden, 1))
    return FeedForward(
        _matrices(hidden, width, gated=True, with_bias=style.expert_bias),
        shared,
        tuple(router),
        experts=count,
        active=min(active, count),
        gated=True,
    )


def _matrices(hidden: int, width: int, gated: bool, with_bias: bool) -> tuple[Matrix, ...]:
    enter = Matrix(hidden, width, with_bias)
    return (enter,) * (2 if gated else 1) + (Matrix(width, hidden, with_bias),)
