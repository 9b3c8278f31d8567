"""The conditions and numbers of reasons, recomputed from a file by independent code."""

from __future__ import annotations

from math import prod

import numpy as np
import torch
from torch import nn

from tests.artifact.reader import read
from workbench.evaluation.measure import measure_size
from workbench.recipe.schema import specs


class Facts:
    """The content of a file, read by independent code, and its original module."""

    def __init__(self, model, artifact):
        self.blob = artifact.to_bytes()
        self.decoded, self.header = read(self.blob)
        self.model, self.recipe, self.size = model, artifact.recipe, measure_size(model, artifact)
        self.rows = {row.name: row for row in self.size.ledger.rows}
        self.entries = self.header["tensors"]
        self.module = model.architecture.module
        self.original = {
            name: tensor.detach().float().numpy() if tensor.is_floating_point() else tensor.numpy()
            for name, tensor in self.module.state_dict().items()
        }
        self.layers = [
            name
            for name, parameter in self.module.named_parameters()
            if parameter.ndim > 1 and parameter.is_floating_point() and parameter.numel()
        ]
        self.total = sum(self.decoded[name].size for name in self.layers)
        self.same_shapes = all(self.decoded[n].shape == self.original[n].shape for n in self.layers)
        self.container = len(self.blob) - sum(row.total for row in self.rows.values())

    def zeros(self, name):
        return int((self.decoded[name] == 0).sum())

    @property
    def achieved(self):
        return sum(map(self.zeros, self.layers)) / self.total if self.total else 0.0

    def requested_of(self, name):
        prune = self.recipe.prune
        if prune is None or name in prune.exclude:
            return 0.0
        return prune.layers.get(name, 0.0 if prune.scope == "named" else prune.sparsity)

    @property
    def requested(self):
        zeros = sum(self.requested_of(name) * self.decoded[name].size for name in self.layers)
        return zeros / self.total if self.total else 0.0

    def rows_of(self, name):
        """The matrix to which patterns apply, with the input channels last."""
        weight = self.decoded[name]
        return np.moveaxis(weight, 1, -1).reshape(len(weight), -1)

    @property
    def masked(self):
        """The number of masked weights, counted by runs, or by blocks in the file."""
        prune, width = self.recipe.prune, self.recipe.prune.width
        chosen = [name for name in self.layers if self.requested_of(name)]
        if prune.pattern == "free":
            shared = [n for n in chosen if n not in prune.layers and prune.scope != "uniform"]
            separate = [n for n in chosen if n not in shared]
            pool = sum(self.decoded[n].size for n in shared)
            return round(prune.sparsity * pool) + sum(
                round(self.requested_of(n) * self.decoded[n].size) for n in separate
            )
        count = 0
        for name in chosen:
            rows = self.rows_of(name)
            for row in rows if prune.pattern == "n_m" else ():
                for at in range(0, len(row), width):
                    run = len(row[at : at + width])
                    count += min(round(self.requested_of(name) * run), run - 1)
            for top in range(0, len(rows), width) if prune.pattern == "block" else ():
                for left in range(0, rows.shape[1], width):
                    block = rows[top : top + width, left : left + width]
                    count += 0 if block.any() else block.size
        return count

    def is_float32(self, name):
        """Whether a layer's values are stored as float32, with or without its zeros."""
        entry = self.entries[name]
        wide = entry.get("dtype", "f32") == "f32"
        return wide and not {"bits", "shared", "factors"} & set(entry)

    def parts(self, name):
        return self.entries[name].get("factors", [self.entries[name]])

    @property
    def layers_with_inputs(self):
        return [
            f"{path}.weight"
            for path, layer in self.module.named_modules()
            if path and isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d)
        ]

    def by_row(self, name):
        """Whether a layer's weights are codes with one scale per output."""
        entry = self.entries[name]
        return "bits" in entry and self.rows[name].scales in {
            scale * count for scale in (4, 5) for count in (1, self.decoded[name].shape[0])
        }


def near(one, other):
    return abs(one - other) < 1e-9


def has_shares(facts, numbers):
    return near(numbers["requested_share"], facts.requested) and (
        "got_share" not in numbers or near(numbers["got_share"], facts.achieved)
    )


def emptied(facts, layer, numbers):
    prune = facts.recipe.prune
    pruned = facts.requested_of(layer) and layer not in prune.layers and prune.scope != "adaptive"
    shared = "shared" in facts.entries[layer] and facts.recipe.share.method == "k_means"
    return pruned and (facts.is_float32(layer) or shared) and all_zero(facts, layer, numbers)


def all_zero(facts, layer, numbers):
    return not facts.decoded[layer].any() and facts.original[layer].any()


def dense_kept(facts, layer, numbers):
    row, entry = facts.rows[layer], facts.entries[layer]
    dense = not {"bitmap", "gaps", "runs", "blocks"} & set(entry)
    share = facts.zeros(layer) / facts.decoded[layer].size
    written = row.values + row.tables + row.uncompressed
    return (
        dense and facts.requested_of(layer) and near(numbers["zeros"], share)
        and numbers["dense"] == written < numbers["sparse"]
    )  # fmt: skip


def index_heavy(facts, layer, numbers):
    row = facts.rows[layer]
    expected = {"indices": row.indices, "values": row.values + row.uncompressed}
    return numbers == expected and expected["indices"] > expected["values"]


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
    requested = facts.recipe.quantize.group_size
    return numbers == {"requested": requested, "length": length} and length < requested


def short_runs(facts, layer, numbers):
    rows, width = facts.rows_of(layer), facts.recipe.prune.width
    fits = numbers == {"width": width, "length": rows.shape[1]}
    return fits and rows.shape[1] < width and facts.requested_of(layer)


def wide_blocks(facts, layer, numbers):
    rows, width = facts.rows_of(layer), facts.recipe.prune.width
    blocks = len(range(0, len(rows), width)) * len(range(0, rows.shape[1], width))
    expected = {"width": width, "rows": len(rows), "length": rows.shape[1], "blocks": blocks}
    return numbers == expected and min(rows.shape) < width and facts.requested_of(layer)


def pattern(kind):
    def holds(facts, layer, numbers):
        masked = facts.masked / facts.total
        fits = facts.recipe.prune.pattern == kind and near(numbers["made_share"], masked)
        return fits and has_shares(facts, numbers) and not near(masked, facts.requested)

    return holds


def already_zero(facts, layer, numbers):
    both = sum(
        int(((facts.decoded[n] == 0) & (facts.original[n] == 0)).sum()) for n in facts.layers
    )  # fmt: skip
    more = facts.achieved > facts.requested and both > 0
    return more and has_shares(facts, numbers) and near(numbers["before_share"], both / facts.total)


def rounded_to_zero(facts, layer, numbers):
    if not facts.same_shapes:  # none were zero before, so all are new
        new = sum(map(facts.zeros, facts.layers))
    else:
        new = sum(
            int(((facts.decoded[n] == 0) & (facts.original[n] != 0)).sum()) for n in facts.layers
        )  # fmt: skip
    share = numbers["rounded_share"]
    rounds = facts.recipe.quantize is not None or facts.recipe.share is not None
    if facts.recipe.prune.pattern == "block":  # zero blocks of the original count as masked, too
        fits = share <= new / facts.total
    else:
        fits = near(share, (new - facts.masked) / facts.total)
    return rounds and share > 0 and fits and has_shares(facts, numbers)


def set_by_hand(lower):
    def holds(facts, layer, numbers):
        default = facts.recipe.prune.sparsity
        others = [
            facts.decoded[n].size
            for n in facts.layers
            if (facts.requested_of(n) < default if lower else facts.requested_of(n) > default)
        ]
        expected = {
            "set_share": default,
            "requested_share": facts.requested,
            "left_share": sum(others) / facts.total,
        }
        same = numbers.keys() == expected.keys() and all(
            near(numbers[key], value) for key, value in expected.items()
        )
        return same and others and (facts.requested < default) == lower

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
    rank, size = numbers["rank"], rows * columns
    is_break_even = (rank - 1) * (rows + columns) < size <= rank * (rows + columns)
    dense = "factors" not in facts.entries[layer]
    return is_break_even and dense and numbers["bytes"] == facts.rows[layer].total


def factored(facts, layer, numbers):
    listed = dict(zip(*[iter(layer.replace(" / ", "/").replace(",", "").split())] * 2, strict=True))
    for name, ranks in listed.items():
        rank, break_even = map(int, ranks.split("/"))
        rows, columns = facts.decoded[name].shape[0], prod(facts.decoded[name].shape[1:])
        smaller = rank * (rows + columns) < rows * columns <= break_even * (rows + columns)
        if not smaller or "factors" not in facts.entries[name]:
            return False
    return {*listed} == {name for name in facts.layers if "factors" in facts.entries[name]}


def left_alone(facts, layer, numbers):
    unadjusted = facts.recipe.structure is facts.recipe.adjust is None
    same = np.array_equal(facts.decoded[layer], facts.original[layer]) if unadjusted else True
    expected = {"bytes": facts.rows[layer].total, "file": len(facts.blob)}
    return (
        numbers == expected and same and facts.is_float32(layer) and not facts.requested_of(layer)
    )


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
    remaining = {*facts.layers_with_inputs} - {*facts.recipe.activations.exclude}
    return facts.layers_with_inputs and not remaining


def simulated(facts, layer, numbers):
    rounded = dict(entry[::2] for entry in facts.header["spec"] if entry[0] == "quantize_inputs")
    paths = rounded.get("quantize_inputs", {})
    return any(facts.by_row(f"{path}.weight") for path in paths)


def length(compare):
    def holds(facts, layer, numbers):
        now = len(facts.blob) - facts.container
        before = sum(tensor.nbytes for tensor in facts.original.values())
        expected = {
            "more": len(facts.blob) - facts.model.original_bytes,
            "now": now,
            "before": before,
            "header": facts.container,
        }
        return numbers == expected and expected["more"] > 0 and compare(now, before)

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
    "all_zero": all_zero,
    "nothing": lambda facts, layer, numbers: not facts.layers,
    "dense_kept": dense_kept,
    "index_heavy": index_heavy,
    "scales_heavy": scales_heavy,
    "codebook_heavy": codebook_heavy,
    "codebook_long": codebook_long,
    "short_groups": short_groups,
    "short_runs": short_runs,
    "wide_blocks": wide_blocks,
    "one_stays": pattern("n_m"),
    "whole_blocks": pattern("block"),
    "whole_weights": pattern("free"),
    "already_zero": already_zero,
    "rounded_to_zero": rounded_to_zero,
    "less_sparse": set_by_hand(lower=True),
    "set_higher": set_by_hand(lower=False),
    "all_shared": all_shared,
    "all_excluded": all_excluded,
    "not_factored": not_factored,
    "factored": factored,
    "left_alone": left_alone,
    "container": container,
    "one_dimensional": rest(lambda shape: len(shape) < 2),
    "other_tensors": rest(lambda shape: len(shape) > 1),
    "no_inputs": lambda facts, layer, numbers: not facts.layers_with_inputs,
    "inputs_excluded": inputs_excluded,
    "simulated": simulated,
    "no_integers": lambda facts, layer, numbers: not facts.by_row(layer),
    "grew": length(lambda now, before: now < before),
    "not_smaller": length(lambda now, before: now == before),
    "longer_tensors": length(lambda now, before: now > before),
    "wider": wider,
    "no_faster": lambda f, layer, numbers: speed(f, layer, numbers) and f.achieved > 0,
    "decoded_first": lambda f, layer, numbers: speed(f, layer, numbers) and not all(
        map(f.is_float32, f.layers)
    ),
}  # fmt: skip
"""Whether a reason of each kind is correct for a file."""
