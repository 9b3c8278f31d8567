"""What a model was made from, by a digest of the data and the choices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.artifact.preprocessing import MAX_NAME


@dataclass(frozen=True)
class Origin:
    """What a model was made from.

    Attributes
    ----------
    name : str
        The name of the file, such as ``wine.csv``, which error messages show.
    digest : str
        SHA-256 (hex) of the data and of the choices: two models with the same digest were made
        from the same examples in the same way.
    """

    name: str
    digest: str

    @classmethod
    def of(cls, name: str, content: bytes | Iterable[bytes], choices: Mapping[str, Any]) -> Origin:
        """Return the origin of a model.

        Parameters
        ----------
        name
            The name of the file or of the data.
        content
            The bytes of the file, or those of its parts.
        choices
            Everything else that changes the examples, as data for JSON: target, columns, size.
        """
        digest = hashlib.sha256(json.dumps(choices, sort_keys=True).encode())
        for part in [content] if isinstance(content, bytes) else content:
            digest.update(hashlib.sha256(part).digest())
        return cls(name[:MAX_NAME], digest.hexdigest())
