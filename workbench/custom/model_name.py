"""Names of custom models."""

from __future__ import annotations

import re

from workbench.errors import InputError


def check_model_name(name: object) -> None:
    """Check that a model can be registered under a name.

    Raises
    ------
    InputError
        If it cannot.
    """
    if not re.fullmatch(r"\w[\w.+-]{0,63}", str(name)):
        raise InputError(
            f"{name!r} is not a valid model name: use up to 64 letters, digits and . + - _, "
            "starting with a letter or digit.",
            code="name.invalid",
        )
