"""A file of the person's own, from the page's first byte to a model that is chosen.

The page announces a file, and sends it piece by piece as it is asked for them, so that no message
is large and nothing piles up. What the page is told of it are messages of the kind ``upload`` with
the number that the page gave the file and a `step`:

ask
    send the bytes from `at` on
busy
    `text` says what is going on, `share` how much of it is done
choose
    a table is read: which of its `columns` is to be predicted?
done, failed
    `text` says it in a sentence
idle
    it was given up
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.custom.uploads import limits
from workbench.errors import Cancelled, WorkbenchError
from workbench.i18n import _
from workbench.panels.error_boundary import error_boundary
from workbench.recipe import Recipe
from workbench.zoo.registry import models
from workbench.zoo.tables import CUSTOM_PREFIX

if TYPE_CHECKING:
    from workbench.custom.uploads.splits import UploadedData
    from workbench.custom.uploads.tables import Table
    from workbench.domain import Model
    from workbench.panels.page import Dashboard

VARIABLE = "WORKBENCH_UPLOADS"
"""Set to "off" in kernels of a server whose visitors may not upload."""
CHUNK_BYTES = 2**19
"""Bytes of a message: far below what websockets carry, and some hundred of them at most."""
MAX_MODELS = 10
"""Models that a page makes of uploads; each is kept in memory with its data."""
LONGEST_NAME = 40

KINDS = {
    "table": (".csv", ".tsv", ".txt"),
    "pictures": (".zip",),
    "weights": (".safetensors",),
}
LARGEST = {
    "table": limits.TABLE_BYTES,
    "pictures": limits.IMAGES_BYTES,
    "weights": limits.WEIGHTS_BYTES,
}


def allowed() -> bool:
    """Whether this kernel takes uploads."""
    return os.environ.get(VARIABLE, "on") == "on"


def describe() -> dict[str, Any] | None:
    """Return the words of the page's panel, or None where nothing may be uploaded."""
    if not allowed():
        return None
    table = _("CSV in UTF-8, the first line names the columns; up to {size} and {rows} rows.")
    images = _(
        "a zip with a folder of images for each class; up to {size} and {count} images, which are "
        "made {side} pixels wide."
    )
    weights = _("a .safetensors file for one of the models here; up to {size}.")
    return {
        "button": _("your data"),
        "kinds": [
            {
                "label": _("a table"),
                "help": table.format(
                    size=formatting.size(limits.TABLE_BYTES),
                    rows=formatting.count(limits.TABLE_ROWS),
                ),
            },
            {
                "label": _("pictures"),
                "help": images.format(
                    size=formatting.size(limits.IMAGES_BYTES),
                    count=formatting.count(limits.IMAGES),
                    side=limits.SIDE,
                ),
            },
            {
                "label": _("weights"),
                "help": weights.format(size=formatting.size(limits.WEIGHTS_BYTES)),
            },
        ],
        "promise": _("Nothing in a file is run, and closing the page forgets it."),
        "drop": _("drop a file here, or choose one"),
        "accept": ",".join(suffix for suffixes in KINDS.values() for suffix in suffixes),
        "piece": CHUNK_BYTES,
        "target": _("what to predict"),
        "train": _("train"),
        "sending": _("sending {name}"),
    }


class Uploads:
    """The uploads of one page, one at a time: a new one takes the place of the one before."""

    def __init__(self, view: Dashboard) -> None:
        self.view = view
        self.made = 0
        self._models: list[Model] = []
        self._lock = threading.Lock()
        self._now: _Incoming | None = None

    def begin(self, number: Any, name: Any, size: Any) -> None:
        """Take the announcement of a file, and ask for its first bytes."""
        self.cancel()
        tell = self._teller(number)
        with error_boundary(partial(tell, "failed")):
            incoming = _Incoming(number, str(name), size)
            if self.made >= MAX_MODELS:
                raise WorkbenchError(
                    _("{count} files have been uploaded: reload the page to begin anew.").format(
                        count=MAX_MODELS
                    )
                )
            self._now = incoming
            tell("ask", at=0)

    def part(self, number: Any, buffers: Sequence[Any]) -> None:
        """Take the next bytes; after the last ones begin to read."""
        incoming = self._current(number)
        if incoming is None or incoming.whole():
            return
        tell = self._teller(number)
        with error_boundary(partial(self._fail, incoming)):
            incoming.take(buffers)
            if not incoming.whole():
                tell("ask", at=incoming.received)
            else:
                self._start(incoming, self._read)

    def choose(self, number: Any, target: Any) -> None:
        """Train on the table that was read, to predict the column number `target`."""
        incoming = self._current(number)
        if incoming is None or incoming.table is None:
            return
        table, incoming.table = incoming.table, None  # pressed twice, it is trained once
        with error_boundary(partial(self._fail, incoming)):
            if type(target) is not int or not 0 <= target < len(table.names):
                raise WorkbenchError(_("There is no such column."))
            self._start(incoming, partial(self._learn_table, table=table, target=target))

    def cancel(self) -> None:
        """Give up what is under way; nothing of it is kept."""
        incoming = self._now
        if incoming is not None:
            self._end(incoming, "idle")

    # --- inside --------------------------------------------------------------------------

    def _current(self, number: Any) -> _Incoming | None:
        incoming = self._now
        return incoming if incoming is not None and incoming.number == number else None

    def _teller(self, number: Any) -> Callable[..., None]:
        def tell(step: str, text: str | None = None, **more: Any) -> None:
            self.view.send({"kind": "upload", "number": number, "step": step, "text": text, **more})

        return tell

    def _end(self, incoming: _Incoming, step: str, text: str | None = None) -> None:
        """Let go of a file, once, and tell the page how it ended."""
        with self._lock:
            if self._now is not incoming:
                return
            self._now = None
        incoming.cancelled.set()
        self._teller(incoming.number)(step, text)

    def _fail(self, incoming: _Incoming, sentence: str) -> None:
        self._end(incoming, "failed", sentence)

    def _start(self, incoming: _Incoming, work: Callable[[_Incoming, Any], None]) -> None:
        def run() -> None:
            with error_boundary(partial(self._fail, incoming)):
                work(incoming, self._teller(incoming.number))

        threading.Thread(target=run, daemon=True, name="upload").start()

    def _read(self, incoming: _Incoming, tell: Callable[..., None]) -> None:
        """Read a whole file in the background, and go on with what it is."""
        tell("busy", _("reading"))
        content, incoming.content = bytes(incoming.content), bytearray()
        if incoming.kind == "table":
            from workbench.custom.uploads import tables

            table = tables.read(content, incoming.over)
            incoming.table = table
            rows = _("{count} rows, {columns} columns").format(
                count=formatting.count(len(table)), columns=formatting.count(len(table.names))
            )
            tell("choose", rows, columns=list(table.names), chosen=len(table.names) - 1)
        elif incoming.kind == "pictures":
            from workbench.custom.uploads import images

            reading = partial(_progress, tell, _("reading"))
            self._learn(incoming, tell, images.read(content, reading, incoming.over))
        else:
            self._fit(incoming, tell, content)

    def _learn_table(
        self, incoming: _Incoming, tell: Callable[..., None], table: Table, target: int
    ) -> None:
        from workbench.custom.uploads import tables

        tell("busy", _("reading"))
        self._learn(incoming, tell, tables.preprocess(table, target))

    def _learn(self, incoming: _Incoming, tell: Callable[..., None], data: UploadedData) -> None:
        tell("busy", _("training"), share=0)
        from workbench.custom.uploads import small_models

        def watch(share: float) -> None:
            whole = share >= 1
            _progress(tell, _("measuring") if whole else _("training"), None if whole else share)

        model = small_models.train_small_model(
            _free_name(incoming.name), data, watch, incoming.over
        )
        said = _(
            "It learned from {count} examples; {metric} is {figure} on {others} others."
        ).format(
            count=formatting.count(len(data.parts["train"][1])),
            metric=_(model.task.metric.name),
            figure=model.task.metric.format(model.metric_value("validation")),
            others=formatting.count(len(data.parts["validation"][1])),
        )
        self._models.append(model)
        self._open(incoming, model.name, Recipe(), " ".join((said, *data.notes)))

    def _fit(self, incoming: _Incoming, tell: Callable[..., None], content: bytes) -> None:
        from workbench.custom.uploads import weights as fitting_file

        if fitting_file.is_workbench_file(content):
            artifact = fitting_file.open_artifact(content)
            said = _("This is a file of {model}: its recipe is open.").format(model=artifact.model)
            self._open(incoming, artifact.model, artifact.recipe, said)
            return
        base, tensors = fitting_file.match_builtin(fitting_file.read(content))
        measuring = partial(_progress, tell, _("measuring"))
        model: Model = fitting_file.model_with_weights(
            _free_name(incoming.name), base, tensors, measuring, incoming.over
        )
        said = _("The weights fit {model}; {metric} is {figure} on {count} examples.").format(
            model=_(base.title),
            metric=_(model.task.metric.name),
            figure=model.task.metric.format(model.metric_value("validation")),
            count=formatting.count(len(model.task.split("validation"))),
        )
        self._models.append(model)
        self._open(incoming, model.name, Recipe(), said)

    def _open(self, incoming: _Incoming, model: str, recipe: Recipe, said: str) -> None:
        if incoming.over():
            raise Cancelled("The upload was stopped.")
        self.view.session.open(model, recipe)
        self.made += 1
        self._end(incoming, "done", said)


class _Incoming:
    """One file on its way in."""

    def __init__(self, number: Any, name: str, size: Any) -> None:
        path = PurePath(name)
        found = [kind for kind, suffixes in KINDS.items() if path.suffix.lower() in suffixes]
        if not found:
            raise WorkbenchError(
                _("Choose a table (.csv), pictures in folders (.zip) or weights (.safetensors).")
            )
        self.number = number
        self.name = path.stem
        self.kind = found[0]
        if type(size) is not int or size < 1:
            raise WorkbenchError(_("The file is empty."))
        if size > LARGEST[self.kind]:
            raise WorkbenchError(
                _("The file has {size}: up to {most} can be uploaded.").format(
                    size=formatting.size(size), most=formatting.size(LARGEST[self.kind])
                )
            )
        self.size = size
        self.content = bytearray()
        self.received = 0
        self.table: Table | None = None
        self.cancelled = threading.Event()
        self.over = self.cancelled.is_set

    def whole(self) -> bool:
        """Whether all of it is here."""
        return self.received == self.size

    def take(self, buffers: Sequence[Any]) -> None:
        """Add the next piece."""
        piece = bytes(buffers[0]) if len(buffers) == 1 else b""
        if not piece or len(piece) > CHUNK_BYTES or self.received + len(piece) > self.size:
            raise WorkbenchError(_("The upload broke off: begin it again."))
        self.content += piece
        self.received += len(piece)


def _progress(tell: Callable[..., None], text: str, share: float | None) -> None:
    tell("busy", text, share=share)


def _free_name(stem: str) -> str:
    """Return a name for a model that no other has, after the file's."""
    plain = re.sub(r"[^\w.+-]+", "-", stem)[:LONGEST_NAME].strip("-.") or "data"
    taken, name, number = set(models()), plain, 1
    while f"{CUSTOM_PREFIX}{name}" in taken:
        number += 1
        name = f"{plain}-{number}"
    return name
