"""What the page can ask for by name: each file puts its actions into `ACTIONS` when imported."""

from workbench.panels.actions import choosing, data, file, layers, looking, training, uploads
from workbench.panels.actions.registry import ACTIONS, VIEW_ACTIONS

__all__ = [
    "ACTIONS",
    "VIEW_ACTIONS",
    "choosing",
    "data",
    "file",
    "layers",
    "looking",
    "training",
    "uploads",
]
