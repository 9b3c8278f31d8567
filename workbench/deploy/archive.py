"""A package as one archive to download."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from workbench.deploy.package import Package

DATE = (1980, 1, 1, 0, 0, 0)
"""The same for all files, so that the same package gives the same bytes."""


def archive_name(package: Package) -> str:
    """Return the name of the archive, which is also the folder inside it."""
    target = package.target
    model = str(package.manifest["model"]).replace("/", "-")
    return f"{model}-{target.runtime}-{target.precision}.zip"


def package_archive(package: Package) -> bytes:
    """Return a ZIP file with the network, the manifest, ``run.py`` and ``requirements.txt``."""
    stream, folder = io.BytesIO(), archive_name(package).removesuffix(".zip")
    with tempfile.TemporaryDirectory(prefix="workbench-") as name:
        package.save(Path(name) / folder)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((Path(name) / folder).iterdir()):
                entry = zipfile.ZipInfo(f"{folder}/{path.name}", DATE)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return stream.getvalue()
