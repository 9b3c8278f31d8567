"""Notebooks in the repository have no outputs, counts or widget state, and are small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))


@pytest.mark.check
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_is_stripped(path):
    assert path.stat().st_size < 100_000
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert "widgets" not in notebook["metadata"]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["execution_count"] is None
            # nbval compares the stored output of these cells
            assert not cell["outputs"] or "# NBVAL_CHECK_OUTPUT" in "".join(cell["source"])


@pytest.mark.check
def test_the_dashboard_notebook_exists():
    assert ROOT / "notebooks" / "dashboard.ipynb" in NOTEBOOKS
