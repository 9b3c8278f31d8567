"""Checkpoints as training scripts write them: wrapped, prefixed, old, tied, or not fitting."""

from __future__ import annotations

import argparse
import copy
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import workbench as wb
from tests.raises import raises


def prefixed(prefix):
    return lambda state: OrderedDict((prefix + name, value) for name, value in state.items())


def old(state):
    """Return `state` as PyTorch 0.4 wrote it."""
    return {name: value for name, value in state.items() if "num_batches" not in name}


def lightning(state):
    return {
        "state_dict": prefixed("model.")(state),
        "hyper_parameters": {"lr": 0.1, "args": argparse.Namespace(depth=20)},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": []}],
        "epoch": 3,
        "best": np.float64(0.9),
    }


def renamed_inside(state):
    """Return `state` of a network in which only the second layer was compiled."""
    return {name.replace("norm.", "norm._orig_mod."): value for name, value in state.items()}


LAYOUTS = {
    "plain": lambda state: state,
    "DataParallel": prefixed("module."),
    "compiled": prefixed("_orig_mod."),
    "compiled, then DataParallel": prefixed("module._orig_mod."),
    "DataParallel, then compiled": prefixed("_orig_mod.module."),
    "averaged": lambda state: {"n_averaged": torch.tensor(3), **prefixed("module.")(state)},
    "averaged and compiled": lambda state: {
        **prefixed("module._orig_mod.")(state),
        "n_averaged": torch.tensor(3),
    },
    "the attribute of a trainer": prefixed("net."),
    "three at once": prefixed("model._orig_mod.module."),
    "one layer compiled": renamed_inside,
    "without counters": old,
    "DataParallel without counters": lambda state: prefixed("module.")(old(state)),
    "next to other entries": lambda state: {"epoch": 1, "state_dict": state, "best_prec1": 91.2},
    "twice nested": lambda state: {"checkpoint": {"model": {"state_dict": state}}},
    "next to an average": lambda state: {"ema": {n: v * 0 for n, v in state.items()}, "net": state},
    "only the average": lambda state: {"model_ema": state, "epoch": 1},
    "Lightning": lightning,
    "parameters": lambda state: {n: nn.Parameter(v, False) for n, v in state.items()},
    "half precision": lambda state: {
        n: v.half() if v.is_floating_point() else v for n, v in state.items()
    },
}


class Block(nn.Module):
    """Like the public ResNet-20 for CIFAR: convolution, norm, head."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return self.linear(self.norm(self.conv(x)).mean((2, 3)))


def trained():
    torch.manual_seed(1)
    module = Block()
    module.norm.running_mean.normal_()
    return module


@pytest.mark.parametrize("layout", LAYOUTS)
def test_checkpoints_of_training_scripts_load(layout, tmp_path):
    expected = trained().state_dict()
    path = tmp_path / "weights.pth"
    torch.save(LAYOUTS[layout](copy.deepcopy(expected)), path)
    module = Block()
    assert wb.from_checkpoint(path, module) is module
    assert not module.training
    close = {"atol": 1e-3, "rtol": 1e-3} if layout == "half precision" else {"atol": 0, "rtol": 0}
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(tensor, expected[name], **close)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model."])
def test_prefixes_in_safetensors_load(prefix, tmp_path):
    expected = trained().state_dict()
    save_file(prefixed(prefix)(expected), tmp_path / "w.safetensors")
    module = wb.from_checkpoint(tmp_path / "w.safetensors", Block())
    assert torch.equal(module.conv.weight, expected["conv.weight"])


def test_plain_weights_load_into_a_wrapped_module(tmp_path):
    expected = trained().state_dict()
    torch.save(expected, tmp_path / "w.pt")
    module = wb.from_checkpoint(tmp_path / "w.pt", nn.DataParallel(Block()))
    assert torch.equal(module.module.conv.weight, expected["conv.weight"])


class Renaming(nn.Linear):
    """Reads old checkpoints, in which its weight had another name."""

    def _load_from_state_dict(self, state_dict, prefix, *others):
        if f"{prefix}kernel" in state_dict:
            state_dict[f"{prefix}weight"] = state_dict.pop(f"{prefix}kernel")
        super()._load_from_state_dict(state_dict, prefix, *others)


class Hooked(nn.Module):
    """Adds entries that are missing in old checkpoints, with a hook."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.register_buffer("scale", torch.ones(1))
        self.register_load_state_dict_pre_hook(complete)


def complete(module, state, prefix, *others):
    state.setdefault(f"{prefix}scale", torch.full((1,), 2.0))


class Extra(nn.Linear):
    """Has extra state that is not a tensor."""

    def get_extra_state(self):
        return {"version": 1}

    def set_extra_state(self, state):
        self.version = state["version"]


STRICT = {
    "a renamed weight": (
        lambda: Renaming(4, 2),
        {"kernel": torch.ones(2, 4), "bias": torch.ones(2)},
    ),
    "a hook that adds a missing entry": (
        Hooked,
        {"layer.weight": torch.ones(2, 4), "layer.bias": torch.ones(2)},
    ),
    "extra state": (
        lambda: Extra(4, 2),
        {"weight": torch.ones(2, 4), "bias": torch.ones(2), "_extra_state": {"version": 7}},
    ),
    "a layer without a shape yet": (
        lambda: nn.LazyLinear(2),
        {"weight": torch.ones(2, 4), "bias": torch.ones(2)},
    ),
}


@pytest.mark.parametrize("case", STRICT)
def test_state_that_the_module_loads_strictly_is_accepted(case, tmp_path):
    make, state = STRICT[case]
    torch.save(state, tmp_path / "w.pt")
    reference = make()
    reference.load_state_dict(dict(state), strict=True)
    module = wb.from_checkpoint(tmp_path / "w.pt", make())
    assert module.state_dict().keys() == reference.state_dict().keys()
    for name, value in reference.state_dict().items():
        loaded = module.state_dict()[name]
        assert torch.equal(loaded, value) if isinstance(value, torch.Tensor) else loaded == value


def with_other_shape(state):
    return {**state, "conv.weight": torch.zeros(5, 3, 3, 3)}


def partly_prefixed(state):
    """Add a prefix to some names only, so that it is not that of a wrapper."""
    return {(f"net.{n}" if "conv" in n else n): v for n, v in state.items()}


REFUSED = {
    "another shape": (
        with_other_shape,
        "file.wrong_module",
        "conv.weight has another shape",
        "(5, 3, 3, 3)",
    ),
    "another shape behind a prefix": (
        lambda state: prefixed("module.")(with_other_shape(state)),
        "file.wrong_module",
        "conv.weight has another shape",
    ),
    "one missing": (
        lambda state: prefixed("module.")({n: v for n, v in state.items() if n != "linear.bias"}),
        "file.wrong_module",
        "linear.bias is missing.",
    ),
    "one too many": (
        lambda state: {**state, "head": torch.ones(1)},
        "file.wrong_module",
        "head is not in the module",
    ),
    "a prefix of some": (
        partly_prefixed,
        "file.wrong_module",
        "conv.weight, conv.bias are missing",
    ),
    "an optimizer": (
        lambda state: {"state": {0: {"exp_avg": torch.zeros(2)}}},
        "file.wrong_module",
        "are missing",
        "exp_avg is not in the module",
    ),
    "nothing": (lambda state: {"epoch": 3}, "file.no_tensors"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_state_that_does_not_fit_leaves_the_module_unchanged(case, tmp_path):
    change, code, *facts = REFUSED[case]
    torch.save(change(trained().state_dict()), tmp_path / "w.pt")
    module = Block()
    before = copy.deepcopy(module.state_dict())
    with raises(code, *facts) as caught:
        wb.from_checkpoint(tmp_path / "w.pt", module)
    assert "\n" not in str(caught.value)
    assert module.training
    assert all(torch.equal(module.state_dict()[name], value) for name, value in before.items())


def test_a_hook_that_fails_is_reported(tmp_path):
    class Failing(nn.Linear):
        def _load_from_state_dict(self, *others):
            raise ValueError("too old\nby far")

    torch.save(nn.Linear(4, 2).state_dict(), tmp_path / "w.pt")
    with raises("file.wrong_module", "too old"):
        wb.from_checkpoint(tmp_path / "w.pt", Failing(4, 2))
