"""The page's script and style sheet, put together from the files of `js/` and `css/`.

anywidget takes one script and one style sheet. The files are ordinary ES modules that import from
one another; here the imports and the `export` words go, and what is left is one module, in an
order in which everything is defined before it is used.
"""

from __future__ import annotations

import re
from importlib.resources import files

from workbench.plots.palette import THEMES, Palette

SCRIPTS = (
    "dom",
    "channel",
    "plotly",
    "picture",
    "field",
    "layers",
    "training",
    "choices",
    "upload",
    "header",
    "card",
    "share",
    "buttons",
    "views",
    "written",
    "tabs",
    "status",
    "address",
    "main",
)
STYLES = (
    "base",
    "layout",
    "upload",
    "controls",
    "bank",
    "card",
    "tabs",
    "views",
    "written",
    "status",
)

_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


def script() -> str:
    """Return the page's script as one ES module."""
    root = files("workbench.panels") / "js"
    texts = [(root / f"{name}.js").read_text("utf-8") for name in SCRIPTS]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


def styles() -> str:
    """Return the page's style sheet, with the palette's colours as custom properties."""
    root = files("workbench.panels") / "css"
    texts = [_colours(name, palette) for name, palette in THEMES.items()]
    texts += [(root / f"{name}.css").read_text("utf-8") for name in STYLES]
    return "\n".join(texts)


def _colours(theme: str, palette: Palette) -> str:
    names = [name for name in vars(palette) if name != "categories"]
    lines = [f"  --{name.replace('_', '-')}: {getattr(palette, name)};" for name in names]
    inside = "\n".join(lines)
    return f'.wb[data-theme="{theme}"] {{\n  color-scheme: {theme};\n{inside}\n}}'
