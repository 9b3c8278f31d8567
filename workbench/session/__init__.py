"""One person's state: model, recipe, history, and a worker that measures the newest recipe."""

from workbench.session.checks import teacher_warning
from workbench.session.state import DEFAULT_MODEL, Session

__all__ = ["DEFAULT_MODEL", "Session", "teacher_warning"]
