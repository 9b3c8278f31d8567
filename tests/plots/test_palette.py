"""Text is readable: its contrast is at least 4.5:1 in both themes."""

from __future__ import annotations

import pytest

from workbench.plots.palette import THEMES

PAIRS = (
    ("ink", "panel"),
    ("ink", "ground"),
    ("muted", "panel"),
    ("muted", "ground"),
    ("accent", "panel"),
    ("on_accent", "accent"),
    ("ink", "soft"),
    ("bad", "bad_ground"),
    ("good", "panel"),
    ("panel", "ink"),
)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_contrast(theme, front, back):
    palette = THEMES[theme]
    light, dark = sorted(
        (luminance(getattr(palette, name)) for name in (front, back)), reverse=True
    )
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(color):
    channels = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
