"""The title of the trade-off: what the current file saves and costs."""

from __future__ import annotations

from workbench import formatting
from workbench.domain.metric import ACCURACY, Metric
from workbench.i18n import _
from workbench.plots.spots import Spot


def finding(
    original: Spot,
    you: Spot | None,
    metric: Metric,
    size: int | None = None,
    *,
    outdated: bool = False,
    name: str = "",
) -> str:
    """Return the finding as a sentence.

    `size` is that of a file whose metric is not known yet. An `outdated` point belongs to an
    earlier recipe. `name` is what `original` is called, if it is a distilled student.
    """
    if size is not None:
        ratio = formatting.times(original.bytes / size)
        return _("{ratio} smaller: the cost is not measured yet").format(ratio=ratio)
    if you is None or _is_original(you, original):
        if outdated:
            return _("The compressed model is being measured")
        return _("The original model: move a slider to compress it")
    return _cost(original, you, metric, name or _("the original"))


def _is_original(you: Spot, original: Spot) -> bool:
    return you.value == original.value and abs(you.bytes / original.bytes - 1) < 0.005


def _cost(original: Spot, you: Spot, metric: Metric, name: str) -> str:
    change = metric.difference(you.value, original.value)
    same = change.startswith("±")
    if you.bytes >= original.bytes:
        if same:
            return _("Not smaller than {original}, and as good").format(original=name)
        return _("Not smaller than {original}, {change}").format(original=name, change=change)
    lost = change.lstrip(f"+±{formatting.MINUS}")
    has_own_unit = not metric.is_fraction and (metric.unit or not metric.higher_is_better)
    if not you.exact:
        text = _("{ratio} smaller for about {lost} of {metric}")
        if has_own_unit:
            text = _("{ratio} smaller for about {lost}")
    elif same:
        text = _("{ratio} smaller, and as good as before")
        if metric == ACCURACY:
            text = _("{ratio} smaller, and as accurate as before")
    elif not metric.better(original.value, you.value):
        text = _("{ratio} smaller, and {lost} better")
        if metric == ACCURACY:
            text = _("{ratio} smaller, and {lost} more accurate")
    else:
        text = _("{ratio} smaller costs {lost} of {metric}")
        if has_own_unit:
            text = _("{ratio} smaller costs {lost}")
    ratio = formatting.times(original.bytes / you.bytes)
    return text.format(ratio=ratio, lost=lost, metric=metric.label)
