"""What the page can ask for by name: each file puts its actions into `ACTIONS` when imported."""

from workbench.panels.actions import choosing, data, file, layers, looking, training, uploads
from workbench.panels.actions.registry import ACTIONS, LOOKING

__all__ = [
    "ACTIONS",
    "LOOKING",
    "choosing",
    "data",
    "file",
    "layers",
    "looking",
    "training",
    "uploads",
]
