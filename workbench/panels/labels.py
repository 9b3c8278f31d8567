"""Every word that the script itself puts on the page; it holds none of its own."""

from __future__ import annotations

from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.i18n import mark as N_

EXAMPLES = {
    "image": N_("images"),
    "words": N_("texts"),
    "characters": N_("pieces of text"),
    "frames": N_("recordings"),
    "own": N_("examples"),
}
"""What examples are called, by the form of a task."""


def examples_label(form: str) -> str:
    """Return the word for several examples of a form."""
    return _(EXAMPLES[form])


def page_labels(metric: Metric = ACCURACY) -> dict[str, str]:
    """Return the page's fixed words by key, in the chosen language."""
    name = _(metric.name)
    least = _("{metric} floor") if metric.higher_is_better else _("most {metric}")
    return {
        "title": _("Workbench"),
        "model": _("model"),
        "undo": _("undo"),
        "redo": _("redo"),
        "reset": _("reset"),
        "presets": _("presets"),
        "theme": _("switch between light and dark"),
        "doing": _("what you do"),
        "limits": _("Limits"),
        "limits_help": _("What lies outside is shaded in the picture; nothing else changes."),
        "budget": _("size budget"),
        "budget_unit": _("kB"),
        "floor": least.format(metric=name),
        "floor_unit": _("%") if metric.share else _(metric.unit or "-"),
        "floor_scale": "100" if metric.share else "1",
        "none": _("none"),
        "more": _("more choices"),
        "layers": _("layer by layer"),
        "leave": _("leave alone"),
        "leave_help": _("This layer stays as it is, whatever the controls above say."),
        "share_bytes": _("of the bytes"),
        "share_work": _("of the work"),
        "hold": _("keep the file's size"),
        "hold_help": _(
            "When one layer changes, the others are pruned more or less so that the file stays as "
            "long as it is now. Layers that are left alone take no part."
        ),
        "same": _("same"),
        "cost": _("what it costs"),
        "picture": _("{metric} against file size").format(metric=name),
        "numbers": _("the numbers"),
        "details": _("details"),
        "png": _("save as PNG"),
        "csv": _("save its data as CSV"),
        "png_short": _("PNG"),
        "csv_short": _("CSV"),
        "copy_link": _("copy link"),
        "copied": _("copied"),
        "copy": _("copy"),
        "copy_failed": _("This browser does not let the page copy: select the text instead."),
        "download": _("download"),
        "cancel": _("cancel"),
        "close": _("close"),
        "reload": _("reload"),
        "retry": _("try again"),
        "offline": _(
            "The computing part of this page has gone away; reload to go on from where you are."
        ),
        "drawing_failed": _("The drawing library did not load; reload to try again."),
    }
