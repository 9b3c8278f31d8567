"""Modules, data and arguments that cannot be used are refused with an error code."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader

import workbench as wb
from tests.custom.datasets import Pairs, sequences
from tests.raises import raises


class Failing(nn.Linear):
    def forward(self, inputs):
        raise ValueError("the shapes are wrong")


class Picky(nn.Linear):
    """Accepts only batches of the sizes on which modules are probed."""

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


def with_nan():
    module = nn.Linear(8, 3)
    with torch.no_grad():
        module.weight[0, 0] = torch.nan
    return module


def symbols(x, y):
    """Symbols of which only the last is out of range."""
    changed = y.clone()
    changed[-1] = 10
    return changed, y


def ragged(x, y):
    return [(row[: 8 - n % 2], label) for n, (row, label) in enumerate(zip(x, y, strict=True))]


def many_lines(x, y):
    yield x[:10], y[:10]
    raise OSError("the net is down\nsays a second line")


def fails(*_args):
    raise ValueError("it does not go\nsays a second line")


def loader(collate):
    return lambda x, y: DataLoader(Pairs(x, y), batch_size=16, collate_fn=collate)


class FailingDataset(Pairs):
    def __getitem__(self, number):
        if number == 50:
            raise OSError("the disk is gone")
        return super().__getitem__(number)


def failing_stream(inputs, labels):
    yield inputs[:10], labels[:10]
    raise OSError("the net is down")


REFUSED = {
    "a module that fails": (
        {"module": Failing(8, 3)},
        "module.failed",
        "the validation data with ValueError: the shapes are wrong",
    ),
    "a module that fails without a message": (
        {"module": Wordless(8, 3)},
        "module.failed",
        "the validation data with AssertionError: no reason given",
    ),
    "a module that fails on some sizes": (
        {"module": Picky(8, 3)},
        "module.failed",
        "the validation data with ValueError: not",
    ),
    "a symbol out of range at the end": (
        {
            "module": nn.Embedding(10, 3),
            "train": symbols,
            "validation": symbols,
            "test": symbols,
        },
        "module.failed",
        "the validation data with IndexError: index out of range in self",
    ),
    "a test of another width": (
        {"test": lambda x, y: (x[:, :7], y)},
        "module.failed",
        "the test data with RuntimeError: mat1 and mat2",
    ),
    "an empty dict": ({"module": Empty(8, 3)}, "module.no_outputs"),
    "weights with NaN": ({"module": with_nan()}, "module.weights_not_finite", "weight"),
    "inputs with NaN": ({"validation": lambda x, y: (x / 0, y)}, "data.not_finite", "validation"),
    "outputs that are infinite": (
        {"module": Infinite(8, 3)},
        "module.outputs_not_finite",
        "validation",
    ),
    "examples of several sizes": (
        {"validation": ragged},
        "data.not_collatable",
        "validation",
        "RuntimeError: ",
    ),
    "a collate_fn that fails": (
        {"validation": loader(fails)},
        "data.not_collatable",
        "ValueError: it does not go",
    ),
    "a collate_fn that returns no pair": (
        {"validation": loader(len)},
        "data.not_a_pair",
        "collate_fn of the validation data",
    ),
    "a stream that fails with several lines": (
        {"train": many_lines},
        "data.reading_failed",
        "item 1 of the train data",
        "OSError: the net is down",
    ),
    "names for targets": (
        {"train": lambda x, y: (x, y.numpy().astype(str))},
        "data.dtype",
        "train targets",
        "<U",
    ),
    "objects for targets": (
        {"train": lambda x, y: (x, y.numpy().astype(object))},
        "data.dtype",
        "train targets",
        "object",
        "class indices as int64",
    ),
    "objects for inputs": (
        {"test": lambda x, y: (x.numpy().astype(object), y)},
        "data.dtype",
        "test inputs",
        "object",
        "float32",
    ),
    "small integers for inputs": (
        {"test": lambda x, y: (x.numpy().astype(np.uint16), y)},
        "data.dtype",
        "test inputs",
        "uint16",
    ),
    "sparse inputs": (
        {"test": lambda x, y: (x.to_sparse(), y)},
        "data.sparse",
        "test inputs",
        ".to_dense()",
    ),
    "booleans": (
        {n: lambda x, y: (x, y > 0) for n in ("train", "validation", "test")},
        "data.boolean_targets",
    ),
    "booleans, one by one": (
        {"validation": lambda x, y: [(a, bool(b)) for a, b in zip(x, y, strict=True)]},
        "data.boolean_targets",
        "validation",
    ),
    "numbers for classes": (
        {n: lambda x, y: (x, y.float()) for n in ("train", "validation", "test")},
        "module.output_size",
        "3 numbers",
        "validation targets have 1",
    ),
    "numbers in one split only": (
        {"test": lambda x, y: (x, y.float())},
        "data.mixed_targets",
        "test targets are numbers [n]",
        "validation targets are integers [n]",
    ),
    "outputs for other examples": (
        {"module": nn.Sequential(nn.Linear(8, 3), nn.Flatten(0), nn.Unflatten(0, (-1, 6)))},
        "module.output_rows",
        "2 examples",
        "4",
    ),
    "one class": (
        {
            "module": nn.Linear(8, 1),
            **{n: lambda x, y: (x, y * 0) for n in ("train", "validation", "test")},
        },
        "module.single_output",
    ),
    "only ignored targets": (
        {
            "module": nn.Embedding(11, 11),
            "train": lambda x, y: sequences(),
            "validation": lambda x, y: sequences(),
            "test": lambda x, y: (sequences()[0], sequences()[1] * 0 - 100),
        },
        "data.no_targets",
        "test targets are -100",
    ),
    "a metric that fails": (
        {"metric": fails},
        "metric.failed",
        "The metric fails fails with ValueError: it does not go",
    ),
    "a metric that returns nothing": (
        {"metric": lambda outputs, targets: None},
        "metric.not_scalar",
        "None",
    ),
    "a metric that returns many numbers": (
        {"metric": lambda outputs, targets: outputs},
        "metric.not_scalar",
    ),
    "a metric that returns NaN": (
        {"metric": lambda outputs, targets: float("nan")},
        "metric.not_a_number",
        "validation",
    ),
    "a metric for detectors": (
        {"metric": "mean average precision"},
        "metric.unsuitable",
        "mean average precision",
        "detectors",
    ),
    "a name for a loss": ({"loss": "mse"}, "argument.invalid_type", "loss"),
    "a number of classes": ({"classes": 5}, "argument.invalid_type", "classes", "5"),
    "no module": ({"module": "resnet"}, "module.invalid_type", "torch.nn.Module", "resnet"),
    "no parameters": ({"module": nn.ReLU()}, "module.no_parameters"),
    "a module on another device": (
        {"module": nn.Linear(8, 3, device="meta")},
        "module.wrong_device",
        "meta",
    ),
    "labels out of range": (
        {"test": lambda x, y: (x, y + 1)},
        "data.class_out_of_range",
        "test targets contain the class 3",
        "0 to 2",
    ),
    "negative labels": (
        {"train": lambda x, y: (x, y - 1)},
        "data.class_out_of_range",
        "the class -1",
    ),
    "an empty loader": (
        {"validation": lambda x, y: DataLoader(Pairs(x[:0], y[:0]), batch_size=4)},
        "data.empty",
        "validation",
    ),
    "an empty list": ({"train": lambda x, y: []}, "data.empty", "train"),
    "inputs on another device": (
        {"validation": lambda x, y: (x.to("meta"), y)},
        "data.wrong_device",
        "validation data is on meta",
    ),
    "a dataset that fails": (
        {"train": FailingDataset},
        "data.reading_failed",
        "item 50 of the train data",
        "OSError: the disk is gone",
    ),
    "a stream that fails": (
        {"train": failing_stream},
        "data.reading_failed",
        "item 1 of the train data",
        "OSError: the net is down",
    ),
    "fewer targets than inputs": (
        {"test": lambda x, y: (x, y[:-1])},
        "data.row_count",
        "80 inputs and 79 targets",
    ),
    "no pairs": ({"test": lambda x, y: [1, 2, 3]}, "data.not_a_pair", "Item 0 of the test data"),
    "no data": ({"test": lambda x, y: 7}, "data.invalid_type", "test", "Dataset"),
    "an unknown metric": ({"metric": "luck"}, "metric.unknown", "luck"),
    "another kind of metric": (
        {"metric": "perplexity"},
        "metric.unsuitable",
        "perplexity",
        "accuracy",
    ),
    "a name with a slash": ({"name": "a/b"}, "name.invalid", "a/b"),
    "a name of dots": ({"name": ".."}, "name.invalid"),
    "class names": ({"classes": ["a"]}, "argument.class_count", "1 names", "3 outputs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_modules_data_and_arguments_are_refused(case, small, points, make_splits):
    changes, code, *facts = REFUSED[case]
    arguments = {"module": small, "name": "small", **make_splits(*points)}
    for key, change in changes.items():
        is_data = key in {"train", "validation", "test"}
        arguments[key] = change(*arguments[key]) if is_data else change
    with raises(code, *facts) as caught:
        wb.from_module(arguments.pop("module"), **arguments)
    assert "\n" not in str(caught.value)
    assert wb.models()[-1] != "custom/small"


class FailsInTraining(nn.Linear):
    def forward(self, inputs):
        if self.training:
            raise RuntimeError("not in training\nsays a second line")
        return super().forward(inputs)


UNTRAINABLE = {
    "a module that fails": (
        {"module": FailsInTraining(8, 3)},
        "module.failed",
        "step 1",
        "RuntimeError: not in training",
    ),
    "batch norm of one example": (
        {"module": nn.Sequential(nn.Linear(8, 3), nn.BatchNorm1d(3))},
        "module.failed",
        "batch",
    ),
    "a loss that fails": (
        {"loss": fails},
        "training.loss_failed",
        "The loss fails with ValueError: it does not go",
    ),
    "a loss that returns nothing": (
        {"loss": lambda outputs, targets: None},
        "training.loss_not_scalar",
        "None",
    ),
    "a loss of each example": (
        {"loss": lambda outputs, targets: outputs.square()},
        "training.loss_not_scalar",
    ),
    "a loss without a gradient": (
        {"loss": lambda outputs, targets: outputs.detach().mean()},
        "training.loss_without_gradient",
    ),
}


@pytest.mark.parametrize("case", UNTRAINABLE)
def test_training_failures_are_one_sentence(case, small, points, make_splits):
    changes, code, *facts = UNTRAINABLE[case]
    arguments = {"module": small, "name": "small", **make_splits(*points)}
    for key, change in changes.items():
        arguments[key] = change(*arguments[key]) if key == "train" else change
    model = wb.from_module(arguments.pop("module"), **arguments)
    with raises(code, *facts) as caught:
        wb.train(model, steps=2, batch=1)
    assert "\n" not in str(caught.value)


def test_a_module_that_fails_on_the_training_data_is_refused_immediately(
    small, points, make_splits
):
    data = {**make_splits(*points), "train": (points[0][:, :7], points[1])}
    with raises("module.failed", "train", "RuntimeError"):
        wb.from_module(small, **data, name="small")


def test_a_module_with_random_outputs_is_refused(points, make_splits):
    class Random(nn.Linear):
        def forward(self, inputs):
            return super().forward(inputs) + torch.rand(3) * 10

    with raises("module.not_deterministic"):
        wb.from_module(Random(8, 3), **make_splits(*points), name="random")
