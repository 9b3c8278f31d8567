"""Reading user data of every type, and refusing invalid data."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
    default_collate,
)

import workbench as wb
from tests.raises import raises
from workbench.custom.split import split_of
from workbench.errors import InputError

COUNT = 150


def points():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, 6, generator=generator), torch.arange(COUNT) % 3


X, Y = points()
W = torch.linspace(0, 1, COUNT)
PAIRS = TensorDataset(X, Y)
DICTS = [{"pixels": x, "label": int(y)} for x, y in zip(X, Y, strict=True)]


class Generated(Dataset):
    """Generates each item on access."""

    def __init__(self, make, count=COUNT):
        self.make, self.count = make, count

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        return self.make(number)


class Stream(IterableDataset):
    def __iter__(self):
        return iter(PAIRS)


class Record:
    """An item that only a custom collate_fn can join."""

    def __init__(self, number):
        self.pixels, self.label = X[number], int(Y[number])


def from_records(items):
    return torch.stack([item.pixels for item in items]), torch.tensor([i.label for i in items])


def from_dicts(items):
    return torch.stack([i["pixels"] for i in items]), torch.tensor([i["label"] for i in items])


def without_class_2(items):
    return default_collate([(x, y) for x, y in items if y != 2])


def doubled(items):
    inputs, labels = default_collate(items)
    return torch.cat([inputs, -inputs]), torch.cat([labels, labels])


def loader(data, **settings):
    return DataLoader(data, **{"batch_size": 10, **settings})


subset = torch.arange(0, COUNT, 7)
batches_of_16 = [(X[at : at + 16], Y[at : at + 16]) for at in range(0, COUNT, 16)]
rest = Y != 2
DATA = {
    "objects through a collate_fn": (loader(Generated(Record), collate_fn=from_records), X, Y),
    "dicts through a collate_fn": (loader(DICTS, collate_fn=from_dicts), X, Y),
    "dicts, shuffled": (loader(DICTS, collate_fn=from_dicts, shuffle=True), X, Y),
    "the batches of a loader": (list(loader(DICTS, collate_fn=from_dicts)), X, Y),
    "dicts": (DICTS, X, Y),
    "a dataset of dicts": (Generated(DICTS.__getitem__), X, Y),
    "a loader of dicts": (loader(DICTS), X, Y),
    "batches of dicts": (list(loader(DICTS)), X, Y),
    "columns by name": ({"pixels": X, "labels": Y}, X, Y),
    "triples": (TensorDataset(X, Y, W), X, Y),
    "three arrays": ((X.numpy(), Y.numpy(), W.numpy()), X, Y),
    "batches of triples": (list(loader(TensorDataset(X, Y, W))), X, Y),
    "float64 and int32": (TensorDataset(X.double(), Y.int()), X, Y),
    "a collate_fn that drops examples": (
        loader(PAIRS, collate_fn=without_class_2),
        X[rest],
        Y[rest],
    ),
    "a collate_fn that adds examples": (
        loader(TensorDataset(X[:10], Y[:10]), batch_size=1, collate_fn=doubled),
        torch.stack([X[:10], -X[:10]], 1).flatten(0, 1),
        Y[:10].repeat_interleave(2),
    ),
    "the last batch dropped": (loader(PAIRS, batch_size=40, drop_last=True), X[:120], Y[:120]),
    "the last shuffled batch dropped": (
        loader(PAIRS, batch_size=40, drop_last=True, shuffle=True),
        X,
        Y,
    ),
    "a subset in random order": (
        loader(PAIRS, sampler=SubsetRandomSampler(subset.tolist())),
        X[subset],
        Y[subset],
    ),
    "a custom batch sampler": (
        DataLoader(PAIRS, batch_sampler=[[5, 3], [140]]),
        X[[3, 5, 140]],
        Y[[3, 5, 140]],
    ),
    "a sampler that repeats": (loader(PAIRS, sampler=[4, 4, 2]), X[[4, 4, 2]], Y[[4, 4, 2]]),
    "a shuffling batch sampler": (
        DataLoader(PAIRS, batch_sampler=BatchSampler(RandomSampler(PAIRS), 8, drop_last=True)),
        X,
        Y,
    ),
    "a dataset of batches": (
        DataLoader(Generated(batches_of_16.__getitem__, len(batches_of_16)), batch_size=None),
        X,
        Y,
    ),
    "single items": (DataLoader(PAIRS, batch_size=None), X, Y),
    "a stream": (DataLoader(Stream(), batch_size=16), X, Y),
    "string keys": (
        DataLoader({"a": PAIRS[0], "b": PAIRS[1]}, 2, sampler=["b", "a"]),
        X[[1, 0]],
        Y[[1, 0]],
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_every_type_of_data_gives_its_examples(case):
    data, inputs, labels = DATA[case]
    split = split_of("test", data)
    assert len(split) == len(labels)
    assert np.array_equal(split.labels, labels.numpy())
    examples = split.examples[np.arange(len(split))]
    examples = examples if isinstance(examples, torch.Tensor | np.ndarray) else examples.to_batch()
    assert np.array_equal(examples, inputs.numpy())
    assert split.digest == split_of("test", (inputs, labels)).digest


def test_a_loader_with_workers_is_read():
    data = loader(PAIRS, num_workers=2)
    assert split_of("test", data).digest == split_of("test", (X, Y)).digest


NAMED = {
    "an argument of the module": (frozenset({"pixels"}), {"pixels"}),
    "another name": (frozenset({"x"}), None),
}


@pytest.mark.parametrize("case", NAMED)
def test_a_single_input_is_passed_by_name_if_the_module_has_that_argument(case):
    names, keys = NAMED[case]
    joined = split_of("test", loader(DICTS), names).examples[:4].to_batch()
    assert (set(joined) if keys else None) == keys
    assert torch.equal(joined["pixels"] if keys else joined, X[:4])


class Scaled(nn.Linear):
    def forward(self, pixels, scale):
        return super().forward(pixels) * scale[:, None]


def test_dicts_are_passed_to_the_module_by_name():
    torch.manual_seed(0)
    module = Scaled(6, 3)
    items = [{"scale": w, "label": y, "pixels": x} for x, y, w in zip(X, Y, -W, strict=True)]
    data = dict.fromkeys(("train", "validation", "test"), loader(items))
    with torch.no_grad():
        expected = (module(X, -W).argmax(1) == Y).double().mean()
    assert wb.from_module(module, **data, name="named").accuracy("test") == float(expected)


def test_reading_does_not_change_random_states():
    generator = torch.Generator().manual_seed(5)
    data = [
        loader(PAIRS, shuffle=True),
        loader(PAIRS, sampler=RandomSampler(PAIRS, replacement=True, generator=generator)),
        Generated(lambda number: (X[number] * 0 + number, int(random.random() < 2))),
    ]
    before = torch.get_rng_state(), np.random.get_state()[1], random.getstate()  # noqa: NPY002
    state = generator.get_state()
    for dataset in data:
        split_of("train", dataset)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]
    assert torch.equal(generator.get_state(), state)


def mixed(items):
    inputs, labels = default_collate(items)
    return inputs + inputs[torch.randperm(len(inputs))], labels


RANDOM = {
    "noise": Generated(lambda n: (X[n] + torch.rand(6), int(Y[n]))),
    "occasional flips": Generated(lambda n: (X[n] if random.random() < 0.8 else -X[n], int(Y[n]))),
    "NumPy's numbers": Generated(lambda n: (X[n] * np.random.uniform(), int(Y[n]))),  # noqa: NPY002
    "random labels": Generated(lambda n: (X[n], random.randrange(1000))),
    "a loader": loader(Generated(lambda n: (X[n] + torch.rand(6), int(Y[n]))), shuffle=True),
    "a collate_fn that mixes": loader(PAIRS, collate_fn=mixed),
    "random numbers after many examples": Generated(
        lambda n: (X[n % COUNT] + torch.rand(6) * (n > 3000), int(Y[n % COUNT])), 6000
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", RANDOM)
def test_data_that_differs_each_time_it_is_read_is_refused(case):
    with raises("data.changes_when_read", "train", "augment=", "list(data)"):
        split_of("train", RANDOM[case])
    with raises("data.changes_when_read", "test") as caught:
        split_of("test", RANDOM[case])
    assert "augment=" not in str(caught.value)


def test_a_list_of_random_data_is_accepted():
    frozen = [RANDOM["noise"][number] for number in range(COUNT)]
    assert split_of("train", frozen).digest == split_of("train", frozen).digest
    batches = list(RANDOM["a loader"])
    assert len(split_of("train", batches)) == COUNT


def with_value(value, row=5):
    changed = X.clone()
    changed[row, 2] = value
    return changed


MASK = torch.zeros(COUNT, 6).masked_fill(X > 1, -torch.inf)
NOT_FINITE = {
    "NaN": ((with_value(torch.nan), Y), "inputs", 5),
    "infinity": ((with_value(torch.inf), Y), "inputs", 5),
    "late": ((with_value(torch.nan, 149), Y), "inputs", 149),
    "arrays": ((with_value(torch.nan).numpy().astype(np.float16), Y.numpy()), "inputs", 5),
    "a dataset": (TensorDataset(with_value(-torch.inf, 99), Y), "inputs", 99),
    "a sampler": (loader(TensorDataset(with_value(torch.nan), Y), sampler=[9, 5]), "inputs", 5),
    "by name": (({"a": X, "b": with_value(torch.nan)}, Y), "inputs", 5),
    "too large for float32": ((X.double().numpy() * 1e300, Y), "inputs", 0),
    "numbers to predict": ((X, with_value(torch.nan)), "targets", 5),
    "boxes": (
        Generated(lambda n: (X[n], {"boxes": torch.tensor([[0.0, torch.nan if n == 7 else 1.0]])})),
        "targets",
        7,
    ),
    "weights": ((X, Y, W / 0), "weights", 0),
    "a mask with NaN": ((MASK.clone().fill_diagonal_(torch.nan), Y), "inputs", 0),
    "a mask followed by other numbers": (
        (torch.cat([MASK[:140], X[140:]]), Y),
        "inputs",
        int((MASK.isinf()).any(1).nonzero()[0]),
    ),
}


@pytest.mark.parametrize("case", NOT_FINITE)
def test_numbers_that_are_not_finite_are_refused(case):
    data, side, index = NOT_FINITE[case]
    with raises("data.not_finite", f"train {side}", f"example {index}:"):
        split_of("train", data)


def test_masks_of_infinities_are_accepted():
    split = split_of("train", ({"x": X, "mask": MASK}, Y))
    assert torch.equal(split.examples[:9].to_batch()["mask"], MASK[:9])


REFUSED = {
    "two keys of targets": (
        [{"x": x, "label": 1, "labels": 1} for x in X],
        "data.dict_keys",
        "x, label, labels",
    ),
    "no targets": ([{"x": x} for x in X], "data.dict_keys", "the keys x:"),
    "text among the inputs": (
        [{"x": x, "text": "a", "label": 1} for x in X],
        "data.not_tensors",
        "'text' ['a', 'a',",
    ),
    "text for inputs": ([("a", 1)] * 3, "data.not_tensors", "'a'"),
    "three arrays, the last of classes": (
        (X, X, Y),
        "data.invalid_weights",
        "((a, b), target)",
    ),
    "weights below 0": ((X, Y, W - 0.5), "data.invalid_weights", "weight ≥ 0"),
    "weights of 0": ((X, Y, W * 0), "data.invalid_weights", "train"),
    "fewer weights": ((X, Y, W[:-1]), "data.row_count", "150 inputs and 149 weights"),
    "weights for some examples": ([(X[0], 1, 0.5), (X[1], 1)], "data.some_weights", "train"),
    "examples in the last dimension": (
        loader(PAIRS, collate_fn=lambda items: (default_collate(items)[0].T, Y[: len(items)])),
        "data.row_count",
        "6, 64 rows",
    ),
    "a sampler that fails": (
        loader(PAIRS, sampler=(1 // n for n in range(3))),
        "data.sampler_failed",
        "train",
        "ZeroDivisionError",
    ),
}


def refuses(*_args):
    raise InputError("This example is blank: remove it.", code="test.blank")


class Refusing(TensorDataset):
    """A dataset that raises a Workbench error itself."""

    __getitem__ = refuses


@pytest.mark.parametrize("data", [Refusing(X, Y), loader(PAIRS, collate_fn=refuses)])
def test_a_workbench_error_of_the_data_keeps_its_code(data):
    with raises("test.blank"):
        split_of("train", data)


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_data_is_refused(case):
    data, code, *facts = REFUSED[case]
    with raises(code, *facts) as caught:
        split_of("train", data)
    assert "\n" not in str(caught.value)
