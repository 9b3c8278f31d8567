"""The actions that the page can request by name; importing a module registers its actions."""

from workbench.panels.actions import (
    artifact,
    choosing,
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

MODULES = (artifact, choosing, display, export, layers, selection, training, trial, uploads)
MODULES = (artifact, display, export, layers, parallel, selection, training, trial, uploads)
MODULES = (artifact, display, export, layers, planning, selection, training, trial, uploads)

__all__ = ["ACTIONS", "MODULES", "SELECTING_ACTIONS", "VIEW_ACTIONS"]
