"""Descriptions of the buttons and lists above the content of a tab."""

from __future__ import annotations

from typing import Any


def choice(key: str, label: str, value: Any, choices: list[tuple[Any, str]]) -> dict[str, Any]:
    """Return a row of buttons of which exactly one is pressed."""
    options = [{"value": value, "label": label} for value, label in choices]
    return {"kind": "buttons", "key": key, "label": label, "value": value, "choices": options}


def select(key: str, label: str, value: Any, choices: list[tuple[Any, str]]) -> dict[str, Any]:
    """Return a list to select one of many values from."""
    return {**choice(key, label, value, choices), "kind": "select"}


def button(key: str, value: int, text: str, disabled: bool = False) -> dict[str, Any]:
    """Return a button that sends `value`."""
    return {"kind": "button", "key": key, "value": value, "text": text, "disabled": disabled}
