"""Expect errors by their code, so that their wording can change."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from workbench.errors import WorkbenchError


@contextmanager
def raises(code, *facts):
    """Expect a `WorkbenchError` with `code` whose message holds every one of `facts`.

    Facts do not depend on wording, such as a layer's name, a number or a path.
    """
    with pytest.raises(WorkbenchError) as caught:
        yield caught
    assert caught.value.code == code, f"{caught.value.code}: {caught.value}"
    message = str(caught.value)
    assert message.strip(), "an error without a message"
    for fact in facts:
        assert str(fact) in message, message
