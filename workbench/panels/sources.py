"""Bundle the files of `js/` and `css/` into one script and one style sheet for anywidget.

The JavaScript files are ordinary ES modules that import from one another. Bundling removes their
imports, `export` keywords and type comments and joins them in dependency order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files

from workbench.plots.palette import THEMES, Palette

_FIGURE = (
    "dom",
    "gesture",
    "channel",
    "plotly",
    "text_boxes",
    "ticks",
    "obstacles",
    "label_room",
    "theme_colors",
    "chart",
)
SCRIPTS = (
    "address",
    *_FIGURE,
    "softmax",
    "live_layer",
    "limit_handles",
    "plane",
    "summary",
    "results",
    "limits",
    "committed_fields",
    "field",
    "layer_table",
    "levels",
    "decimals",
    "goal",
    "student",
    "distillation",
    "tour",
    "training",
    "parallel",
    "settings",
    "check_parts",
    "check_table",
    "check_pictures",
    "check_checkpoint",
    "check",
    "learned",
    "trial",
    "uploaded_files",
    "upload",
    "undo_keys",
    "header",
    "card",
    "export",
    "buttons",
    "activity",
    "views",
    "generation",
    "tabs",
    "stage",
    "saved",
    "contents",
    "footer",
    "compress_page",
    "train_page",
    "choose_page",
    "deploy_page",
    "parallel_page",
    "plan_page",
    "app",
    "parts",
    "operations",
    "status",
    "surroundings",
    "theme",
    "landmarks",
    "main",
)
STYLES = (
    "base",
    "layout",
    "chart",
    "upload",
    "check",
    "learned",
    "trial",
    "controls",
    "distillation",
    "tour",
    "training",
    "choose",
    "deploy",
    "parallel",
    "planning",
    "layer_table",
    "plane",
    "limit_handles",
    "summary",
    "card",
    "tabs",
    "views",
    "generation",
    "status",
)

LIVE_SCRIPTS = (*_FIGURE, "surroundings", "live")
"""The script of a figure that moves in a notebook, in dependency order."""
LIVE_STYLES = ("base", "chart")

_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
_TYPES = re.compile(r"^ *(?:/\*\*(?:(?!\*/).)*\*/|// @ts-check)\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)
_ROOT = re.compile(r"\.wb(?![\w-])")


def script(names: Sequence[str] = SCRIPTS) -> str:
    """Return scripts as one ES module; by default those of the page."""
    root = files("workbench.panels") / "js"
    text = "\n".join((root / f"{name}.js").read_text("utf-8") for name in names)
    return _EXPORT.sub("", _IMPORT.sub("", _TYPES.sub("", text)))


def styles(names: Sequence[str] = STYLES) -> str:
    """Return style sheets as one, by default those of the page, with the palette's colors.

    The root class is repeated, which raises the specificity of every rule above the rules that
    JupyterLab has for the contents of outputs.
    """
    root = files("workbench.panels") / "css"
    texts = [_colors(name, palette) for name, palette in THEMES.items()]
    texts += [(root / f"{name}.css").read_text("utf-8") for name in names]
    return _ROOT.sub(".wb.wb.wb", "\n".join(texts))


def _colors(theme: str, palette: Palette) -> str:
    colors = {name: color for name, color in vars(palette).items() if name != "categories"}
    colors |= {f"category_{n}": color for n, color in enumerate(palette.categories)}
    inside = "\n".join(f"  --{name.replace('_', '-')}: {color};" for name, color in colors.items())
    return f'.wb[data-theme="{theme}"] {{\n  color-scheme: {theme};\n{inside}\n}}'
