"""The plotly.js script of the installed `plotly` package; no copy from the network is used."""

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
    """Return the script as gzip (about 1.5 MB), compressed once per process."""
    return gzip.compress(script(), compresslevel=6, mtime=0)


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Return a short digest of the script, which lets browsers cache it without expiry."""
    return sha256(script()).hexdigest()[:16]
