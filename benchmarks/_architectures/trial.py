"""One architecture through the file: coded, written, read into a fresh module, run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from _architectures.architecture import Architecture, run
from workbench.artifact.artifact import Artifact
from workbench.compression.coded import Uncompressed
from workbench.compression.encode import encode_tensors
from workbench.recipe import Prune, Quantize, Recipe

RECIPE = Recipe(prune=Prune(0.5, scope="uniform"), quantize=Quantize(bits=4))
SEEDS = (1, 2)
"""Of the two inputs."""

LEAST_CODED, LARGEST_SHARE = 0.95, 1 / 6
SAME = 1e-3
"""Outputs that differ by less than this share of the largest are no different."""


@dataclass(frozen=True)
class Trial:
    """What became of an architecture.

    `coded` is the share of the values of matrices and larger tensors that are codes, `share` the
    file's length against four bytes a value, `answer` the digest of the outputs, and `faults`
    says what is not as it should be.
    """

    architecture: Architecture
    blob: bytes
    values: int
    coded: float
    share: float
    answer: str
    faults: tuple[str, ...]


def own_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return what a file has to hold: every parameter and kept buffer, tied ones once."""
    found: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        found.setdefault(id(tensor), (name, tensor))
    return dict(found.values())


@torch.no_grad()
def randomize(module: nn.Module, seed: int) -> None:
    """Give every parameter, and running means and variances, other values drawn by lot.

    Matrices keep the size of what they multiply; vectors stay around the values that they begin
    with, ones or zeros, since many a network computes with their logarithms or their roots.
    """
    lot = torch.Generator().manual_seed(seed)
    for name, tensor in own_tensors(module).items():
        noise = torch.randn(tensor.shape, generator=lot)
        if isinstance(_owner(module, name), _BatchNorm) and name.endswith(".weight"):
            tensor.copy_(1 + 0.1 * noise)  # MobileViT's begin at zero, and let nothing through
        elif name.endswith("running_var"):
            tensor.copy_(0.5 + 0.1 * noise.abs())
        elif name.endswith("running_mean"):
            tensor.copy_(0.1 * noise)
        elif not isinstance(tensor, nn.Parameter):
            continue  # tables of places, masks, counts of batches
        elif tensor.ndim < 2:
            tensor.add_(0.1 * noise)
        else:
            tensor.copy_(noise * (2 * tensor.shape[0] / tensor.numel()) ** 0.5)


def _owner(module: nn.Module, name: str) -> nn.Module:
    return module.get_submodule(name.rpartition(".")[0])


def fresh(architecture: Architecture, seed: int) -> nn.Module:
    """Return a module whose beginning values nobody needs."""
    torch.manual_seed(seed)
    return architecture.build().eval()


@torch.no_grad()
def outputs(architecture: Architecture, module: nn.Module) -> list[list[Tensor]]:
    """Return the outputs for each of the two inputs."""
    return [run(module, architecture.inputs(seed)) for seed in SEEDS]


def digest(made: list[list[Tensor]]) -> str:
    """Return what tells outputs from any others, to the last bit."""
    data = b"".join(one.contiguous().numpy().tobytes() for row in made for one in row)
    return hashlib.sha256(data).hexdigest()


def put(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load `tensors`, which must be all that the module has; what is tied follows."""
    tied = module.state_dict().keys() - own_tensors(module).keys()
    missing, unknown = module.load_state_dict(tensors, strict=False)
    assert not unknown, unknown
    assert set(missing) <= tied, missing


def answer(architecture: Architecture, blob: bytes) -> str:
    """Return the digest of what a fresh module answers that has a file's bytes and no more."""
    module = fresh(architecture, 1)
    put(module, Artifact.from_bytes(blob).weights())
    return digest(outputs(architecture, module))


def attempt(architecture: Architecture) -> Trial:
    """Prune and code an architecture, and compare what it answers before and after."""
    module = fresh(architecture, 0)
    randomize(module, 0)
    before = outputs(architecture, module)
    tensors = {name: tensor.detach().clone() for name, tensor in own_tensors(module).items()}
    coded = encode_tensors(tensors, RECIPE)
    blob = Artifact.of(architecture.name, RECIPE, coded).to_bytes()
    put(module, {name: one.tensor() for name, one in coded.items()})
    after = outputs(architecture, module)
    matrices = {name: one for name, one in coded.items() if tensors[name].ndim >= 2}
    values = sum(tensors[name].numel() for name in matrices)
    plain = sum(
        tensors[name].numel() for name, one in matrices.items() if isinstance(one, Uncompressed)
    )
    whole = sum(tensor.numel() for tensor in tensors.values())
    share, is_coded = len(blob) / (4 * whole), 1 - plain / values
    conditions = {
        "too few values are coded": is_coded >= LEAST_CODED,
        "the file is too large": share <= LARGEST_SHARE,
        "outputs are not finite": all(one.isfinite().all() for row in after for one in row),
        "outputs are as before": any(map(_differ, before[0], after[0])),
        "outputs are the same for two inputs": any(map(_differ, after[0], after[1])),
    }
    faults = tuple(said for said, holds in conditions.items() if not holds)
    return Trial(architecture, blob, whole, is_coded, share, digest(after), faults)


def _differ(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() > SAME * one.abs().max())
