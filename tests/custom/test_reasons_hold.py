"""Each reason's condition, and each of its numbers, counted again on the file by other code."""

from __future__ import annotations

import sys
from dataclasses import replace
from math import prod
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from workbench.evaluation.measure import measure_size
from workbench.recipe.schema import specs

sys.path.insert(0, str(Path(__file__).parents[1] / "artifact"))
from reader import read

EXAMPLES = 24
FEATURES = 12
DRAWN = 14
"""Recipes for each model."""
NOT_OF_WEIGHTS = {
    *("channels", "few-channels", "few-multiples", "no-channels", "no-layers", "norms-between"),
    *("no-norms", "norms-stay", "norms-as-they-were", "biases-as-they-were", "uneven"),
    "none-even",
    *("masks-folded", "float32-only", "inputs-bypassed"),
    *("kind-whole", "mixed-whole", "fails-whole", "unseen-whole", "not-followed"),
}
"""Kinds about channels, adjustments and how a module runs, which have tests of their own."""


class Plain(nn.Module):
    """Two layers."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(FEATURES, 16), nn.Linear(16, 3)

    def forward(self, x):
        return self.last(torch.relu(self.first(x.flatten(1))))


class Buffered(Plain):
    """With tensors beside its parameters that are no layers, whatever they hold."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.ones(40, 40).tril().bool())
        self.register_buffer("index", torch.zeros(30, 30, dtype=torch.long))
        self.register_buffer("table", torch.zeros(20, 12))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x):
        return super().forward(x + self.table[0])


class Counted(Plain):
    """With parameters that nothing compresses."""

    def __init__(self):
        super().__init__()
        self.still = nn.Parameter(torch.ones(9), requires_grad=False)
        self.nobody = nn.Parameter(torch.zeros(0, 7))


class Scaled(nn.Module):
    """Only parameters of one axis."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.rand(3)), nn.Parameter(torch.rand(3))

    def forward(self, x):
        return x[:, :3] * self.scale + self.shift


class Words(nn.Module):
    """An embedding alone, which multiplies nothing."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(20, 3)

    def forward(self, x):
        return self.table(x).mean(1)


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.wide, self.last = nn.Conv2d(6, 40, 3, padding=1), nn.Linear(40, 3)

    def forward(self, x):
        x = self.wide(torch.relu(self.norm(self.conv(x.view(-1, 3, 2, 2)))))
        return self.last(torch.relu(x).mean((2, 3)))


def changed(change):
    """Return a module whose weights of two axes are those that `change` makes of others."""
    module = Plain()
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim > 1:
                parameter.copy_(change(parameter))
    return module


def half_zero(weight):
    return weight * (weight.abs() >= weight.abs().median())


def ternary(weight):
    return weight.sign() * (weight.abs() > weight.abs().mean()) / 4


def one_zero_layer():
    module = Plain()
    with torch.no_grad():
        module.first.weight.zero_()
    return module


MODELS = {
    "plain": Plain,
    "half zero": lambda: changed(half_zero),
    "ternary": lambda: changed(ternary),
    "constant": lambda: changed(lambda weight: torch.full_like(weight, 0.25)),
    "signs": lambda: changed(torch.sign),
    "zero layer": one_zero_layer,
    "tiny": lambda: nn.Sequential(nn.Linear(FEATURES, 3)),
    "bare": lambda: nn.Linear(FEATURES, 3),
    "large": lambda: nn.Sequential(nn.Linear(FEATURES, 400), nn.ReLU(), nn.Linear(400, 3)),
    "buffers": Buffered,
    "other parameters": Counted,
    "one axis": Scaled,
    "words": Words,
    "pictures": Pictures,
    "half": lambda: Plain().bfloat16(),
}


@pytest.fixture
def brought(threads):
    def bring(kind):
        lot = torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        module = MODELS[kind]()
        inputs = torch.randn(EXAMPLES, FEATURES, generator=lot)
        if kind == "words":
            inputs = torch.randint(0, 20, (EXAMPLES, 5), generator=lot)
        if kind == "half":
            inputs = inputs.bfloat16()
        data = inputs, torch.randint(0, 3, (EXAMPLES,), generator=lot)
        return wb.from_module(module, train=data, validation=data, test=data, name="one")

    return bring


class Facts:
    """What a file holds, read by other code than ours, beside the module that it was made from."""

    def __init__(self, model, artifact):
        self.blob = artifact.to_bytes()
        self.decoded, self.header = read(self.blob)
        self.model, self.recipe, self.size = model, artifact.recipe, measure_size(model, artifact)
        self.rows = {row.name: row for row in self.size.ledger.rows}
        self.entries = self.header["tensors"]
        self.module = model.architecture.module
        self.own = {
            name: tensor.detach().float().numpy() if tensor.is_floating_point() else tensor.numpy()
            for name, tensor in self.module.state_dict().items()
        }
        self.layers = [
            name
            for name, parameter in self.module.named_parameters()
            if parameter.ndim > 1 and parameter.is_floating_point() and parameter.numel()
        ]
        self.total = sum(self.decoded[name].size for name in self.layers)
        self.same_shapes = all(self.decoded[n].shape == self.own[n].shape for n in self.layers)
        self.container = len(self.blob) - sum(row.total for row in self.rows.values())

    def zeros(self, name):
        return int((self.decoded[name] == 0).sum())

    @property
    def achieved(self):
        return sum(map(self.zeros, self.layers)) / self.total if self.total else 0.0

    def asked(self, name):
        prune = self.recipe.prune
        if prune is None or name in prune.exclude:
            return 0.0
        return prune.layers.get(name, 0.0 if prune.scope == "layer" else prune.sparsity)

    @property
    def requested(self):
        asked = sum(self.asked(name) * self.decoded[name].size for name in self.layers)
        return asked / self.total if self.total else 0.0

    def rows_of(self, name):
        """The matrix over which patterns lie: input channels side by side."""
        weight = self.decoded[name]
        return np.moveaxis(weight, 1, -1).reshape(len(weight), -1)

    @property
    def made(self):
        """How many weights the masks take, counted run by run, or block by block in the file."""
        prune, width = self.recipe.prune, self.recipe.prune.width
        chosen = [name for name in self.layers if self.asked(name)]
        if prune.pattern == "free":
            shared = [n for n in chosen if n not in prune.layers and prune.scope != "uniform"]
            alone = [n for n in chosen if n not in shared]
            pool = sum(self.decoded[n].size for n in shared)
            return round(prune.sparsity * pool) + sum(
                round(self.asked(n) * self.decoded[n].size) for n in alone
            )
        count = 0
        for name in chosen:
            rows = self.rows_of(name)
            for row in rows if prune.pattern == "n:m" else ():
                for at in range(0, len(row), width):
                    run = len(row[at : at + width])
                    count += min(round(self.asked(name) * run), run - 1)
            for top in range(0, len(rows), width) if prune.pattern == "block" else ():
                for left in range(0, rows.shape[1], width):
                    block = rows[top : top + width, left : left + width]
                    count += 0 if block.any() else block.size
        return count

    def stays(self, name):
        """Whether a layer's values are stored as float32, whole or without its zeros."""
        entry = self.entries[name]
        wide = entry.get("dtype", "f32") == "f32"
        return wide and not {"bits", "shared", "factors"} & set(entry)

    def parts(self, name):
        return self.entries[name].get("factors", [self.entries[name]])

    @property
    def takes_inputs(self):
        return [
            f"{path}.weight"
            for path, layer in self.module.named_modules()
            if path and isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
        ]

    def by_row(self, name):
        """Whether a layer's weights are codes with one scale for each of its outputs."""
        entry = self.entries[name]
        return "bits" in entry and self.rows[name].scales in {
            scale * many for scale in (4, 5) for many in (1, self.decoded[name].shape[0])
        }


def near(one, other):
    return abs(one - other) < 1e-9


def of_all(facts, numbers):
    return near(numbers["asked_share"], facts.requested) and (
        "got_share" not in numbers or near(numbers["got_share"], facts.achieved)
    )


def emptied(facts, layer, numbers):
    prune = facts.recipe.prune
    pruned = facts.asked(layer) and layer not in prune.layers and prune.scope != "adaptive"
    shared = "shared" in facts.entries[layer] and facts.recipe.share.method == "k-means"
    return pruned and (facts.stays(layer) or shared) and all_zero(facts, layer, numbers)


def all_zero(facts, layer, numbers):
    return not facts.decoded[layer].any() and facts.own[layer].any()


def dense_kept(facts, layer, numbers):
    row, entry = facts.rows[layer], facts.entries[layer]
    dense = not {"bitmap", "gaps", "runs", "blocks"} & set(entry)
    share = facts.zeros(layer) / facts.decoded[layer].size
    written = row.values + row.tables + row.plain
    return (
        dense and facts.asked(layer) and near(numbers["zeros"], share)
        and numbers["dense"] == written < numbers["sparse"]
    )  # fmt: skip


def index_heavy(facts, layer, numbers):
    row = facts.rows[layer]
    taken = {"indices": row.indices, "values": row.values + row.plain}
    return numbers == taken and taken["indices"] > taken["values"]


def scales_heavy(facts, layer, numbers):
    several = any("bits" in part for part in facts.parts(layer)) and facts.rows[layer].scales > 5
    return several and heavy(facts, layer, numbers)


def codebook_heavy(facts, layer, numbers):
    several = any(part["shared"][0] > 1 for part in facts.parts(layer) if "shared" in part)
    return several and heavy(facts, layer, numbers)


def codebook_long(facts, layer, numbers):
    books = [part["shared"] for part in facts.parts(layer) if "shared" in part]
    fewer = all(book[0] == 1 for book in books) and any(book[1] > 2 for book in books)
    return fewer and heavy(facts, layer, numbers)


def heavy(facts, layer, numbers):
    row = facts.rows[layer]
    return numbers == {"scales": row.scales, "bytes": row.total} and row.scales > row.total / 4


def short_groups(facts, layer, numbers):
    length = prod(facts.decoded[layer].shape[1:])
    asked = facts.recipe.quantize.group_size
    return numbers == {"asked": asked, "length": length} and length < asked


def short_runs(facts, layer, numbers):
    rows, width = facts.rows_of(layer), facts.recipe.prune.width
    fits = numbers == {"width": width, "length": rows.shape[1]}
    return fits and rows.shape[1] < width and facts.asked(layer)


def wide_blocks(facts, layer, numbers):
    rows, width = facts.rows_of(layer), facts.recipe.prune.width
    blocks = len(range(0, len(rows), width)) * len(range(0, rows.shape[1], width))
    found = {"width": width, "rows": len(rows), "length": rows.shape[1], "blocks": blocks}
    return numbers == found and min(rows.shape) < width and facts.asked(layer)


def pattern(kind):
    def holds(facts, layer, numbers):
        made = facts.made / facts.total
        fits = facts.recipe.prune.pattern == kind and near(numbers["made_share"], made)
        return fits and of_all(facts, numbers) and not near(made, facts.requested)

    return holds


def already_zero(facts, layer, numbers):
    both = sum(
        int(((facts.decoded[n] == 0) & (facts.own[n] == 0)).sum()) for n in facts.layers
    )  # fmt: skip
    more = facts.achieved > facts.requested and both > 0
    return more and of_all(facts, numbers) and near(numbers["before_share"], both / facts.total)


def rounded_to_zero(facts, layer, numbers):
    if not facts.same_shapes:  # none were zero before: all are new
        new = sum(map(facts.zeros, facts.layers))
    else:
        new = sum(
            int(((facts.decoded[n] == 0) & (facts.own[n] != 0)).sum()) for n in facts.layers
        )  # fmt: skip
    share = numbers["rounded_share"]
    rounds = facts.recipe.quantize is not None or facts.recipe.share is not None
    if facts.recipe.prune.pattern == "block":  # those of the original may be whole, too
        fits = share <= new / facts.total
    else:
        fits = near(share, (new - facts.made) / facts.total)
    return rounds and share > 0 and fits and of_all(facts, numbers)


def set_by_hand(lower):
    def holds(facts, layer, numbers):
        usual = facts.recipe.prune.sparsity
        others = [
            facts.decoded[n].size
            for n in facts.layers
            if (facts.asked(n) < usual if lower else facts.asked(n) > usual)
        ]
        found = {
            "set_share": usual,
            "asked_share": facts.requested,
            "left_share": sum(others) / facts.total,
        }
        same = (
            all(near(numbers[key], found[key]) for key in found) and numbers.keys() == found.keys()
        )
        return same and others and (facts.requested < usual) == lower

    return holds


def all_shared(facts, layer, numbers):
    return facts.recipe.quantize and all("shared" in facts.entries[n] for n in facts.layers)


def all_excluded(facts, layer, numbers):
    parts = ("prune", "factorize", "share", "quantize", "activations")
    return any(
        specs(part)[0].label == layer and {*facts.layers} <= {*part.exclude}
        for part in (getattr(facts.recipe, key) for key in parts)
        if part is not None
    )


def not_factored(facts, layer, numbers):
    rows, columns = facts.decoded[layer].shape[0], prod(facts.decoded[layer].shape[1:])
    rank, whole = numbers["rank"], rows * columns
    borders = (rank - 1) * (rows + columns) < whole <= rank * (rows + columns)
    alone = "factors" not in facts.entries[layer]
    return borders and alone and numbers["bytes"] == facts.rows[layer].total


def factored(facts, layer, numbers):
    said = dict(zip(*[iter(layer.replace(" / ", "/").replace(",", "").split())] * 2, strict=True))
    for name, ranks in said.items():
        rank, even = map(int, ranks.split("/"))
        rows, columns = facts.decoded[name].shape[0], prod(facts.decoded[name].shape[1:])
        fewer = rank * (rows + columns) < rows * columns <= even * (rows + columns)
        if not fewer or "factors" not in facts.entries[name]:
            return False
    return {*said} == {name for name in facts.layers if "factors" in facts.entries[name]}


def left_alone(facts, layer, numbers):
    untouched = facts.recipe.structure is facts.recipe.adjust is None
    same = np.array_equal(facts.decoded[layer], facts.own[layer]) if untouched else True
    found = {"bytes": facts.rows[layer].total, "file": len(facts.blob)}
    return numbers == found and same and facts.stays(layer) and not facts.asked(layer)


def rest(chosen):
    def holds(facts, layer, numbers):
        size = sum(
            row.total
            for name, row in facts.rows.items()
            if not is_layer(facts, name) and chosen(facts.entries[name]["shape"])
        )
        return numbers == {"bytes": size, "file": len(facts.blob)} and size > len(facts.blob) / 10

    return holds


def is_layer(facts, name):
    parameter = dict(facts.module.named_parameters()).get(name)
    return parameter is not None and parameter.ndim > 1 and parameter.is_floating_point()


def container(facts, layer, numbers):
    return numbers == {"bytes": facts.container, "file": len(facts.blob)}


def inputs_excluded(facts, layer, numbers):
    left = {*facts.takes_inputs} - {*facts.recipe.activations.exclude}
    return facts.takes_inputs and not left


def simulated(facts, layer, numbers):
    rounded = dict(entry[::2] for entry in facts.header["form"] if entry[0] == "round inputs")
    paths = rounded.get("round inputs", {})
    return any(facts.by_row(f"{path}.weight") for path in paths)


def length(now_is):
    def holds(facts, layer, numbers):
        now = len(facts.blob) - facts.container
        wide = sum(tensor.nbytes for tensor in facts.own.values())
        found = {
            "more": len(facts.blob) - facts.model.original_bytes,
            "now": now,
            "before": wide,
            "header": facts.container,
        }
        return numbers == found and found["more"] > 0 and now_is(now, wide)

    return holds


def wider(facts, layer, numbers):
    original = facts.model.original_bytes
    now = len(facts.blob) - facts.container
    narrow = any(t.dtype == torch.bfloat16 for t in facts.module.state_dict().values())
    return narrow and now > original == numbers["before"] and numbers["now"] == now


def speed(facts, layer, numbers):
    smaller = len(facts.blob) < facts.model.original_bytes
    return smaller and numbers == {"macs": facts.model.card["macs"]} and numbers["macs"] > 0


HOLDS = {
    "emptied": emptied,
    "all-zero": all_zero,
    "nothing": lambda facts, layer, numbers: not facts.layers,
    "dense-kept": dense_kept,
    "index-heavy": index_heavy,
    "scales-heavy": scales_heavy,
    "codebook-heavy": codebook_heavy,
    "codebook-long": codebook_long,
    "short-groups": short_groups,
    "short-runs": short_runs,
    "wide-blocks": wide_blocks,
    "one-stays": pattern("n:m"),
    "whole-blocks": pattern("block"),
    "whole-weights": pattern("free"),
    "already-zero": already_zero,
    "rounded-to-zero": rounded_to_zero,
    "less-sparse": set_by_hand(lower=True),
    "set-higher": set_by_hand(lower=False),
    "all-shared": all_shared,
    "all-excluded": all_excluded,
    "not-factored": not_factored,
    "factored": factored,
    "left-alone": left_alone,
    "container": container,
    "one-dimensional": rest(lambda shape: len(shape) < 2),
    "other-tensors": rest(lambda shape: len(shape) > 1),
    "no-inputs": lambda facts, layer, numbers: not facts.takes_inputs,
    "inputs-excluded": inputs_excluded,
    "simulated": simulated,
    "no-integers": lambda facts, layer, numbers: not facts.by_row(layer),
    "grew": length(lambda now, before: now < before),
    "not-smaller": length(lambda now, before: now == before),
    "longer-tensors": length(lambda now, before: now > before),
    "wider": wider,
    "no-faster": lambda f, layer, numbers: speed(f, layer, numbers) and f.achieved > 0,
    "decoded-first": lambda f, layer, numbers: speed(f, layer, numbers) and not all(
        map(f.stays, f.layers)
    ),
}  # fmt: skip
"""Whether a reason of each kind is true of a file."""


def check(model, recipe):
    """Return the kinds of reasons that are told of a file, each of them true."""
    facts = Facts(model, wb.compress(model, recipe))
    assert near(facts.size.sparsity_achieved, facts.achieved), recipe
    assert near(facts.size.sparsity_requested, facts.requested), recipe
    for reason in facts.size.reasons:
        if reason.kind not in NOT_OF_WEIGHTS:
            told = (reason.text, recipe)
            assert HOLDS[reason.kind](facts, reason.layer, dict(reason.numbers)), told
    return {reason.kind for reason in facts.size.reasons}


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_told_of_drawn_recipes_is_true(brought, kind):
    model = brought(kind)
    for seed in range(DRAWN):
        recipe = wb.Recipe.draw(Random(f"{kind} {seed}"), model.layers)
        check(model, replace(recipe, train=None))


# A kind, a model, a recipe that brings it about and what else is told, or is not.
CASES = [
    ("already-zero", "half zero", {"prune": {"sparsity": 0.3}}, "rounded-to-zero"),
    ("already-zero", "half zero", {"prune": {"sparsity": 0.0}, "quantize": {"bits": 8}}, ""),
    ("already-zero", "ternary", {"prune": {"sparsity": 0.1, "scope": "uniform"}}, ""),
    ("rounded-to-zero", "plain", {"prune": {"sparsity": 0.1}, "quantize": {"bits": 2}},
     "already-zero"),
    ("rounded-to-zero", "plain", {"prune": {"sparsity": 0.1}, "share": {"method": "ternary"}}, ""),
    ("all-zero", "plain", {"prune": {"sparsity": 0.5, "layers": {"last.weight": 0.99}}}, "emptied"),
    ("emptied", "plain", {"prune": {"sparsity": 0.99, "exclude": ["first.weight"]}}, "all-zero"),
    ("nothing", "one axis", {"prune": {"sparsity": 0.5}}, "all-excluded"),
    ("nothing", "one axis", {"quantize": {"bits": 4}, "share": {"clusters": 4}}, "all-shared"),
    ("nothing", "one axis", {"prune": {"criterion": "gradient"}}, ""),
    ("other-tensors", "buffers", {"prune": {"sparsity": 0.5}}, "index-heavy"),
    ("whole-weights", "tiny", {"prune": {"sparsity": 0.46}}, "rounded-to-zero"),
    ("codebook-long", "plain", {"share": {"clusters": 128}}, "scales-heavy"),
    ("less-sparse", "plain", {"prune": {"sparsity": 0.9, "exclude": ["first.weight"]}}, ""),
    ("set-higher", "plain", {"prune": {"sparsity": 0.1, "layers": {"first.weight": 0.9}}}, ""),
    ("all-excluded", "tiny", {"prune": {"sparsity": 0.9, "exclude": ["0.weight"]}}, ""),
    ("inputs-excluded", "plain",
     {"activations": {"bits": 8, "exclude": ["first.weight", "last.weight"]}}, "no-inputs"),
    ("no-inputs", "words", {"activations": {"bits": 8}}, "inputs-excluded"),
    ("no-inputs", "bare", {"activations": {"bits": 8}}, "inputs-excluded"),
    ("grew", "tiny", {"quantize": {"bits": 8}, "prune": {"sparsity": 0.0, "width": 9}}, ""),
    ("not-smaller", "tiny", {"prune": {"sparsity": 0.0}}, "grew"),
    ("longer-tensors", "tiny", {"share": {"clusters": 16, "granularity": "channel"}}, "grew"),
    ("wider", "half", {"prune": {"sparsity": 0.1}}, "grew"),
    ("no-faster", "large", {"prune": {"sparsity": 0.9}}, "decoded-first"),
    ("decoded-first", "large", {"prune": {"sparsity": 0.0}, "quantize": {"bits": 16}}, "no-faster"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "kind", "recipe", "untold"), CASES)
def test_a_cause_is_told_where_it_is_the_cause(brought, told, kind, recipe, untold):
    kinds = check(brought(kind), wb.Recipe.from_json(recipe))
    assert told in kinds
    assert untold not in kinds


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("recipe", [{"prune": {"sparsity": 0.0}}, {"quantize": {"bits": 32}}])
def test_nothing_is_told_of_zeros_that_nobody_asked_for(brought, kind, recipe):
    kinds = check(brought(kind), wb.Recipe.from_json(recipe))
    assert not kinds & {"emptied", "all-zero", "dense-kept", "rounded-to-zero", "less-sparse"}
    assert not kinds & {"decoded-first", "all-shared", "all-excluded"}


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_file_as_long_as_the_original_needs_no_excuse(brought, more):
    model = brought("plain")
    recipe = wb.Recipe.from_json({"prune": {"sparsity": 0.0}})
    model.card["original_bytes"] = len(wb.compress(model, recipe)) - more
    kinds = check(model, recipe)
    assert bool(kinds & {"grew", "not-smaller", "longer-tensors", "wider"}) == (more > 0)
    assert not kinds & {"no-faster", "decoded-first"}


@pytest.mark.parametrize("kind", ["one axis", "words"])
def test_a_model_without_layers_or_multiply_adds_is_measured(brought, kind):
    model = brought(kind)
    for recipe in ({"prune": {"sparsity": 0.5}}, {"quantize": {"bits": 4}}, {"structure": {}}):
        report = wb.measure(model, wb.Recipe.from_json(recipe), timed=False)
        assert report.total == EXAMPLES
        assert report.structure is None or report.structure["macs_removed"] == 0
