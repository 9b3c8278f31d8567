"""Modules composed at random from blocks, as Hypothesis draws them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from tests.field.blocks import BLOCKS, FLAWS, MAP, PLACES, ROW, Entry
from tests.field.check import Subject
from tests.field.data import CLASSES, WORDS, splits, task_of
from tests.field.kind import balanced
from tests.field.kinds.outputs import ModelOutput, NamedOutput, Output

WIDTHS = (4, 6, 8)
STARTS = ("pictures", "signals", "sequences", "points", "words", "two numbers")
RETURNS = {
    "tensor": lambda logits, hidden: logits,
    "tuple": lambda logits, hidden: (logits, hidden),
    "dict": lambda logits, hidden: {"hidden": hidden, "logits": logits},
    "named tuple": lambda logits, hidden: NamedOutput(hidden, logits),
    "dataclass": Output,
    "model output": lambda logits, hidden: ModelOutput(logits=logits, hidden=hidden),
}
AROUND = (
    "nothing",
    "nothing",
    "nothing",
    "DataParallel",
    "inference mode",
    "frozen",
    "channels last",
)
FLAWED, AGAIN = 0.05, 0.12
"""The shares of compositions that have a flaw, and that repeat their first block."""


@dataclass(frozen=True)
class Plan:
    """What a module is composed of: data, width, blocks in order, and what is around them."""

    start: str
    width: int
    blocks: tuple[str, ...]
    skips: int
    again: bool
    returns: str
    around: str
    seed: int

    def entries(self) -> list[Entry]:
        """Return the blocks' entries."""
        return [(BLOCKS | FLAWS)[name] for name in self.blocks]

    @property
    def refused(self) -> str:
        """The pattern of the sentence with which it must be refused; empty where it must not."""
        return "|".join(entry.refused for entry in self.entries() if entry.refused)

    def build(self) -> nn.Module:
        """Return the module: always the same weights."""
        return balanced(partial(_made, self), self.start)

    def subject(self) -> Subject:
        """Return the module with its data."""
        data, task = splits(self.start), task_of(self.start)
        untrained = "grad|frozen" if self.around == "frozen" else ""
        return Subject(self.build(), self.build_plain, data, task, "composed", untrained)

    def build_plain(self) -> nn.Module:
        """Return the network without its wrapper, whose names are those in a file."""
        module = self.build()
        return module.module if isinstance(module, nn.DataParallel) else module


@st.composite
def plans(draw: Any) -> Plan:
    """Draw what a module is composed of.

    Hypothesis varies a few choices of earlier examples, which would compose much the same modules
    again and again; so it draws the number of blocks, and a seed that chooses everything else.
    """
    count, seed = draw(st.integers(1, 4)), draw(st.integers(0, 2**32 - 1))
    chance = Random(seed)
    names = [chance.choice(sorted(BLOCKS)) for _ in range(count)]
    if chance.random() < FLAWED:
        names.append(chance.choice(sorted(FLAWS)))
    return Plan(
        start=chance.choice(STARTS),
        width=chance.choice(WIDTHS),
        blocks=tuple(names),
        skips=chance.randrange(16),
        again=chance.random() < AGAIN,
        returns=chance.choice(sorted(RETURNS)),
        around=chance.choice(AROUND),
        seed=chance.randrange(1000),
    )


def _made(plan: Plan) -> nn.Module:
    torch.manual_seed(plan.seed)
    with torch.inference_mode(plan.around == "inference mode"):
        module: nn.Module = Composed(plan)
    if plan.around == "DataParallel":
        module = nn.DataParallel(module)
    if plan.around == "channels last":
        module = module.to(memory_format=torch.channels_last)
    if plan.around == "frozen":
        for layer in list(module.blocks)[:1]:
            layer.requires_grad_(requires_grad=False)
    return module


class Composed(nn.Module):
    """A stem, blocks one after the other, some with a skip, and a head."""

    def __init__(self, plan: Plan):
        super().__init__()
        width = plan.width
        self.stem, self.form = _stem(plan.start, width)
        self.blocks = nn.ModuleList(entry.make(width) for entry in plan.entries())
        self.takes = [entry.takes for entry in plan.entries()]
        if plan.again:  # the first block comes once more, with the same weights
            self.blocks.append(self.blocks[0])
            self.takes.append(self.takes[0])
        self.skips, self.returned = plan.skips, RETURNS[plan.returns]
        numbers = task_of(plan.start) == "numbers"
        self.head = nn.Linear(width, 2 if numbers else CLASSES)

    def forward(self, x: Tensor) -> Any:
        x, form = self.stem(x), self.form
        for at, (block, takes) in enumerate(zip(self.blocks, self.takes, strict=True)):
            x, form = turned(x, form, takes), takes
            x = x + block(x) if self.skips >> at & 1 else block(x)
        hidden = turned(x, form, ROW)
        return self.returned(self.head(hidden), hidden)


def _stem(start: str, width: int) -> tuple[nn.Module, str]:
    """Return the first layer for data of a form, and the form of what it gives."""
    if start == "pictures":
        return nn.Conv2d(3, width, 3, stride=2, padding=1), MAP
    if start == "signals":
        return nn.Sequential(nn.Unflatten(1, (2, 1)), nn.Conv2d(2, width, (1, 3))), MAP
    if start == "words":
        return nn.Embedding(WORDS, width), PLACES
    return nn.Linear(8, width), PLACES if start == "sequences" else ROW


def turned(x: Tensor, form: str, wanted: str) -> Tensor:
    """Return features of one form as another."""
    return TURNS[form, wanted](x)


def _as_it_is(x: Tensor) -> Tensor:
    return x


TURNS = {
    (MAP, MAP): _as_it_is,
    (PLACES, PLACES): _as_it_is,
    (ROW, ROW): _as_it_is,
    (MAP, PLACES): lambda x: x.flatten(2).transpose(1, 2),
    (MAP, ROW): lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
    (PLACES, MAP): lambda x: x.transpose(1, 2).unsqueeze(-1).contiguous(),
    (PLACES, ROW): lambda x: x.mean(1),
    (ROW, PLACES): lambda x: torch.stack([x, x.roll(1, 1), -x], 1),
    (ROW, MAP): lambda x: torch.stack([x, x.flip(1), -x, 2 * x.roll(1, 1)], 2).unflatten(2, (2, 2)),
}
"""How features of one form become those of another."""


def sample_plans(count: int) -> list[Plan]:
    """Return plans as Hypothesis draws them, always the same."""
    found: list[Plan] = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None)
    @given(plans())
    def draw(plan: Plan) -> None:
        found.append(plan)

    draw()
    return found
