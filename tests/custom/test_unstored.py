"""Values that a module holds and files do not store: a module with other values is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import workbench as wb
from tests.raises import raises
from workbench.artifact import container
from workbench.artifact.artifact import Artifact
from workbench.artifact.unstored import fingerprint


class Unsaved(nn.Module):
    """Random features, in a place that `state_dict` leaves out."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(16, 3)
        self.hold(torch.randn(4, 16))

    def hold(self, values):
        self.register_buffer("values", values, persistent=False)

    def held(self):
        return self.values

    def forward(self, x):
        return self.head((x @ torch.as_tensor(self.held(), dtype=x.dtype)).sin())


class Attribute(Unsaved):
    def hold(self, values):
        self.values = values


class InList(Unsaved):
    def hold(self, values):
        self.parts = [values[:2], values[2:]]

    def held(self):
        return torch.cat(self.parts)


class InDict(Unsaved):
    def hold(self, values):
        self.parts = {"a": (values[:2], 1), "b": (values[2:], 2)}

    def held(self):
        return torch.cat([part for part, _ in self.parts.values()])


class InCycle(Unsaved):
    def hold(self, values):
        self.tree = {"values": values, "children": []}
        self.tree["children"].append({"parent": self.tree})

    def held(self):
        return self.tree["values"]


class Array(Unsaved):
    def hold(self, values):
        self.values = values.numpy()


class SparseBuffer(Unsaved):
    def hold(self, values):
        self.register_buffer("values", values.relu().to_sparse())

    def held(self):
        return self.values.to_dense()


class Permuted(Unsaved):
    def hold(self, _values):
        self.register_buffer("order", torch.randperm(16), persistent=False)

    def held(self):
        return torch.eye(16)[self.order][:4]


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Attribute()

    def forward(self, x):
        return self.inner(x)


class FittedLater(Unsaved):
    def hold(self, _values):
        self.values = None

    def held(self):
        return torch.eye(16)[:4] if self.values is None else self.values


class Table(Unsaved):
    """A table that every construction computes alike."""

    def hold(self, _values):
        self.register_buffer("mask", torch.full((4, 16), -torch.inf).triu(1), persistent=False)
        self.table = torch.arange(64.0).reshape(4, 16).sin()

    def held(self):
        return self.table + self.mask.exp()


class Cached(Unsaved):
    """Tables that forward computes when it first needs them."""

    def hold(self, _values):
        self.table = None
        self.tables = {}
        self.register_buffer("rows", torch.zeros(0, 16), persistent=False)

    def held(self):
        if self.table is None:
            self.table = torch.linspace(-1, 1, 64).reshape(4, 16)
        if 16 not in self.tables:
            self.tables[16] = torch.linspace(0, 1, 16)
        if len(self.rows) < 4:
            self.rows = torch.linspace(1, 2, 64).reshape(4, 16)
        return self.table + self.tables[16] + self.rows[:4]


class Recorder(Attribute):
    """It keeps its last outputs, and has random values that forward does not use."""

    def hold(self, values):
        super().hold(torch.linspace(-1, 1, 64).reshape(4, 16))
        self.last = torch.zeros(1)
        self.noise = values

    def forward(self, x):
        self.last = super().forward(x)
        return self.last


RANDOM = {
    Unsaved: "values",
    Attribute: "values",
    InList: "parts[0], parts[1]",
    InDict: "parts['a'][0], parts['b'][0]",
    InCycle: "tree['values']",
    Array: "values",
    SparseBuffer: "values.indices, values.values",
    Permuted: "order",
    Inner: "inner.values",
}
RECIPE = wb.Recipe(quantize=wb.Quantize(8))
X = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(40) % 3


def make(kind, seed):
    torch.manual_seed(seed)
    return kind().eval()


def registered(module):
    return wb.from_module(module, train=(X, Y), validation=(X, Y), test=(X, Y), name="unstored")


def compressed(module):
    return Artifact.from_bytes(wb.compress(registered(module), RECIPE).to_bytes())


@pytest.mark.parametrize("kind", RANDOM, ids=lambda kind: kind.__name__)
def test_other_values_are_refused_and_equal_ones_accepted(kind):
    module = make(kind, 0)
    artifact = compressed(module)
    expected = wb.to_module(artifact, module=module)(X)
    again = make(kind, 0)
    assert torch.equal(wb.to_module(artifact, module=again)(X), expected)
    other = make(kind, 1)
    with raises("artifact.other_values", RANDOM[kind]):
        wb.to_module(artifact, module=other)
    registered_again = registered(again)
    accuracy = wb.evaluate(artifact, timed=False).accuracy
    assert accuracy == wb.measure(registered_again, RECIPE, timed=False).accuracy
    other_model = registered(other)
    with raises("artifact.other_values", RANDOM[kind]):
        wb.evaluate(artifact, timed=False)
    assert wb.compress(other_model, RECIPE).unstored != artifact.unstored


@pytest.mark.parametrize("kind", [Table, Cached, Recorder], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("warm", [False, True])
def test_values_that_a_module_computes_itself_are_accepted(kind, warm):
    module = make(kind, 0)
    if warm:
        module(X)
    artifact = compressed(module)
    expected = wb.to_module(artifact, module=module)(X)
    module(X)
    for other in (module, make(kind, 1)):
        assert torch.equal(wb.to_module(artifact, module=other)(X), expected)
    registered(make(kind, 1))
    wb.evaluate(artifact, timed=False)


def test_values_that_are_set_after_construction_are_needed():
    module = make(FittedLater, 0)
    module.values = torch.randn(4, 16)
    artifact = compressed(module)
    with raises("artifact.other_values", "values"):
        wb.to_module(artifact, module=make(FittedLater, 0))
    registered(make(FittedLater, 0))
    with raises("artifact.other_values", "values"):
        wb.evaluate(artifact, timed=False)


@pytest.mark.slow
def test_a_new_process_accepts_the_values_of_the_same_seed(tmp_path):
    path = wb.compress(registered(make(Unsaved, 0)), RECIPE).save(tmp_path / "a.safetensors")
    code = (
        "import sys, workbench as wb\n"
        "from tests.custom.test_unstored import Unsaved, make, registered\n"
        "registered(make(Unsaved, 0))\n"
        "print(wb.evaluate(sys.argv[1], timed=False).accuracy)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) == wb.evaluate(path, timed=False).accuracy


def test_rounding_is_not_another_value():
    module = make(Unsaved, 0)
    artifact = compressed(module)
    for rounded in (module.values * (1 + 1e-6), module.values.bfloat16()):
        module.values = rounded
        wb.to_module(artifact, module=module)
    module.values = module.values.float()
    module.values[0] *= -1
    with raises("artifact.other_values"):
        wb.to_module(artifact, module=module)


def test_files_without_the_key_are_read():
    artifact = compressed(make(Unsaved, 0))
    assert artifact.unstored.keys() == {"values"}
    assert artifact.ledger.total == len(artifact) == len(artifact.to_bytes())
    older = dict(artifact._header)
    del older["unstored"], older["sha256"]
    _header, data = container.unpack(artifact.to_bytes())
    blob, _digest = container.pack(older, data)
    assert len(blob) < len(artifact)
    assert wb.to_module(Artifact.from_bytes(blob), module=make(Unsaved, 1))(X).shape == (40, 3)


def test_a_module_without_such_values_has_no_key():
    assert b'unstored":' not in wb.compress(registered(nn.Linear(4, 3)), RECIPE).to_bytes()


@pytest.mark.parametrize(
    "content",
    [[], {}, {"a": 1}, {"a": [[1], 1.0, [0.0]]}, {"a": [[-1], 1.0, [0.0] * 4]}],
)
def test_damaged_descriptions_are_refused(content):
    header, data = container.unpack(compressed(make(Unsaved, 0)).to_bytes())
    header["unstored"] = content
    del header["sha256"]
    blob, _digest = container.pack(header, data)
    with raises("artifact.invalid_unstored"):
        Artifact.from_bytes(blob)


@pytest.mark.parametrize(
    "values",
    [
        torch.randn(3, 5),
        torch.tensor([torch.nan, torch.inf, -torch.inf, 1.0]),
        torch.zeros(0, 3),
        torch.tensor(True),
        torch.randn(4, dtype=torch.complex64).conj(),
        torch.tensor([torch.finfo().max, torch.finfo().min]),
        torch.randn(3, dtype=torch.bfloat16),
    ],
)
def test_fingerprints_are_finite(values):
    shape, scale, sums = fingerprint(values)
    assert shape == list(values.shape)
    assert np.isfinite([scale, *sums]).all()
    assert fingerprint(values.clone()) == [shape, scale, sums]
