"""Data as people keep it: what a loader yields counts, and what cannot be relied on is refused."""

from __future__ import annotations

import random
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
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
from workbench.custom.split import split_of
from workbench.errors import WorkbenchError

COUNT = 150


def points():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, 6, generator=generator), torch.arange(COUNT) % 3


X, Y = points()
W = torch.linspace(0, 1, COUNT)
PAIRS = TensorDataset(X, Y)
DICTS = [{"pixels": x, "label": int(y)} for x, y in zip(X, Y, strict=True)]


class Reading(Dataset):
    """Makes each item when it is asked for."""

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
    """An item that only its own collate_fn understands."""

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


some = torch.arange(0, COUNT, 7)
pairs_of_16 = [(X[at : at + 16], Y[at : at + 16]) for at in range(0, COUNT, 16)]
rest = Y != 2
DATA = {
    "objects through a collate_fn": (loader(Reading(Record), collate_fn=from_records), X, Y),
    "dicts through a collate_fn": (loader(DICTS, collate_fn=from_dicts), X, Y),
    "dicts, shuffled": (loader(DICTS, collate_fn=from_dicts, shuffle=True), X, Y),
    "what a loader yields": (list(loader(DICTS, collate_fn=from_dicts)), X, Y),
    "dicts": (DICTS, X, Y),
    "a data set of dicts": (Reading(DICTS.__getitem__), X, Y),
    "a loader of dicts": (loader(DICTS), X, Y),
    "batches of dicts": (list(loader(DICTS)), X, Y),
    "columns by name": ({"pixels": X, "labels": Y}, X, Y),
    "triples": (TensorDataset(X, Y, W), X, Y),
    "three arrays": ((X.numpy(), Y.numpy(), W.numpy()), X, Y),
    "batches of triples": (list(loader(TensorDataset(X, Y, W))), X, Y),
    "float64 and int32": (TensorDataset(X.double(), Y.int()), X, Y),
    "a collate_fn that leaves out": (loader(PAIRS, collate_fn=without_class_2), X[rest], Y[rest]),
    "a collate_fn that adds": (
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
        loader(PAIRS, sampler=SubsetRandomSampler(some.tolist())),
        X[some],
        Y[some],
    ),
    "batches of one's own": (
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
    "a data set that makes batches": (
        DataLoader(Reading(pairs_of_16.__getitem__, len(pairs_of_16)), batch_size=None),
        X,
        Y,
    ),
    "single items": (DataLoader(PAIRS, batch_size=None), X, Y),
    "a stream": (DataLoader(Stream(), batch_size=16), X, Y),
    "keys that are no numbers": (
        DataLoader({"a": PAIRS[0], "b": PAIRS[1]}, 2, sampler=["b", "a"]),
        X[[1, 0]],
        Y[[1, 0]],
    ),
}


@pytest.mark.parametrize("case", DATA)
def test_every_kind_of_data_gives_its_examples(case):
    data, inputs, labels = DATA[case]
    found = split_of("test", data)
    assert len(found) == len(labels)
    assert np.array_equal(found.labels, labels.numpy())
    joined = found.examples[np.arange(len(found))]
    joined = joined if isinstance(joined, torch.Tensor | np.ndarray) else joined.to_batch()
    assert np.array_equal(joined, inputs.numpy())
    assert found.digest == split_of("test", (inputs, labels)).digest


def test_a_loader_with_workers_is_read_without_them():
    data = loader(PAIRS, num_workers=2)
    assert split_of("test", data).digest == split_of("test", (X, Y)).digest


def test_a_loader_that_pads_its_batches_is_joined_by_it():
    texts = [torch.arange(1, 2 + n % 5) for n in range(40)]
    labels = torch.arange(40) % 3

    def padded(items):
        ids = nn.utils.rnn.pad_sequence([item[0] for item in items], batch_first=True)
        return {"input_ids": ids, "labels": torch.tensor([item[1] for item in items])}

    found = split_of(
        "test", loader(list(zip(texts, labels.tolist(), strict=True)), collate_fn=padded)
    )
    assert np.array_equal(found.labels, labels.numpy())
    assert found.examples[np.array([0, 1])].to_batch().tolist() == [[1, 0], [1, 2]]


class Reader(nn.Module):
    """Tells a class at each place from the symbols up to it, so that padding changes nothing."""

    def __init__(self):
        super().__init__()
        self.symbols = nn.Embedding(9, 8)
        self.gru = nn.GRU(8, 8, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, input_ids):
        return self.head(self.gru(self.symbols(input_ids))[0])


def padded_places(items):
    pad = partial(nn.utils.rnn.pad_sequence, batch_first=True)
    ids = pad([item["input_ids"] for item in items])
    return {"input_ids": ids, "labels": pad([i["labels"] for i in items], padding_value=-100)}


def texts(labels=4):
    ids = [torch.arange(n, n + 2 + n % 5) % 9 for n in range(90)]
    return [{"input_ids": one, "labels": (one % labels).int()} for one in ids]


def test_targets_of_padded_sequences_are_measured_without_the_padding():
    torch.manual_seed(0)
    module, data = Reader(), loader(texts(), collate_fn=padded_places)
    model = wb.from_module(
        module, **dict.fromkeys(("train", "validation", "test"), data), name="reader"
    )
    with torch.no_grad():
        losses = [
            functional.cross_entropy(
                module(one["input_ids"][None])[0].double(), one["labels"].long(), reduction="sum"
            )
            for one in texts()
        ]
    places = sum(len(one["labels"]) for one in texts())
    right = float((sum(losses) / places).exp())
    assert model.task.metric.name == "perplexity"
    assert model.metric_value("test") == pytest.approx(right, rel=1e-6)
    trained = wb.train(model, steps=30, learning_rate=0.05)
    assert wb.evaluate(trained, timed=False).value < 0.9 * right


def test_classes_of_padded_sequences_are_checked():
    data = dict.fromkeys(
        ("train", "validation", "test"), loader(texts(labels=5), collate_fn=padded_places)
    )
    with pytest.raises(WorkbenchError, match="targets hold the class 4, but the module tells 4"):
        wb.from_module(Reader(), **data, name="reader")


NAMED = {
    "one that the module names": (frozenset({"pixels"}), {"pixels"}),
    "one that it does not": (frozenset({"x"}), None),
}


@pytest.mark.parametrize("case", NAMED)
def test_a_single_input_goes_by_name_where_the_module_has_it(case):
    names, keys = NAMED[case]
    joined = split_of("test", loader(DICTS), names).examples[:4].to_batch()
    assert (set(joined) if keys else None) == keys
    assert torch.equal(joined["pixels"] if keys else joined, X[:4])


class Scaled(nn.Linear):
    def forward(self, pixels, scale):
        return super().forward(pixels) * scale[:, None]


def test_dicts_reach_the_module_by_name():
    torch.manual_seed(0)
    module = Scaled(6, 3)
    items = [{"scale": w, "label": y, "pixels": x} for x, y, w in zip(X, Y, -W, strict=True)]
    data = dict.fromkeys(("train", "validation", "test"), loader(items))
    with torch.no_grad():
        right = (module(X, -W).argmax(1) == Y).double().mean()
    assert wb.from_module(module, **data, name="named").accuracy("test") == float(right)


def test_reading_leaves_random_numbers_and_samplers_as_they_were():
    generator = torch.Generator().manual_seed(5)
    data = [
        loader(PAIRS, shuffle=True),
        loader(PAIRS, sampler=RandomSampler(PAIRS, replacement=True, generator=generator)),
        Reading(lambda number: (X[number] * 0 + number, int(random.random() < 2))),
    ]
    before = torch.get_rng_state(), np.random.get_state()[1], random.getstate()  # noqa: NPY002
    drawn = generator.get_state()
    for one in data:
        split_of("train", one)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert random.getstate() == before[2]
    assert torch.equal(generator.get_state(), drawn)


def mixed(items):
    inputs, labels = default_collate(items)
    return inputs + inputs[torch.randperm(len(inputs))], labels


RANDOM = {
    "noise": Reading(lambda n: (X[n] + torch.rand(6), int(Y[n]))),
    "a flip now and then": Reading(lambda n: (X[n] if random.random() < 0.8 else -X[n], int(Y[n]))),
    "NumPy's numbers": Reading(lambda n: (X[n] * np.random.uniform(), int(Y[n]))),  # noqa: NPY002
    "random labels": Reading(lambda n: (X[n], random.randrange(1000))),
    "a loader": loader(Reading(lambda n: (X[n] + torch.rand(6), int(Y[n]))), shuffle=True),
    "a collate_fn that mixes": loader(PAIRS, collate_fn=mixed),
    "random numbers far on": Reading(
        lambda n: (X[n % COUNT] + torch.rand(6) * (n > 3000), int(Y[n % COUNT])), 6000
    ),
}


@pytest.mark.parametrize("case", RANDOM)
def test_data_that_differ_at_each_reading_are_refused(case):
    with pytest.raises(WorkbenchError, match=r"^The train data differ .* augment=; .*list\(data\)"):
        split_of("train", RANDOM[case])
    with pytest.raises(WorkbenchError, match=r"^The test data differ each time they are read"):
        split_of("test", RANDOM[case])


def test_one_reading_of_random_data_can_be_kept():
    frozen = [RANDOM["noise"][number] for number in range(COUNT)]
    assert split_of("train", frozen).digest == split_of("train", frozen).digest
    batches = list(RANDOM["a loader"])
    assert len(split_of("train", batches)) == COUNT


def holed(value, place=5):
    spoiled = X.clone()
    spoiled[place, 2] = value
    return spoiled


MASK = torch.zeros(COUNT, 6).masked_fill(X > 1, -torch.inf)
NOT_FINITE = {
    "NaN": ((holed(torch.nan), Y), "inputs hold NaN or infinity in example 5:"),
    "infinity": ((holed(torch.inf), Y), "inputs hold NaN or infinity in example 5:"),
    "late": ((holed(torch.nan, 149), Y), "in example 149:"),
    "arrays": ((holed(torch.nan).numpy().astype(np.float16), Y.numpy()), "in example 5:"),
    "a data set": (TensorDataset(holed(-torch.inf, 99), Y), "in example 99:"),
    "its own numbers": (loader(TensorDataset(holed(torch.nan), Y), sampler=[9, 5]), "example 5:"),
    "by name": (({"a": X, "b": holed(torch.nan)}, Y), "in example 5:"),
    "too large for float32": ((X.double().numpy() * 1e300, Y), "in example 0:"),
    "numbers to predict": ((X, holed(torch.nan)), "targets hold NaN or infinity in example 5:"),
    "boxes": (
        Reading(lambda n: (X[n], {"boxes": torch.tensor([[0.0, torch.nan if n == 7 else 1.0]])})),
        "targets hold NaN or infinity in example 7:",
    ),
    "weights": ((X, Y, W / 0), "weights hold NaN or infinity in example 0:"),
    "a mask with NaN": ((MASK.clone().fill_diagonal_(torch.nan), Y), "in example 0:"),
    "a mask that is none in the end": (
        (torch.cat([MASK[:140], X[140:]]), Y),
        f"in example {int((MASK.isinf()).any(1).nonzero()[0])}:",
    ),
}


@pytest.mark.parametrize("case", NOT_FINITE)
def test_numbers_that_are_not_finite_are_refused(case):
    data, words = NOT_FINITE[case]
    with pytest.raises(WorkbenchError) as caught:
        split_of("train", data)
    assert str(caught.value).startswith("The train ")
    assert words in str(caught.value)


def test_masks_of_infinities_are_inputs():
    found = split_of("train", ({"x": X, "mask": MASK}, Y))
    assert torch.equal(found.examples[:9].to_batch()["mask"], MASK[:9])


REFUSED = {
    "two keys of targets": (
        [{"x": x, "label": 1, "labels": 1} for x in X],
        "is a dict with the keys x, label, labels: give",
    ),
    "no targets": ([{"x": x} for x in X], "is a dict with the keys x: give"),
    "text among the inputs": (
        [{"x": x, "text": "a", "label": 1} for x in X],
        "hold under 'text' ['a', 'a',",
    ),
    "text for inputs": ([("a", 1)] * 3, "inputs are 'a', which is no tensor"),
    "three arrays, the last of classes": ((X, X, Y), "several inputs as ((a, b), target)"),
    "weights below 0": ((X, Y, W - 0.5), "give a weight ≥ 0 for each example"),
    "weights of 0": ((X, Y, W * 0), "All weights of the train data are 0"),
    "fewer weights": ((X, Y, W[:-1]), "150 inputs and 149 weights"),
    "weights for some": ([(X[0], 1, 0.5), (X[1], 1)], "Some items of the train data have a weight"),
    "examples that lie last": (
        loader(PAIRS, collate_fn=lambda items: (default_collate(items)[0].T, Y[: len(items)])),
        "have 6, 64 rows: the first dimension of inputs and targets must count",
    ),
    "a sampler that fails": (
        loader(PAIRS, sampler=(1 // n for n in range(3))),
        "The sampler of the train data fails with ZeroDivisionError",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_data_that_do_not_fit_are_one_sentence(case):
    data, words = REFUSED[case]
    with pytest.raises(WorkbenchError) as caught:
        split_of("train", data)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
