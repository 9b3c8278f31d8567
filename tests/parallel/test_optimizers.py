"""The optimizers of ranks give the bits of PyTorch's."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from workbench.parallel.rank.optimizers import Adam, Sgd


@pytest.mark.parametrize(("own", "theirs"), [(Sgd, torch.optim.SGD), (Adam, torch.optim.Adam)])
def test_they_give_the_bits_of_pytorch(own, theirs):
    torch.manual_seed(0)
    networks = [nn.Linear(7, 5), nn.Linear(7, 5)]
    networks[1].load_state_dict(networks[0].state_dict())
    optimizers = [
        own(networks[0].parameters(), 0.01),
        theirs(networks[1].parameters(), lr=0.01),
    ]
    for _step in range(20):
        inputs = torch.randn(9, 7)
        for network, optimizer in zip(networks, optimizers, strict=True):
            optimizer.zero_grad()
            network(inputs).square().mean().backward()
            optimizer.step()
    assert torch.equal(networks[0].weight, networks[1].weight)
    assert torch.equal(networks[0].bias, networks[1].bias)


@pytest.mark.slow
def test_a_rank_of_data_parallel_training_does_not_load_the_compiler():
    code = (
        "import sys, torch, workbench.parallel.rank.training\n"
        "from workbench.parallel.rank.data_parallel import Synchronized\n"
        "from workbench.parallel.rank.optimizers import Adam\n"
        "p = torch.nn.Parameter(torch.ones(3)); o = Adam([p], 0.1)\n"
        "o.zero_grad(); p.sum().backward(); o.step()\n"
        "print('torch._dynamo' in sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output == "False\n"
