"""The model of a shipped student: the architecture of its network with the weights of its file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cache.memory import MemoryCache
from workbench.domain.model import Architecture, Model, module_name
from workbench.errors import ArtifactError, FileError
from workbench.zoo.students import Student

if TYPE_CHECKING:
    from torch import Tensor


MOST_LOADED = 16
_weights: MemoryCache[dict[str, Tensor]] = MemoryCache(MOST_LOADED)
"""The weights of the students that were used last, by the path and the digest of their files."""


@dataclass(frozen=True)
class StudentArchitecture(Architecture):
    """The architecture of the built-in model `network`, with its weights in a Workbench file."""

    network: str = ""
    path: Path = Path()

    def weights(self, digest: str) -> dict[str, Tensor]:
        """Return every parameter of the file that carries `digest`.

        Raises
        ------
        FileError
            If the file is missing, damaged, or not the expected one.
        """
        return _weights.of((self.path, digest), lambda: _load(self.path, digest))

    @property
    def checkpoint(self) -> Path:
        """The Workbench file."""
        return self.path

    @property
    def module_name(self) -> str:
        """The Python module that builds the network."""
        return module_name(self.network)


def student_model(student: Student, network: Model) -> Model:
    """Return the model of a student, given the model of its network.

    Raises
    ------
    FileError
        If the table of students is missing or damaged.
    """
    known = student.card
    card = network.card | {
        "name": student.name,
        "file_bytes": known.file_bytes,
        "sha256": known.digest,
        "accuracy": known.accuracy,
        "figures": known.figures,
        "training": {"seconds": None, **student.recipe.as_dict()["train"]},
    }
    return Model(student_architecture(student, network), card)


def student_architecture(student: Student, network: Model) -> StudentArchitecture:
    """Return the architecture of a student, given the model of its network."""
    return StudentArchitecture(
        student.name, network.task, student.title, network=network.name, path=student.path
    )


def _load(path: Path, digest: str) -> dict[str, Tensor]:
    from workbench.artifact.artifact import load

    try:
        artifact = load(path)
        intact = artifact.digest == digest
    except (FileError, ArtifactError):
        intact = False
    if not intact:
        raise FileError(
            f"The file {path.name} of a student is missing or damaged; install the package again.",
            code="model.checkpoint_damaged",
        )
    return artifact.operands()
