"""The drawing library's own script, from the installed `plotly` package and from nowhere else."""

from __future__ import annotations

import gzip
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files


def script() -> bytes:
    """Return plotly.js as the installed package ships it (about 5 MB of text)."""
    return files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()


@lru_cache(maxsize=1)
def compressed_script() -> bytes:
    """Return the script as gzip (about 1.5 MB), packed once per process."""
    return gzip.compress(script(), compresslevel=6, mtime=0)


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Return a short digest that changes with the script, so that browsers may keep it for ever."""
    return sha256(script()).hexdigest()[:16]
