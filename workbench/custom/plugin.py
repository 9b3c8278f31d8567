"""Declare the models of an installed package, which load only when they are used."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

from workbench.cache.memory import MemoryCache
from workbench.domain.model import Model
from workbench.domain.task import Split, Task

if TYPE_CHECKING:
    from torch import nn


MOST_SPLITS = 24
"""The splits of eight tasks. Their sizes differ too much for a limit in bytes: a larger split would
be read again at each use."""

_splits: MemoryCache[Split] = MemoryCache(MOST_SPLITS)
_reading = RLock()


@dataclass(frozen=True)
class ModelPlugin:
    """A model that a package provides through an entry point of the group ``workbench.models``.

    Attributes
    ----------
    name : str
        The identifier, with a slash in it: ``acme/sentiment``.
    title : str
        The display name.
    task : Task
        A built-in task, ``wb.task("fashion")``, or one of the package.
    module : callable
        Takes no arguments and returns the trained ``nn.Module``; called on first use.
    card : path, optional
        A JSON file with the content of ``wb.model(name).card``, which saves the first measurement.
        It is ignored if its weights digest differs, or its ``code`` digest, which may be left out
        because it depends on the Python version.
    """

    name: str
    title: str
    task: Task
    module: Callable[[], nn.Module]
    card: Path | None = None

    def model(self) -> Model:
        """Build the model. Without a card, it is measured once and the card is cached.

        Raises
        ------
        InputError
            If the module does not accept the task's data.
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
    """One split of a package's task, read on first use.

    Attributes
    ----------
    split : str
        "train", "validation" or "test".
    digest : str
        Identifies the content: its SHA-256 (hex), or a version.
    read : callable
        Takes the split's name and returns its examples and labels, one row per example.
    """

    split: str
    digest: str
    read: Callable[[str], tuple[Any, Any]]

    def load(self) -> Split:
        """Return the split. The first call reads it, later calls share it while it is cached.

        Raises
        ------
        InputError
            If it contains NaN or infinity.
        """
        with _reading:  # several threads may request it at once
            return _splits.of(self, self._read)

    def _read(self) -> Split:
        from workbench.custom.split import check_numbers

        examples, labels = self.read(self.split)
        check_numbers(self.split, examples, labels)
        return Split(self.split, examples, labels, self.digest)
