"""Long operations: a background thread and a progress bar."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVarTuple

from workbench.cancel import CancelToken
from workbench.panels.actions.registry import Dashboard
from workbench.panels.channel import Channel
from workbench.panels.error_boundary import error_boundary
from workbench.panels.jobs import progress_message

Rest = TypeVarTuple("Rest")


def run_in_background(
    name: str, work: Callable[[Dashboard, *Rest], None], dashboard: Dashboard, *rest: *Rest
) -> None:
    """Run `work` in a thread called `name`; errors appear in the banner of the page."""

    def run() -> None:
        with error_boundary(dashboard.show_message):
            work(dashboard, *rest)

    threading.Thread(target=run, daemon=True, name=name).start()


def run_job(
    name: str,
    work: Callable[[Dashboard, CancelToken, *Rest], None],
    dashboard: Dashboard,
    *rest: *Rest,
) -> None:
    """Run `work` as `run_in_background` does, with the token by which the page cancels `name`."""
    token = dashboard.jobs.begin(name)

    def run(dashboard: Dashboard, *rest: *Rest) -> None:
        try:
            work(dashboard, token, *rest)
        finally:
            dashboard.jobs.end(token)

    run_in_background(name, run, dashboard, *rest)


@contextmanager
def progress_bar(channel: Channel, job: str, text: str) -> Iterator[Callable[..., None]]:
    """Show the progress bar of a job; yield the function that sets its fraction and its text.

    The fraction is from 0 to 1.
    """
    message = progress_message(job, text)
    channel.send(message)

    def show(fraction: float, text: str = text) -> None:
        channel.send({**message, "fraction": fraction, "text": text})

    try:
        yield show
    finally:
        channel.send({**message, "text": None})
