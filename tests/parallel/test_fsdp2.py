"""The layout of ZeRO-2 and ZeRO-3 is that of PyTorch's FSDP2, to the byte."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from torch import nn

from workbench.parallel.formulas import held_bytes
from workbench.parallel.plan import Plan


class Tied(nn.Module):
    """An embedding that is the output layer too, and parameters of one and three axes."""

    def __init__(self):
        super().__init__()
        self.embed, self.out = nn.Embedding(11, 6), nn.Linear(6, 11, bias=False)
        self.out.weight = self.embed.weight
        self.scale, self.mix = nn.Parameter(torch.ones(1)), nn.Parameter(torch.randn(5, 3, 6))

    def forward(self, codes):
        return self.out(self.embed(codes).mean(1) * self.scale + self.mix.mean((0, 1)))


NETWORKS = {
    "convolutions": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 5, 3), nn.BatchNorm2d(5), nn.Flatten(), nn.Linear(20, 7, bias=False)
        ),
        lambda: torch.randn(4, 1, 4, 4),
    ),
    "transformer": (
        lambda: nn.TransformerEncoderLayer(6, 2, 9, batch_first=True),
        lambda: torch.randn(2, 3, 6),
    ),
    "tied": (Tied, lambda: torch.randint(0, 11, (2, 3))),
}


def nbytes(tensors):
    """Return the bytes of the storages of DTensors, each counted once."""
    storages = [tensor.to_local().untyped_storage() for tensor in tensors]
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("ranks", "rank"), [(2, 0), (2, 1), (3, 1), (3, 2), (4, 0), (4, 3)])
def test_each_rank_holds_what_fsdp2_holds(name, ranks, rank):
    fully_shard = pytest.importorskip("torch.distributed.fsdp").fully_shard  # slow to import
    fake = pytest.importorskip("torch.testing._internal.distributed.fake_pg")
    make, inputs = NETWORKS[name]
    dist.init_process_group("fake", rank=rank, world_size=ranks, store=fake.FakeStore())
    try:
        module = make()
        shapes = {key: tuple(p.shape) for key, p in module.named_parameters()}
        mesh = dist.device_mesh.init_device_mesh("cpu", (ranks,))
        fully_shard(module, mesh=mesh)
        parameters = list(module.parameters())
        optimizer = torch.optim.Adam(parameters)
        module(inputs()).sum().backward()
        optimizer.step()
        moments = [value for state in optimizer.state.values() for value in state.values()]
        measured = {
            "weights": nbytes(parameters),
            "gradients": nbytes([p.grad for p in parameters]),
            "optimizer": nbytes([moment for moment in moments if moment.ndim]),
        }
    finally:
        dist.destroy_process_group()
    for strategy in ("zero2", "zero3"):
        assert held_bytes(Plan(strategy, ranks=ranks), shapes, rank) == measured
