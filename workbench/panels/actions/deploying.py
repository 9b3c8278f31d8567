"""Actions of the page Deploy: run the file in inference runtimes, download a package."""

from __future__ import annotations

from typing import Any

from workbench.cancel import CancelToken
from workbench.errors import InputError
from workbench.i18n import _
from workbench.panels import deploy_tabs
from workbench.panels.actions.background import run_in_background, run_job
from workbench.panels.actions.registry import Dashboard, action
from workbench.panels.actions.sending import send_file, send_rows


@action
def deploy(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Export the file to every installed runtime, confirm and time it there."""
    run_job("deploy", _deploy, dashboard)


@action
def download_package(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send a confirmed package as an archive."""
    deploying, number = dashboard.session.deploying, message.get("number")
    deployment = deploying.deployment if deploying is not None else None
    outcomes = {} if deployment is None else dict(enumerate(deployment.outcomes))
    outcome = outcomes.get(number) if isinstance(number, int) else None
    if outcome is None or outcome.package is None or not outcome.confirmed:
        raise InputError(
            _("There is no confirmed package to download: start the export first."),
            code="deploy.no_package",
        )
    from workbench.deploy.archive import archive_name, package_archive  # loads torch

    package = outcome.package
    send_file(dashboard, archive_name(package), "application/zip", package_archive(package))


@action
def deploy_speed_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send accuracy, times and sizes of each runtime."""
    send_rows(dashboard, "runtimes.csv", deploy_tabs.speed_rows(dashboard.session))


@action
def deploy_roofline_csv(dashboard: Dashboard, message: dict[str, Any]) -> None:
    """Send the work and time of each layer."""
    send_rows(dashboard, "layers.csv", deploy_tabs.roofline_rows(dashboard.session))


def _deploy(dashboard: Dashboard, cancel: CancelToken) -> None:
    dashboard.session.deploy(cancel)


def show_earlier_deployment(dashboard: Dashboard) -> None:
    """Show what the last run of the current file on this machine has measured."""
    run_in_background("deploy", _show_earlier, dashboard)


def _show_earlier(dashboard: Dashboard) -> None:
    dashboard.session.show_earlier_deployment()
