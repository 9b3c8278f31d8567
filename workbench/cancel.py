"""Cancelling running work, and receiving its progress."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

from workbench.errors import Cancelled, InputError


class CancelToken:
    """Connects a caller with the work it has started: one cancels, the other reports progress.

    Parameters
    ----------
    requested
        Called between two pieces of work; True cancels it, as `cancel` does.
    on_progress
        Receives the completed fraction of the work, from 0 to 1.

    Raises
    ------
    InputError
        If one is neither a function nor None.

    Examples
    --------
    >>> token = CancelToken()
    >>> token.cancel()
    >>> token.cancelled
    True
    """

    def __init__(
        self,
        requested: Callable[[], bool] | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> None:
        for name, value in (("requested", requested), ("on_progress", on_progress)):
            if value is not None and not callable(value):
                raise InputError(
                    f"{name} must be a function or None, not {value!r}.",
                    code="argument.not_a_function",
                )
        self._event = Event()
        self._requested = requested
        self._on_progress = on_progress

    def cancel(self) -> None:
        """Cancel the work; it stops at its next check."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether the work is cancelled."""
        return self._event.is_set() or (self._requested is not None and self._requested())

    def check(self) -> None:
        """Raise `Cancelled` if the work is cancelled."""
        if self.cancelled:
            raise Cancelled("The work was cancelled.")

    def progress(self, fraction: float) -> None:
        """Report that `fraction` of the work is complete."""
        if self._on_progress is not None:
            self._on_progress(fraction)

    def reporting(self, on_progress: Callable[[float], None]) -> CancelToken:
        """Return a token that is cancelled with this one and reports progress to `on_progress`."""
        return CancelToken(lambda: self.cancelled, on_progress)

    def part(self, start: float, end: float) -> CancelToken:
        """Return a token for the part of the work between two fractions."""
        return self.reporting(lambda fraction: self.progress(start + (end - start) * fraction))


class _Never(CancelToken):
    """A token for work that no caller cancels."""

    def cancel(self) -> None:
        """Refuse: the token is shared by all callers that pass none."""
        raise RuntimeError("This token is shared: make a CancelToken to cancel work.")


NEVER = _Never()
"""The default token: never cancelled, progress ignored."""
