"""One uploaded file: its announcement, its kind, and the bytes received so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from workbench import formatting
from workbench.cancel import CancelToken
from workbench.custom.uploads import limits
from workbench.errors import FileError
from workbench.i18n import _, mark as N_

LENGTH_BYTES = 8
"""The bytes of a safetensors file that hold the length of its header."""
CHUNK_BYTES = 2**19
"""Far below the message limit of websockets, and at most a few hundred chunks per file."""

KINDS = {
    "table": (".csv", ".tsv", ".txt", ".data", ".dat", ".gz", ".arff"),
    "pictures": (".zip",),
    "weights": (".safetensors",),
}
MAX_BYTES = {
    "table": limits.TABLE_BYTES,
    "pictures": limits.IMAGES_BYTES,
    "weights": limits.WEIGHTS_BYTES,
}
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".heic", ".webp", ".gif", ".bmp")
"""Single pictures, which a model can be tried on."""

OTHERS = {
    (".index.json",): N_(
        "This is the index of several files: upload one of them, or compress their folder in a "
        "console with workbench compress FOLDER --output FILE."
    ),
    (".xlsx", ".xls", ".xlsm", ".ods", ".numbers"): N_(
        "This is a spreadsheet: save it as “CSV UTF-8” (in Excel: File, Save as), then upload that "
        "file."
    ),
    (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".joblib"): N_(
        "Files of this type can execute code, so they are not opened: save the weights with "
        "safetensors.torch.save_file, then upload that file."
    ),
    (".json", ".jsonl", ".parquet", ".feather"): N_(
        "Files of this type are not read: save the table as CSV, then upload that file."
    ),
    PICTURES: N_(
        "This is one picture: put the pictures of each class into a folder named after it, and "
        "upload a ZIP archive of the folders."
    ),
    (".rar", ".7z", ".tar", ".tgz"): N_(
        "Archives of this type are not opened: create a ZIP archive of the folders instead."
    ),
}
"""What to do with files that are not read, by the end of their names."""


class UploadedFile:
    """An announced file.

    Parameters
    ----------
    number
        The number that the page gave it.
    name
        Its name; the end decides how it is read.
    size
        Its length in bytes; of weights that are too large, only the header is sent.
    is_trial
        Whether the current model is tried on it: it may then be a single picture.

    Raises
    ------
    FileError
        If files of this type are not read, or it is empty or too large.
    """

    def __init__(self, number: Any, name: str, size: Any, *, is_trial: bool = False) -> None:
        path = PurePath(name)
        self.number = number
        self.name = path.name
        self.stem = PurePath(path.stem).stem if path.suffix.lower() == ".gz" else path.stem
        suffix = path.suffix.lower()
        self.kind = "pictures" if is_trial and suffix in PICTURES else _kind(path.name.lower())
        self.is_trial = is_trial
        if type(size) is not int or size < 1:
            raise FileError(_("The file is empty."), code="upload.empty")
        is_large = size > MAX_BYTES[self.kind]
        self._sends_header = is_large and self.kind == "weights" and not is_trial
        if is_large and not self._sends_header:
            raise FileError(
                _("The file is {size}; the maximum is {maximum}.").format(
                    size=formatting.size(size), maximum=formatting.size(MAX_BYTES[self.kind])
                ),
                code="upload.too_large",
            )
        self.size = size
        self.received = 0
        self._content = bytearray()
        self.cancel = CancelToken()

    def is_complete(self) -> bool:
        """Whether all bytes are received; for large weights, those of the header."""
        return self.received >= (self._header_end() if self._sends_header else self.size)

    def append(self, buffers: Sequence[Any]) -> None:
        """Add the next chunk."""
        chunk = bytes(buffers[0]) if len(buffers) == 1 else b""
        if not chunk or len(chunk) > CHUNK_BYTES or self.received + len(chunk) > self.size:
            raise FileError(
                _("The upload was interrupted: start it again."), code="upload.interrupted"
            )
        self._content += chunk
        self.received += len(chunk)

    def _header_end(self) -> int:
        """Return the end of the header of a safetensors file."""
        length = int.from_bytes(self._content[:LENGTH_BYTES], "little")
        return LENGTH_BYTES + min(length, limits.HEADER_BYTES)

    def take(self) -> bytes:
        """Return the content, which is then no longer stored here."""
        content, self._content = bytes(self._content), bytearray()
        return content


def _kind(name: str) -> str:
    for kind, suffixes in KINDS.items():
        if name.endswith(suffixes):
            return kind
    for suffixes, sentence in OTHERS.items():
        if name.endswith(suffixes):
            raise FileError(_(sentence), code="upload.unsupported_type")
    raise FileError(
        _("Choose a table (.csv), pictures in folders (.zip) or weights (.safetensors)."),
        code="upload.unsupported_type",
    )
