"""Uploads: from the first byte that the page sends to a model of the session.

The page announces a file, then sends one chunk for each request, so that no message is large and
none queue up. It receives messages of kind ``upload`` with the number that it gave the file and a
`step`:

chunk
    Send the next chunk, from byte `offset` on.
busy
    `text` describes the operation, `fraction` is its progress.
target
    A table was read; ask which of its `columns` to predict.
done, failed
    `text` is the result or the error.
idle
    The upload was cancelled.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.custom.pictures.inspection import SIZES
from workbench.custom.uploads import limits
from workbench.custom.uploads.names import unique_name
from workbench.errors import Cancelled, FileError, InputError, WorkbenchError
from workbench.i18n import _
from workbench.panels.channel import Channel
from workbench.panels.error_boundary import error_boundary
from workbench.recipe import Recipe

if TYPE_CHECKING:
    from workbench.custom.uploads.splits import UploadedData
    from workbench.custom.uploads.tables import Table
    from workbench.domain import Model

VARIABLE = "WORKBENCH_UPLOADS"
"""Environment variable that disables uploads in a kernel; values "on" and "off"."""
CHUNK_BYTES = 2**19
"""Far below the message limit of websockets, and at most a few hundred chunks per file."""
MAX_MODELS = 10
"""Uploads per page; each stays in memory as a model with its data."""

KINDS = {
    "table": (".csv", ".tsv", ".txt"),
    "images": (".zip",),
    "weights": (".safetensors",),
}
MAX_BYTES = {
    "table": limits.TABLE_BYTES,
    "images": limits.IMAGES_BYTES,
    "weights": limits.WEIGHTS_BYTES,
}


def allowed() -> bool:
    """Whether this kernel takes uploads."""
    return os.environ.get(VARIABLE, "on") == "on"


def describe() -> dict[str, Any] | None:
    """Return the texts of the upload panel, or None if uploads are disabled."""
    if not allowed():
        return None
    table = _("CSV in UTF-8 with column names in the first line; up to {size} and {rows} rows.")
    images = _(
        "a ZIP archive with a folder of images for each class; up to {size} and {count} images, "
        "which are resized to {sides} pixels."
    )
    weights = _("a .safetensors file for one of the built-in models; up to {size}.")
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
                "label": _("images"),
                "help": images.format(
                    size=formatting.size(limits.IMAGES_BYTES),
                    count=formatting.count(limits.IMAGES),
                    sides=", ".join(map(str, SIZES)),
                ),
            },
            {
                "label": _("weights"),
                "help": weights.format(size=formatting.size(limits.WEIGHTS_BYTES)),
            },
        ],
        "privacy": _("Code in a file is never executed. Closing the page deletes the data."),
        "drop": _("drop a file here, or choose one"),
        "accept": ",".join(suffix for suffixes in KINDS.values() for suffix in suffixes),
        "chunk_bytes": CHUNK_BYTES,
        "target": _("target column"),
        "train": _("train"),
        "sending": _("uploading {name}"),
    }


class Uploads:
    """The uploads of one page, one at a time; a new upload cancels the previous one."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.count = 0
        self._models: list[Model] = []
        self._lock = threading.Lock()
        self._active: _Upload | None = None

    def start(self, number: Any, name: Any, size: Any) -> None:
        """Accept the announcement of a file and request its first chunk."""
        self.cancel()
        reply = self._replier(number)
        with error_boundary(partial(reply, "failed")):
            upload = _Upload(number, str(name), size)
            if self.count >= MAX_MODELS:
                raise WorkbenchError(
                    _("The limit of {count} uploads is reached: reload the page.").format(
                        count=MAX_MODELS
                    ),
                    code="upload.limit_reached",
                )
            self._active = upload
            reply("chunk", offset=0)

    def add_chunk(self, number: Any, buffers: Sequence[Any]) -> None:
        """Accept the next chunk; after the last one, read the file."""
        upload = self._find(number)
        if upload is None or upload.is_complete():
            return
        with error_boundary(partial(self._fail, upload)):
            upload.append(buffers)
            if not upload.is_complete():
                self._replier(number)("chunk", offset=upload.received)
            else:
                self._run(upload, self._read)

    def choose_target(self, number: Any, target: Any) -> None:
        """Train a model on the uploaded table that predicts the column with index `target`."""
        upload = self._find(number)
        if upload is None or upload.table is None:
            return
        table, upload.table = upload.table, None  # a second click has no effect
        with error_boundary(partial(self._fail, upload)):
            if type(target) is not int or not 0 <= target < len(table.names):
                raise InputError(_("The table has no such column."), code="upload.unknown_column")
            self._run(upload, partial(self._train_on_table, table=table, target=target))

    def cancel(self) -> None:
        """Cancel the current upload and discard it."""
        upload = self._active
        if upload is not None:
            self._end(upload, "idle")

    def _find(self, number: Any) -> _Upload | None:
        upload = self._active
        return upload if upload is not None and upload.number == number else None

    def _replier(self, number: Any) -> Callable[..., None]:
        def reply(step: str, text: str | None = None, **more: Any) -> None:
            self.channel.send(
                {"kind": "upload", "number": number, "step": step, "text": text, **more}
            )

        return reply

    def _end(self, upload: _Upload, step: str, text: str | None = None) -> None:
        """Close an upload, unless it is closed already, and send its final step."""
        with self._lock:
            if self._active is not upload:
                return
            self._active = None
        upload.cancel.cancel()
        self._replier(upload.number)(step, text)

    def _fail(self, upload: _Upload, message: str) -> None:
        self._end(upload, "failed", message)

    def _run(self, upload: _Upload, work: Callable[[_Upload, Any], None]) -> None:
        def run() -> None:
            with error_boundary(partial(self._fail, upload)):
                work(upload, self._replier(upload.number))

        threading.Thread(target=run, daemon=True, name="upload").start()

    def _read(self, upload: _Upload, reply: Callable[..., None]) -> None:
        """Read a complete file and process it by its kind."""
        reply("busy", _("reading"))
        content, upload.content = bytes(upload.content), bytearray()
        if upload.kind == "table":
            from workbench.custom.uploads import tables

            table = tables.read(content, upload.cancel)
            upload.table = table
            text = _("{count} rows, {columns} columns").format(
                count=formatting.count(len(table)), columns=formatting.count(len(table.names))
            )
            reply("target", text, columns=list(table.names), selected=len(table.names) - 1)
        elif upload.kind == "images":
            from workbench.custom.pictures.reading import read_pictures

            on_progress = partial(_send_progress, reply, _("reading"))
            cancel = upload.cancel.reporting(on_progress)
            pictures = read_pictures(content, cancel=cancel)
            pictures.check()
            self._train(upload, reply, pictures.data)
        else:
            self._match_weights(upload, reply, content)

    def _train_on_table(
        self, upload: _Upload, reply: Callable[..., None], table: Table, target: int
    ) -> None:
        from workbench.custom.uploads import tables

        reply("busy", _("reading"))
        self._train(upload, reply, tables.preprocess(table, target))

    def _train(self, upload: _Upload, reply: Callable[..., None], data: UploadedData) -> None:
        reply("busy", _("training"), fraction=0)
        from workbench.custom.uploads import small_models

        def on_progress(fraction: float) -> None:
            trained = fraction >= 1
            text = _("measuring") if trained else _("training")
            _send_progress(reply, text, None if trained else fraction)

        model = small_models.train_small_model(
            unique_name(upload.name), data, upload.cancel.reporting(on_progress)
        )
        text = _(
            "Trained on {count} examples; {metric} is {value} on {validation} validation examples."
        ).format(
            count=formatting.count(len(data.parts["train"][1])),
            metric=_(model.task.metric.name),
            value=model.task.metric.format(model.metric_value("validation")),
            validation=formatting.count(len(data.parts["validation"][1])),
        )
        self._models.append(model)
        self._open(upload, model.name, Recipe(), " ".join((text, *data.notes)))

    def _match_weights(self, upload: _Upload, reply: Callable[..., None], content: bytes) -> None:
        from workbench.custom.uploads import weights

        if weights.is_workbench_file(content):
            artifact = weights.open_artifact(content)
            text = _("This is a compressed {model}; its recipe is now selected.").format(
                model=artifact.model
            )
            self._open(upload, artifact.model, artifact.recipe, text)
            return
        base, tensors = weights.match_builtin(weights.read(content))
        on_progress = partial(_send_progress, reply, _("measuring"))
        model: Model = weights.model_with_weights(
            unique_name(upload.name), base, tensors, upload.cancel.reporting(on_progress)
        )
        text = _("The weights match {model}; {metric} is {value} on {count} examples.").format(
            model=_(base.title),
            metric=_(model.task.metric.name),
            value=model.task.metric.format(model.metric_value("validation")),
            count=formatting.count(len(model.task.split("validation"))),
        )
        self._models.append(model)
        self._open(upload, model.name, Recipe(), text)

    def _open(self, upload: _Upload, model: str, recipe: Recipe, text: str) -> None:
        if upload.cancel.cancelled:
            raise Cancelled("The upload was cancelled.", code="upload.cancelled")
        self.channel.session.open(model, recipe)
        self.count += 1
        self._end(upload, "done", text)


class _Upload:
    """One file and the bytes received so far."""

    def __init__(self, number: Any, name: str, size: Any) -> None:
        path = PurePath(name)
        kinds = [kind for kind, suffixes in KINDS.items() if path.suffix.lower() in suffixes]
        if not kinds:
            raise FileError(
                _("Choose a table (.csv), images in folders (.zip) or weights (.safetensors)."),
                code="upload.unsupported_type",
            )
        self.number = number
        self.name = path.stem
        self.kind = kinds[0]
        if type(size) is not int or size < 1:
            raise FileError(_("The file is empty."), code="upload.empty")
        if size > MAX_BYTES[self.kind]:
            raise FileError(
                _("The file is {size}; the maximum is {maximum}.").format(
                    size=formatting.size(size), maximum=formatting.size(MAX_BYTES[self.kind])
                ),
                code="upload.too_large",
            )
        self.size = size
        self.content = bytearray()
        self.received = 0
        self.table: Table | None = None
        self.cancel = CancelToken()

    def is_complete(self) -> bool:
        """Whether all bytes are received."""
        return self.received == self.size

    def append(self, buffers: Sequence[Any]) -> None:
        """Add the next chunk."""
        chunk = bytes(buffers[0]) if len(buffers) == 1 else b""
        if not chunk or len(chunk) > CHUNK_BYTES or self.received + len(chunk) > self.size:
            raise FileError(
                _("The upload was interrupted: start it again."), code="upload.interrupted"
            )
        self.content += chunk
        self.received += len(chunk)


def _send_progress(reply: Callable[..., None], text: str, fraction: float | None) -> None:
    reply("busy", text, fraction=fraction)
