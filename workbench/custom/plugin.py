"""What an installed package says of a model that it offers, before any of it is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.domain.model import Model
from workbench.domain.task import Split, Task

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ModelPlugin:
    """A model that a package offers through its entry point of the group ``workbench.domain``.

    Attributes
    ----------
    name : str
        The identifier, with a slash in it: ``acme/sentiment``.
    title : str
        The name a person reads.
    task : Task
        One that is built in, ``wb.task("fashion")``, or the package's own.
    module : callable
        Takes nothing and returns the trained ``nn.Module``, called when first asked for.
    card : path, optional
        A JSON file of ``wb.model(name).card``, so that nothing has to be measured at first; let be
        where the weights are others, or the code, unless it says no ``code``: that depends on the
        version of Python, too.
    """

    name: str
    title: str
    task: Task
    module: Callable[[], nn.Module]
    card: Path | None = None

    def model(self) -> Model:
        """Make it. What its card says is measured once and kept, where none came with it.

        Raises
        ------
        WorkbenchError
            When the module does not take the task's data.
        """
        from workbench.cache.files import default_file_cache
        from workbench.custom.model import model_of

        return model_of(
            self.module(),
            self.task,
            name=self.name,
            title=self.title,
            card=None if self.card is None else json.loads(self.card.read_text("utf-8")),
            files=default_file_cache(),
        )


@dataclass(frozen=True)
class LazySplit:
    """One split of a package's own task, read when it is first wanted.

    Attributes
    ----------
    split : str
        "train", "validation" or "test".
    digest : str
        What tells this content from any other: its SHA-256 (hex), or a version.
    read : callable
        Takes the split's name and returns its examples and labels, a row for every example.
    """

    split: str
    digest: str
    read: Callable[[str], tuple[Any, Any]]

    def load(self) -> Split:
        """Return the split, read at the first call and shared afterwards.

        Raises
        ------
        WorkbenchError
            When it holds NaN or infinity.
        """
        from workbench.custom.split import check_numbers

        if self not in _loaded:
            examples, labels = self.read(self.split)
            check_numbers(self.split, examples, labels)
            _loaded[self] = Split(self.split, examples, labels, self.digest)
        return _loaded[self]


_loaded: dict[LazySplit, Split] = {}
