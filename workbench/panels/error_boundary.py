"""One net under every callback: nothing is lost silently, and no one sees a traceback."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _


@contextmanager
def error_boundary(tell: Callable[[str], None]) -> Iterator[None]:
    """Run a callback's body; what goes wrong becomes one sentence given to `tell`.

    A person's own mistake is told as it is. Anything else goes to the server's terminal with its
    traceback; in a kernel only the original standard error leads there.
    """
    try:
        yield
    except Cancelled:
        return
    except WorkbenchError as error:
        tell(str(error))
    except Exception as error:  # noqa: BLE001  # the last net: it reports all that falls in
        traceback.print_exc(file=sys.__stderr__)
        tell(
            _("Something went wrong here ({kind}); the last good result stays.").format(
                kind=type(error).__name__
            )
        )
