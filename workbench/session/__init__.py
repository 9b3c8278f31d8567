"""The state of one user: model, recipe, history, and a worker that measures the current recipe."""

from workbench.session.checks import teacher_warning
from workbench.session.link import DEFAULT_MODEL
from workbench.session.session import Session

__all__ = ["DEFAULT_MODEL", "Session", "teacher_warning"]
