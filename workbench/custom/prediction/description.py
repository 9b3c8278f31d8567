"""What a file holds in addition to its weights, so that it predicts from raw data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from workbench.artifact.preprocessing import VERSION, check_preprocessing
from workbench.custom.origin import Origin
from workbench.custom.prediction.network import describe_layers


@dataclass(frozen=True)
class Description:
    """How a model predicts from raw data: the value of the header key `preprocessing`.

    Attributes
    ----------
    kind : str
        What it predicts from: "table", also for texts, or "images".
    origin : Origin
        What the model was made from.
    classes : tuple of str
        The class names; empty if it predicts a number.
    network : list
        The layers of the network, as `describe_layers` returns them.
    data : mapping
        How data become inputs, as plain data for JSON: for tables `Preprocessing.as_dict`.
    """

    kind: str
    origin: Origin
    classes: tuple[str, ...]
    network: list[list[Any]]
    data: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        kind: str,
        origin: Origin,
        classes: Iterable[str],
        module: nn.Module,
        data: Mapping[str, Any],
    ) -> Description:
        """Describe a model with the network `module`.

        Raises
        ------
        InputError
            If a file cannot describe the network.
        """
        return cls(kind, origin, tuple(classes), describe_layers(module), data)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON.

        Raises
        ------
        ArtifactError
            If a file cannot hold it: a number is not finite, or it is too large.
        """
        content = {
            "version": VERSION,
            "kind": self.kind,
            "origin": {"name": self.origin.name, "digest": self.origin.digest},
            "classes": list(self.classes),
            "network": self.network,
            "data": json.loads(json.dumps(self.data)),  # tuples become lists, as in a file
        }
        check_preprocessing(content)
        return content

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Description:
        """Read the output of `as_dict`, which the reader of a file has checked."""
        return cls(
            kind=content["kind"],
            origin=Origin(**content["origin"]),
            classes=tuple(content["classes"]),
            network=content["network"],
            data=content["data"],
        )
