"""The repository names no private paths and no package registries."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOME = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users|tmp|opt)/[\w.-]+")
HOSTS = re.compile(
    r"(?:[\w-]+\.)*(?:pypi\.org|pythonhosted\.org|anaconda\.org|npmjs\.(?:org|com)|debian\.org"
    r"|jsdelivr\.net|unpkg\.com|download\.pytorch\.org)[\w./-]*"
)
CPU_INDEX = "download.pytorch.org/whl/cpu"


def tracked():
    """Return the text files that are, or would be, part of a commit."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    process = subprocess.run(listing, check=False, cwd=ROOT, capture_output=True, text=True)
    if process.returncode != 0:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in process.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


@pytest.mark.slow
@pytest.mark.check
def test_no_private_paths():
    hits = [(path.name, hit) for path in others() for hit in HOME.findall(read(path))]
    assert not hits


@pytest.mark.slow
@pytest.mark.check
def test_no_registries_except_the_pytorch_index():
    hits = [(path.name, hit) for path in others() for hit in HOSTS.findall(read(path))]
    assert not [hit for hit in hits if hit[1] != CPU_INDEX]


def others():
    return [path for path in tracked() if path != Path(__file__)]


def read(path):
    return path.read_text(encoding="utf-8")
