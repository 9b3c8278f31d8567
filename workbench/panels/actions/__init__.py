"""The actions that the page can request by name; importing a module registers its actions."""

from workbench.panels.actions import (
    artifact,
    choosing,
    deploying,
    display,
    export,
    layers,
    parallel,
    planning,
    selection,
    training,
    trial,
    uploads,
)
from workbench.panels.actions.registry import ACTIONS, SELECTING_ACTIONS, VIEW_ACTIONS

MODULES = (
    *(artifact, choosing, deploying, display, export, layers, parallel, planning),
    *(selection, training, trial, uploads),
)

__all__ = ["ACTIONS", "MODULES", "SELECTING_ACTIONS", "VIEW_ACTIONS"]
