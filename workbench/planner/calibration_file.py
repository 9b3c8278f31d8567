"""The file of a calibration: the rates of a machine, and how much longer steps take there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.errors import InputError, WorkbenchError, file_errors
from workbench.planner.architectures.read import read_json
from workbench.planner.chips import Calibration, Chip, chip

LARGEST = 1e30
"""No rate, size or factor is larger."""


def chip_of(name: object) -> Chip:
    """Return a chip by its id, or that of a calibration's file, whose name ends with .json.

    Raises
    ------
    UnknownNameError
        If there is none of that id.
    InputError, FileError
        If the file is not that of a calibration, or cannot be read.
    """
    is_file = isinstance(name, str | Path) and str(name).endswith(".json")
    return read_chip(Path(str(name))) if is_file else chip(name)


def write_chip(chosen: Chip, path: Path) -> None:
    """Write the calibration of a chip as JSON.

    Raises
    ------
    InputError
        If the chip is not calibrated.
    FileError
        If the file cannot be written.
    """
    if chosen.calibration is None:
        raise InputError(
            f"{chosen.title} is not calibrated; call wb.calibrate_chip first.",
            code="plan.no_calibration",
        )
    content = {
        "calibration_of": chosen.id,
        "usable": chosen.usable,
        "sustained": dict(chosen.sustained),
        "factors": dict(chosen.calibration.factors),
        "errors": dict(chosen.calibration.errors),
        "origin": chosen.calibration.origin,
        "features": {kind: sorted(names) for kind, names in chosen.calibration.features},
    }
    with file_errors("write", path):
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_chip(path: Path) -> Chip:
    """Return the chip of a calibration's file.

    Raises
    ------
    InputError
        If it is not such a file.
    FileError
        If it cannot be read.
    """
    return parse_chip(read_json(path), path.name)


def parse_chip(content: Any, name: str) -> Chip:
    """Return the chip of a calibration by the entries of its file, which is called `name`.

    Raises
    ------
    InputError
        If they are not those of a calibration.
    """
    try:
        base = chip(content["calibration_of"])
        calibration = Calibration(
            _positive(content["factors"]),
            _positive(content["errors"]),
            str(content["origin"]),
            tuple(
                (str(kind), frozenset(map(str, names)))
                for kind, names in content.get("features", {}).items()
            ),
        )
        return replace(
            base,
            usable=_positive({"usable": content["usable"]})[0][1],
            sustained=_positive(content["sustained"]),
            calibration=calibration,
        )
    except (AttributeError, KeyError, TypeError, ValueError, WorkbenchError):
        raise InputError(
            f"{name} is not a calibration file: write one with: workbench plan calibrate.",
            code="plan.calibration_file",
        ) from None


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the measured steps in a file: a JSON list of objects.

    Raises
    ------
    InputError
        If it holds anything else.
    FileError
        If it cannot be read.
    """
    with file_errors("read", path):
        data = path.read_bytes()
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path.name} must hold a JSON list of measured steps.", code="plan.row")
    return rows


def _positive(values: Any) -> tuple[tuple[str, float], ...]:
    """Return names with numbers above 0, small enough that times stay finite."""
    pairs = tuple((str(name), float(value)) for name, value in values.items())
    if not all(0 < value < LARGEST for _, value in pairs):
        raise ValueError
    return pairs
