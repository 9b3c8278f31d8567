"""Buttons above what a tab shows, as the page wants them."""

from __future__ import annotations

from typing import Any


def choice(key: str, label: str, value: Any, choices: list[tuple[Any, str]]) -> dict[str, Any]:
    """Return a row of buttons of which one is pressed."""
    named = [{"value": value, "label": label} for value, label in choices]
    return {"kind": "buttons", "key": key, "label": label, "value": value, "choices": named}


def button(key: str, value: int, text: str, disabled: bool = False) -> dict[str, Any]:
    """Return a button that sends `value`."""
    return {"kind": "button", "key": key, "value": value, "text": text, "disabled": disabled}
