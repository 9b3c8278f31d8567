"""All text that the JavaScript of the page displays; the script itself contains none."""

from __future__ import annotations

from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import LANGUAGES, _, language, mark as N_

EXAMPLES = {
    "image": N_("images"),
    "words": N_("texts"),
    "characters": N_("pieces of text"),
    "frames": N_("recordings"),
    "custom": N_("examples"),
}
"""The noun for examples, by input type of the task."""


def examples_label(input_type: str) -> str:
    """Return the plural noun for examples of an input type."""
    return _(EXAMPLES[input_type])


def page_labels(metric: Metric = ACCURACY) -> dict[str, str]:
    """Return the fixed texts of the page by key, in the chosen language."""
    name = metric.label
    floor = _("minimum {metric}") if metric.higher_is_better else _("maximum {metric}")
    other = next(code for code in LANGUAGES if code != language())
    return {
        "lang": language(),
        "other_lang": other,
        "other_language": LANGUAGES[other][0],
        "other_language_short": LANGUAGES[other][1],
        "title": _("Workbench"),
        "pages": _("pages"),
        "model": _("model"),
        "undo": _("undo"),
        "train_again": _("train again"),
        "undo_keys": _("Ctrl+Z"),
        "redo_keys": _("Ctrl+Shift+Z"),
        "redo": _("redo"),
        "reset": _("reset"),
        "presets": _("presets"),
        "theme": _("switch between light and dark"),
        "settings": _("Compression settings"),
        "level": _("how many settings to show"),
        "show": _("show"),
        "goal": _("Goal"),
        "goal_help": _("The area outside the goal is shaded in the chart; nothing else changes."),
        "budget": _("maximum size"),
        "budget_sign": "≤",
        "budget_unit": _("kB"),
        "floor": floor.format(metric=name),
        "floor_sign": "≥" if metric.higher_is_better else "≤",
        "floor_unit": _("%") if metric.is_fraction else _(metric.unit or "-"),
        "floor_scale": "100" if metric.is_fraction else "1",
        "none": _("none"),
        "comma": _(
            "Write thousands without a comma, such as 1500, and decimals with a point: 1.5."
        ),
        "layers": _("layer by layer"),
        "exclude": _("exclude"),
        "exclude_help": _("Do not compress this layer, whatever the settings above."),
        "bytes_share": _("of the bytes"),
        "macs_share": _("of the MACs"),
        "hold_size": _("keep the file size"),
        "hold_size_help": _(
            "When you change one layer, the sparsity of the other layers is adjusted so that the "
            "file keeps its current size. Excluded layers are not adjusted."
        ),
        "inherit": _("same"),
        "tradeoff": _("Accuracy vs. size"),
        "results": _("Results"),
        "measuring": _("measuring"),
        "less": _("show less"),
        "explanations": _("explain these terms"),
        "you": _("you"),
        "png": _("save as PNG"),
        "csv": _("save data as CSV"),
        "png_short": _("PNG"),
        "csv_short": _("CSV"),
        "copy_link": _("copy link"),
        "copied": _("copied"),
        "copy": _("copy"),
        "copy_failed": _("The browser blocked copying: select the text and copy it."),
        "train": _("train ▸"),
        "trial": _("try it"),
        "saved": _("The saved file"),
        "contents": _("What the file contains of your data"),
        "contents_show": _("show the names and values"),
        "contents_list": _("names and values"),
        "run": _("Run it in Python where Workbench is installed, in the folder of the file:"),
        "run_elsewhere": _(
            "Without Workbench, it runs in ONNX Runtime, in OpenVINO or on a phone: the page "
            "Deploy exports it."
        ),
        "download": _("download"),
        "download_contents": _("download with this content"),
        "cancel": _("cancel"),
        "close": _("close"),
        "reload": _("reload"),
        "offline": _(
            "The connection to the Python kernel was lost. Reload the page to continue from the "
            "current settings."
        ),
        "plotly_failed": _("plotly.js did not load: reload the page to try again."),
    }
