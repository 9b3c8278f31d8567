"""Encode one architecture, write it, load it into a new module, and run it."""

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
"""The seeds of the two inputs."""

MIN_ENCODED, MAX_SIZE = 0.95, 1 / 6
TOLERANCE = 1e-3
"""Outputs that differ by less than this fraction of the largest count as equal."""


@dataclass(frozen=True)
class Trial:
    """The result of one architecture.

    Attributes
    ----------
    encoded : float
        The encoded fraction of the values of tensors with two or more axes.
    size : float
        The file size as a fraction of four bytes per value.
    digest : str
        The digest of the outputs.
    faults : tuple of str
        What is wrong.
    """

    architecture: Architecture
    blob: bytes
    values: int
    encoded: float
    size: float
    digest: str
    faults: tuple[str, ...]


def unique_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return what a file must hold: all parameters and persistent buffers, tied ones once."""
    unique: dict[int, tuple[str, Tensor]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        unique.setdefault(id(tensor), (name, tensor))
    return dict(unique.values())


@torch.no_grad()
def randomize(module: nn.Module, seed: int) -> None:
    """Give every parameter, running mean and running variance a random value.

    Matrices preserve the scale of their inputs. Vectors stay close to their initial ones or zeros,
    since many networks use their logarithms or square roots.
    """
    rng = torch.Generator().manual_seed(seed)
    for name, tensor in unique_tensors(module).items():
        noise = torch.randn(tensor.shape, generator=rng)
        owner = module.get_submodule(name.rpartition(".")[0])
        if isinstance(owner, _BatchNorm) and name.endswith(".weight"):
            tensor.copy_(1 + 0.1 * noise)  # MobileViT's start at zero and would block the signal
        elif name.endswith("running_var"):
            tensor.copy_(0.5 + 0.1 * noise.abs())
        elif name.endswith("running_mean"):
            tensor.copy_(0.1 * noise)
        elif not isinstance(tensor, nn.Parameter):
            continue  # position tables, masks, batch counters
        elif tensor.ndim < 2:
            tensor.add_(0.1 * noise)
        else:
            tensor.copy_(noise * (2 * tensor.shape[0] / tensor.numel()) ** 0.5)


def build(architecture: Architecture, seed: int) -> nn.Module:
    """Return a new module in eval mode."""
    torch.manual_seed(seed)
    return architecture.build().eval()


@torch.no_grad()
def outputs(architecture: Architecture, module: nn.Module) -> list[list[Tensor]]:
    """Return the outputs for both inputs."""
    return [run(module, architecture.inputs(seed)) for seed in SEEDS]


def digest(results: list[list[Tensor]]) -> str:
    """Return a digest of all bits of the outputs."""
    data = b"".join(t.contiguous().numpy().tobytes() for row in results for t in row)
    return hashlib.sha256(data).hexdigest()


def load(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load `tensors`, which must be all unique tensors of the module."""
    tied = module.state_dict().keys() - unique_tensors(module).keys()
    missing, unknown = module.load_state_dict(tensors, strict=False)
    assert not unknown, unknown
    assert set(missing) <= tied, missing


def output_digest(architecture: Architecture, blob: bytes) -> str:
    """Return the digest of the outputs of a new module with a file's tensors."""
    module = build(architecture, 1)
    load(module, Artifact.from_bytes(blob).weights())
    return digest(outputs(architecture, module))


def run_trial(architecture: Architecture) -> Trial:
    """Prune and encode an architecture, and compare its outputs before and after."""
    module = build(architecture, 0)
    randomize(module, 0)
    before = outputs(architecture, module)
    tensors = {name: tensor.detach().clone() for name, tensor in unique_tensors(module).items()}
    coded = encode_tensors(tensors, RECIPE)
    blob = Artifact.of(architecture.name, RECIPE, coded).to_bytes()
    load(module, {name: entry.tensor() for name, entry in coded.items()})
    after = outputs(architecture, module)
    matrices = {name: tensor.numel() for name, tensor in tensors.items() if tensor.ndim >= 2}
    uncompressed = sum(n for name, n in matrices.items() if isinstance(coded[name], Uncompressed))
    encoded = 1 - uncompressed / sum(matrices.values())
    total = sum(tensor.numel() for tensor in tensors.values())
    size = len(blob) / (4 * total)
    conditions = {
        "too few values are encoded": encoded >= MIN_ENCODED,
        "the file is too large": size <= MAX_SIZE,
        "outputs are not finite": all(t.isfinite().all() for row in after for t in row),
        "outputs are unchanged": any(map(_differ, before[0], after[0])),
        "outputs are the same for two inputs": any(map(_differ, after[0], after[1])),
    }
    faults = tuple(fault for fault, holds in conditions.items() if not holds)
    return Trial(architecture, blob, total, encoded, size, digest(after), faults)


def _differ(a: Tensor, b: Tensor) -> bool:
    return bool((a - b).abs().max() > TOLERANCE * a.abs().max())
