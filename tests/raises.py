"""Expecting an error by its code, so that its wording may improve."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from workbench.errors import WorkbenchError


@contextmanager
def raises(code, *facts):
    """Expect a `WorkbenchError` with `code` whose message holds every one of `facts`.

    Facts are what does not depend on wording: a layer's name, a number, a path.
    """
    with pytest.raises(WorkbenchError) as caught:
        yield caught
    assert caught.value.code == code, f"{caught.value.code}: {caught.value}"
    message = str(caught.value)
    assert message.strip(), "an error without a message"
    for fact in facts:
        assert str(fact) in message, message
