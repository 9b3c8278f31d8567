"""Error boundary for widget callbacks."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _


@contextmanager
def error_boundary(report: Callable[[str], None]) -> Iterator[None]:
    """Run the body of a callback and pass any error to `report` as one sentence.

    The message of a `WorkbenchError` is reported unchanged. For any other error the traceback goes
    to the terminal of the server; in a kernel only the original standard error leads there.
    """
    try:
        yield
    except Cancelled:
        return
    except WorkbenchError as error:
        report(str(error))
    except Exception as error:  # noqa: BLE001  # the last handler before the event loop
        traceback.print_exc(file=sys.__stderr__)
        report(
            _(
                "An unexpected error occurred ({kind}); the last valid result is still shown."
            ).format(kind=type(error).__name__)
        )
