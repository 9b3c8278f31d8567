"""Any module with any data: it becomes a model, and stays its owner's."""

from __future__ import annotations

import copy
import hashlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

import workbench as wb
from workbench.errors import WorkbenchError

SMALLER = wb.Recipe(prune=wb.Prune(0.5), quantize=wb.Quantize(bits=4))


def digest(module):
    found = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        found.update(name.encode() + tensor.numpy().tobytes())
    return found.hexdigest()


class Pairs(Dataset):
    def __init__(self, inputs, labels):
        self.inputs, self.labels = inputs, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, number):
        return self.inputs[number], int(self.labels[number])


class Stream(IterableDataset):
    def __init__(self, inputs, labels):
        self.inputs, self.labels = inputs, labels

    def __iter__(self):
        return iter(zip(self.inputs, self.labels, strict=True))


def batches(inputs, labels, size=7):
    return [(inputs[at : at + size], labels[at : at + size]) for at in range(0, len(labels), size)]


KINDS = {
    "tensors": lambda x, y: (x, y),
    "arrays": lambda x, y: (x.numpy(), y.numpy()),
    "float64 arrays": lambda x, y: (x.numpy().astype(np.float64), y.numpy().astype(np.int32)),
    "data set": Pairs,
    "tensor data set": TensorDataset,
    "loader": lambda x, y: DataLoader(Pairs(x, y), batch_size=16),
    "shuffling loader": lambda x, y: DataLoader(Pairs(x, y), batch_size=16, shuffle=True),
    "loader of a stream": lambda x, y: DataLoader(Stream(x, y), batch_size=16),
    "list of examples": lambda x, y: list(zip(x, y.tolist(), strict=True)),
    "list of batches": batches,
    "generator of batches": lambda x, y: iter(batches(x, y)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_data_of_every_kind_gives_the_same_model(kind, small, points, halves):
    plain = wb.from_module(small, **halves(*points), name="plain")
    data = {name: KINDS[kind](*pair) for name, pair in halves(*points).items()}
    other = wb.from_module(small, **data, name="other")
    assert other.card["accuracy"] == plain.card["accuracy"]
    small_files = [wb.compress(model, SMALLER) for model in (plain, other)]
    scores = [wb.evaluate(file, timed=False) for file in small_files]
    assert scores[0].value == scores[1].value
    assert scores[0].total == scores[1].total == len(points[1]) // 3


def test_the_module_and_the_data_stay_as_they_were(small, points, halves):
    before, inputs = digest(small), points[0].clone()
    small.train()
    model = wb.from_module(small, **halves(*points), name="small")
    wb.measure(model, SMALLER, timed=False)
    wb.train(model, SMALLER, steps=3)
    assert digest(small) == before
    assert torch.equal(points[0], inputs)
    assert small.training
    assert all(p.grad is None for p in small.parameters())
    assert all(not layer._forward_hooks for layer in small.modules())


def test_the_accuracy_is_that_of_a_plain_loop(brought, small, points, halves):
    inputs, labels = halves(*points)["test"]
    with torch.no_grad():
        right = (small(inputs).argmax(1) == labels).float().mean()
    assert brought.metric_value("test") == pytest.approx(float(right))


def test_a_reloaded_file_in_the_module_gives_the_number_shown(
    brought, small, points, halves, tmp_path
):
    report = wb.measure(brought, SMALLER, timed=False)
    path = wb.compress(brought, SMALLER).save(tmp_path / "small.safetensors")
    assert path.stat().st_size == report.bytes
    fresh = copy.deepcopy(small)
    fresh.load_state_dict(wb.load(path).weights())
    inputs, labels = halves(*points)["validation"]
    with torch.no_grad():
        right = (fresh(inputs).argmax(1) == labels).float().mean()
    assert report.accuracy == pytest.approx(float(right))
    assert wb.evaluate(wb.load(path), timed=False).accuracy == report.accuracy


def test_weights_that_change_are_noticed(brought, small):
    with torch.no_grad():
        small[0].weight.add_(1)
    for use in (wb.compress, wb.measure):
        with pytest.raises(WorkbenchError, match="have changed since it was brought"):
            use(brought, SMALLER)


def test_training_makes_it_better(brought):
    trained = wb.train(brought, steps=200, learning_rate=0.02)
    assert wb.evaluate(trained, timed=False).value > brought.metric_value("validation") + 0.2


def test_from_scratch_it_starts_with_fresh_weights(brought):
    assert wb.train(brought, steps=1, start="scratch").recipe.train.start == "scratch"
    with pytest.raises(WorkbenchError, match="cannot be built narrower"):
        wb.train(brought, steps=1, start="scratch", width=0.5)


def test_a_session_chooses_it(brought):
    session = wb.Session("custom/small")
    try:
        assert session.model is brought
        assert "custom/small" in wb.models()
        assert "custom/small" in wb.tasks()
    finally:
        session.close()


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 1)

    def forward(self, inputs):
        return self.layer(inputs).squeeze(1)


def test_numbers_are_measured_by_their_error(points, halves):
    inputs = points[0]
    data = halves(inputs, inputs[:, 0] * 2 + 1)
    model = wb.from_module(Regression(), **data, name="numbers")
    assert model.task.metric.name == "root mean squared error"
    trained = wb.evaluate(wb.train(model, steps=300, learning_rate=0.05), timed=False)
    assert trained.value < 0.1 < model.metric_value("validation")
    assert trained.figures["explained variance"] > 0.99
    inputs, numbers = data["validation"]
    module = wb.to_module(wb.compress(model, SMALLER))
    found = wb.measure(model, SMALLER, timed=False)
    with torch.no_grad():
        expected = (module(inputs) - numbers).square().mean().sqrt()
    assert found.value == pytest.approx(float(expected), rel=1e-6)


class Next(nn.Module):
    """A language model with tied weights, a buffer that is not saved, and a fused GRU."""

    def __init__(self):
        super().__init__()
        self.symbols = nn.Embedding(11, 12)
        self.gru = nn.GRU(12, 12, batch_first=True)
        self.norm = nn.LayerNorm(12)
        self.head = nn.Linear(12, 11, bias=False)
        self.head.weight = self.symbols.weight
        self.register_buffer("scale", torch.tensor(0.5), persistent=False)

    def forward(self, symbols):
        outputs, _state = self.gru(self.symbols(symbols))
        return {"logits": self.head(self.norm(outputs)) * self.scale}


def sequences():
    generator = torch.Generator().manual_seed(1)
    symbols = torch.randint(0, 11, (240, 9), generator=generator)
    labels = (symbols * 2 + 1) % 11
    labels[::3, -2:] = -100
    return symbols, labels


def test_places_are_measured_by_perplexity(halves):
    torch.manual_seed(0)
    module = Next()
    model = wb.from_module(module, **halves(*sequences()), name="next")
    assert model.task.metric.name == "perplexity"
    assert list(model.card["tensors"]).count("head.weight") == 0  # tied: stored once
    symbols, labels = halves(*sequences())["test"]
    with torch.no_grad():
        logits = module(symbols)["logits"].double()
    nats = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    assert model.metric_value("test") == pytest.approx(float(nats.exp()), rel=1e-6)
    report = wb.measure(model, SMALLER, timed=False)
    names = [row.name for row in report.ledger.rows]
    assert "head.weight" not in names
    assert {"gru.weight_ih_l0", "gru.weight_hh_l0", "symbols.weight", "norm.weight"} <= set(names)
    trained = wb.evaluate(wb.train(model, SMALLER, steps=150, learning_rate=0.02), timed=False)
    assert trained.value < report.value


def test_bits_per_character_repeat_to_the_last_bit(halves, threads):
    torch.manual_seed(0)
    model = wb.from_module(Next(), **halves(*sequences()), name="next", metric="bits per character")
    found = []
    for count in (1, 2):
        threads(count)
        found.append(wb.evaluate(wb.compress(model, SMALLER), timed=False).value)
    assert found[0] == found[1]


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(8, 3)
        self.other = nn.Bilinear(8, 8, 3)

    def forward(self, left, right):
        return self.one(left) + self.other(left, right)


def test_inputs_may_be_several_or_named(points, halves):
    inputs, labels = points
    parts = {n: (x, x.flip(1)) for n, (x, _y) in halves(inputs, labels).items()}
    named = {n: {"right": b, "left": a} for n, (a, b) in parts.items()}
    labels = {n: y for n, (_x, y) in halves(inputs, labels).items()}
    module = Both()
    one = wb.from_module(module, **{n: (parts[n], labels[n]) for n in parts}, name="one")
    other = wb.from_module(module, **{n: (named[n], labels[n]) for n in parts}, name="other")
    assert one.card["accuracy"] == other.card["accuracy"]
    assert (
        wb.measure(other, SMALLER, timed=False).value == wb.measure(one, SMALLER, timed=False).value
    )


def test_a_function_is_a_metric(small, points, halves):
    def share_of_first(outputs, targets):
        return float((outputs.argmax(1) == 0).float().mean())

    model = wb.from_module(small, **halves(*points), name="own", metric=share_of_first)
    assert model.task.metric.name == "share_of_first"
    inputs = halves(*points)["validation"][0]
    expected = float((small(inputs).argmax(1) == 0).float().mean())
    assert model.metric_value("validation") == pytest.approx(expected)
    assert wb.measure(model, SMALLER, timed=False).exact


def test_what_one_metric_said_is_not_taken_for_what_another_says(small, points, halves):
    inputs, labels = points
    data = halves(inputs, torch.nn.functional.one_hot(labels, 3).float())
    found = [
        wb.measure(wb.from_module(small, **data, name="twice", metric=metric), SMALLER, timed=False)
        for metric in ("root mean squared error", "explained variance")
    ]
    assert [report.metric for report in found] == ["root mean squared error", "explained variance"]


def test_functions_of_one_name_are_told_apart(small, points, halves):
    data = halves(*points)
    metrics = [lambda outputs, targets, found=found: found for found in (0.25, 0.75)]
    found = [
        wb.measure(wb.from_module(small, **data, name="twice", metric=metric), SMALLER, timed=False)
        for metric in metrics
    ]
    assert [report.value for report in found] == [0.25, 0.75]


def test_equal_weights_in_another_module_are_judged_again(points, halves):
    class Turned(nn.Linear):
        def forward(self, x):
            return -super().forward(x)

    found = []
    for kind in (nn.Linear, Turned):
        torch.manual_seed(0)
        model = wb.from_module(kind(points[0].shape[1], 3), **halves(*points), name="twice")
        found.append(wb.measure(model, SMALLER, timed=False))
    assert found[0].size.digest == found[1].size.digest
    assert found[0].value != found[1].value


def test_what_was_trained_on_other_data_is_trained_again(small, points, halves):
    inputs, labels = points
    recipe = wb.Recipe(train=wb.Train(3))
    files = []
    for train in ((inputs, labels), (inputs, (labels + 1) % 3)):
        data = {**halves(inputs, labels), "train": train}
        files.append(wb.compress(wb.from_module(small, **data, name="twice"), recipe).to_bytes())
    losses = [lambda outputs, targets, by=by: (outputs * by).square().mean() for by in (1, 9)]
    for loss in losses:
        model = wb.from_module(small, **halves(inputs, labels), name="twice", loss=loss)
        files.append(wb.compress(model, recipe).to_bytes())
    assert len(set(files)) == 4


class Counting:
    """What torchmetrics' objects look like."""

    higher_is_better = False

    def __init__(self):
        self.reset()

    def reset(self):
        self.wrong = self.all = 0

    def update(self, outputs, targets):
        self.wrong += int((outputs.argmax(1) != targets).sum())
        self.all += len(targets)

    def __call__(self, outputs, targets):
        raise AssertionError("an object is updated, batch by batch")

    def compute(self):
        return torch.tensor(self.wrong / self.all)


def test_an_object_of_torchmetrics_kind_is_a_metric(brought, small, points, halves):
    model = wb.from_module(small, **halves(*points), name="wrong", metric=Counting())
    assert not model.task.metric.higher_is_better
    assert model.metric_value("test") == pytest.approx(1 - brought.metric_value("test"))


class Failing(nn.Linear):
    def forward(self, inputs):
        raise ValueError("the shapes are wrong")


class Picky(nn.Linear):
    """Takes no batches but those of the sizes that bringing tries first."""

    def forward(self, inputs):
        if len(inputs) not in {1, 4, 64}:
            raise ValueError(f"not {len(inputs)} at once\nsays a second line")
        return super().forward(inputs)


class Wordless(nn.Linear):
    def forward(self, inputs):
        raise AssertionError


class Empty(nn.Linear):
    def forward(self, inputs):
        return {}


class Infinite(nn.Linear):
    def forward(self, inputs):
        return super().forward(inputs) / 0


def spoiled():
    module = nn.Linear(8, 3)
    with torch.no_grad():
        module.weight[0, 0] = torch.nan
    return module


def symbols(x, y):
    """Symbols of which only the last is none of ten."""
    found = y.clone()
    found[-1] = 10
    return found, y


def ragged(x, y):
    return [(row[: 8 - n % 2], label) for n, (row, label) in enumerate(zip(x, y, strict=True))]


def many_lines(x, y):
    yield x[:10], y[:10]
    raise OSError("the net is down\nsays a second line")


def fails(*_args):
    raise ValueError("it does not go\nsays a second line")


def loader(collate):
    return lambda x, y: DataLoader(Pairs(x, y), batch_size=16, collate_fn=collate)


class Breaking(Pairs):
    def __getitem__(self, number):
        if number == 50:
            raise OSError("the disk is gone")
        return super().__getitem__(number)


def stopping(inputs, labels):
    yield inputs[:10], labels[:10]
    raise OSError("the net is down")


REFUSED = {
    "a module that fails": (
        {"module": Failing(8, 3)},
        "fails on the validation data with ValueError: the shapes are wrong",
    ),
    "a module that fails without a word": (
        {"module": Wordless(8, 3)},
        "fails on the validation data with AssertionError: no reason given",
    ),
    "a module that fails on some sizes": (
        {"module": Picky(8, 3)},
        "The module fails on the validation data with ValueError: not",
    ),
    "a symbol out of range at the end": (
        {
            "module": nn.Embedding(10, 3),
            "train": symbols,
            "validation": symbols,
            "test": symbols,
        },
        "The module fails on the validation data with IndexError: index out of range in self",
    ),
    "a test of another width": (
        {"test": lambda x, y: (x[:, :7], y)},
        "The module fails on the test data with RuntimeError: mat1 and mat2",
    ),
    "an empty dict": ({"module": Empty(8, 3)}, "The module returns an empty dict"),
    "weights that are no numbers": ({"module": spoiled()}, "weight holds NaN or infinity"),
    "inputs that are no numbers": (
        {"validation": lambda x, y: (x / 0, y)},
        "The validation inputs hold NaN or infinity",
    ),
    "outputs that are no numbers": (
        {"module": Infinite(8, 3)},
        "The module gives NaN or infinity for finite validation inputs",
    ),
    "examples of several sizes": (
        {"validation": ragged},
        "Some of the validation data's examples cannot be joined into a batch, RuntimeError: ",
    ),
    "a function that cannot join examples": (
        {"validation": loader(fails)},
        "cannot be joined into a batch, ValueError: it does not go: give them",
    ),
    "a function that joins no pair": (
        {"validation": loader(len)},
        "A batch that the collate_fn of the validation data returns is no pair (inputs, target)",
    ),
    "a stream that breaks off with many words": (
        {"train": many_lines},
        "The train data breaks off at item 1 with OSError: the net is down",
    ),
    "names for targets": (
        {"train": lambda x, y: (x, y.numpy().astype(str))},
        "The train targets are of kind <U",
    ),
    "objects for targets": (
        {"train": lambda x, y: (x, y.numpy().astype(object))},
        "The train targets are of kind object, with which modules do not compute: give class",
    ),
    "objects for inputs": (
        {"test": lambda x, y: (x.numpy().astype(object), y)},
        "The test inputs are of kind object, with which modules do not compute: give float32",
    ),
    "small whole numbers for inputs": (
        {"test": lambda x, y: (x.numpy().astype(np.uint16), y)},
        "The test inputs are of kind uint16",
    ),
    "sparse inputs": (
        {"test": lambda x, y: (x.to_sparse(), y)},
        "The test inputs hold sparse tensors: give dense ones",
    ),
    "true or false": (
        {n: lambda x, y: (x, y > 0) for n in ("train", "validation", "test")},
        "targets are true or false, which no built-in metric compares",
    ),
    "true or false, one by one": (
        {"validation": lambda x, y: [(a, bool(b)) for a, b in zip(x, y, strict=True)]},
        "The validation targets are true or false",
    ),
    "numbers for classes": (
        {n: lambda x, y: (x, y.float()) for n in ("train", "validation", "test")},
        "The module gives 3 numbers for each example, but the validation targets hold 1",
    ),
    "numbers in one split only": (
        {"test": lambda x, y: (x, y.float())},
        "The test targets are numbers [n], but the validation targets are whole numbers [n]: give",
    ),
    "outputs for other examples": (
        {"module": nn.Sequential(nn.Linear(8, 3), nn.Flatten(0), nn.Unflatten(0, (-1, 6)))},
        "The module gives outputs for 2 examples when asked for 4",
    ),
    "one class": (
        {
            "module": nn.Linear(8, 1),
            **{n: lambda x, y: (x, y * 0) for n in ("train", "validation", "test")},
        },
        "one class cannot be told apart from others: give an output for each class",
    ),
    "nothing that counts": (
        {
            "module": nn.Embedding(11, 11),
            "train": lambda x, y: sequences(),
            "validation": lambda x, y: sequences(),
            "test": lambda x, y: (sequences()[0], sequences()[1] * 0 - 100),
        },
        "All test targets are -100, which do not count",
    ),
    "a metric that fails": (
        {"metric": fails},
        "The metric fails fails with ValueError: it does not go",
    ),
    "a metric that returns nothing": (
        {"metric": lambda outputs, targets: None},
        "The metric returns None: it must return one number",
    ),
    "a metric that returns many numbers": (
        {"metric": lambda outputs, targets: outputs},
        "it must return one number",
    ),
    "a metric that is no number": (
        {"metric": lambda outputs, targets: float("nan")},
        "on the validation data is not a number",
    ),
    "boxes of no detector": (
        {"metric": "mean average precision"},
        "The metric mean average precision is for detectors",
    ),
    "a name for a loss": ({"loss": "mse"}, "loss must be a function of outputs and targets"),
    "a number of classes": ({"classes": 5}, "classes must be a list of names, not 5"),
    "no module": ({"module": "resnet"}, "Give a torch.nn.Module"),
    "no parameters": ({"module": nn.ReLU()}, "no parameters"),
    "a module elsewhere": ({"module": nn.Linear(8, 3, device="meta")}, "lies on meta"),
    "labels out of range": (
        {"test": lambda x, y: (x, y + 1)},
        "test targets hold the class 3, but the module tells 3 classes apart, 0 to 2",
    ),
    "labels below": ({"train": lambda x, y: (x, y - 1)}, "hold the class -1"),
    "an empty loader": (
        {"validation": lambda x, y: DataLoader(Pairs(x[:0], y[:0]), batch_size=4)},
        "The validation data is empty",
    ),
    "an empty list": ({"train": lambda x, y: []}, "The train data is empty"),
    "inputs elsewhere": (
        {"validation": lambda x, y: (x.to("meta"), y)},
        "The validation data lies on meta",
    ),
    "a data set that breaks off": (
        {"train": Breaking},
        "The train data breaks off at item 50 with OSError: the disk is gone",
    ),
    "a stream that breaks off": (
        {"train": stopping},
        "The train data breaks off at item 1 with OSError: the net is down",
    ),
    "as many of both": ({"test": lambda x, y: (x, y[:-1])}, "80 inputs and 79 targets"),
    "no pairs": ({"test": lambda x, y: [1, 2, 3]}, "Item 0 of the test data is no pair"),
    "no data": ({"test": lambda x, y: 7}, "The test data must be a Dataset"),
    "an unknown metric": ({"metric": "luck"}, "There is no metric 'luck'"),
    "another kind of metric": (
        {"metric": "perplexity"},
        "not such that perplexity can be counted: these are measured by accuracy",
    ),
    "a name": ({"name": "a/b"}, "cannot be a model's name"),
    "a name of dots": ({"name": ".."}, "cannot be a model's name"),
    "class names": ({"classes": ["a"]}, "names 1 classes, but the module tells 3 apart"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_brought_is_one_sentence(case, small, points, halves):
    changes, words = REFUSED[case]
    asked = {"module": small, "name": "small", **halves(*points)}
    for key, change in changes.items():
        data = key in {"train", "validation", "test"}
        asked[key] = change(*asked[key]) if data else change
    with pytest.raises(WorkbenchError) as caught:
        wb.from_module(asked.pop("module"), **asked)
    said = str(caught.value)
    assert words in said
    assert "\n" not in said
    assert wb.models()[-1] != "custom/small"


class Hollow(nn.Linear):
    """Has a parameter without a number."""

    def __init__(self):
        super().__init__(8, 3)
        self.extra = nn.Parameter(torch.zeros(0, 4))


def test_a_parameter_may_be_empty(points, halves):
    model = wb.from_module(Hollow(), **halves(*points), name="hollow")
    assert model.card["layers"]["extra"]["macs"] == 0
    assert wb.measure(model, SMALLER, timed=False).exact


class Bag(nn.Module):
    """Multiplies nothing."""

    def __init__(self):
        super().__init__()
        self.symbols = nn.Embedding(10, 3)

    def forward(self, symbols):
        return self.symbols(symbols).sum(1)


def test_channels_of_what_multiplies_nothing(points, halves):
    inputs = (points[0].abs() * 4).long().clamp(max=9)
    model = wb.from_module(Bag(), **halves(inputs, points[1]), name="bag")
    recipe = wb.Recipe(structure=wb.Structure(0.3))
    assert wb.measure(model, recipe, timed=False).size.structure["macs_removed"] == 0


class Stumbling(nn.Linear):
    def forward(self, inputs):
        if self.training:
            raise RuntimeError("not in training\nsays a second line")
        return super().forward(inputs)


UNTRAINABLE = {
    "a module that fails": (
        {"module": Stumbling(8, 3)},
        "Training fails at step 1 with RuntimeError: not in training",
    ),
    "batch norm of one example": (
        {"module": nn.Sequential(nn.Linear(8, 3), nn.BatchNorm1d(3))},
        "two examples or more, so give a larger batch",
    ),
    "a loss that fails": ({"loss": fails}, "The loss fails with ValueError: it does not go"),
    "a loss that returns nothing": (
        {"loss": lambda outputs, targets: None},
        "The loss returns None: it must return one number",
    ),
    "a loss of each example": (
        {"loss": lambda outputs, targets: outputs.square()},
        "it must return one number, as a tensor",
    ),
    "a loss without a gradient": (
        {"loss": lambda outputs, targets: outputs.detach().mean()},
        "The loss has no gradient",
    ),
}


@pytest.mark.parametrize("case", UNTRAINABLE)
def test_what_cannot_be_trained_is_one_sentence(case, small, points, halves):
    changes, words = UNTRAINABLE[case]
    asked = {"module": small, "name": "small", **halves(*points)}
    for key, change in changes.items():
        asked[key] = change(*asked[key]) if key == "train" else change
    model = wb.from_module(asked.pop("module"), **asked)
    with pytest.raises(WorkbenchError) as caught:
        wb.train(model, steps=2, batch=1)
    said = str(caught.value)
    assert words in said
    assert "\n" not in said


def test_a_module_that_fails_on_the_training_data_is_refused_at_once(small, points, halves):
    data = {**halves(*points), "train": (points[0][:, :7], points[1])}
    with pytest.raises(WorkbenchError, match="The module fails on the train data with Runtime"):
        wb.from_module(small, **data, name="small")


def test_a_module_that_draws_lots_is_refused(points, halves):
    class Random(nn.Linear):
        def forward(self, inputs):
            return super().forward(inputs) + torch.rand(3) * 10

    with pytest.raises(WorkbenchError, match="other outputs when it runs again on the same inputs"):
        wb.from_module(Random(8, 3), **halves(*points), name="random")


def test_a_file_of_a_module_that_is_not_there(brought, monkeypatch):
    from workbench.zoo import registry

    artifact = wb.compress(brought, SMALLER)
    monkeypatch.setattr(registry, "_user_models", registry.UserModels())
    with pytest.raises(WorkbenchError, match=r"somebody's own model: bring it first"):
        wb.evaluate(artifact)
