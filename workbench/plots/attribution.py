"""What a network looks at in one example, before and after compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import figures
from workbench.plots.marks import marked
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, layout
from workbench.text import _

if TYPE_CHECKING:
    from workbench.evaluation.attribution import Attribution, Look

GAP = 0.02


def draw(found: Attribution, palette: Palette = LIGHT) -> Figure:
    """Draw the example, and what each pixel adds to the predicted class's logit, before and after.

    Both maps have one colour scale.
    """
    largest = max(float(np.abs(look.pixels).max()) for look in (found.before, found.after))
    largest = largest or 1.0
    blue, orange = palette.categories[0], palette.categories[1]
    scale = {
        "colorscale": [[0, blue], [0.5, palette.panel], [1, orange]],
        "zmin": -largest,
        "zmax": largest,
        "hovertemplate": "%{z:+.3f}<extra></extra>",
    }
    image = {
        "z": found.image.tolist(),
        "colorscale": [[0, palette.ground], [1, palette.ink]],
        "showscale": False,
        "hoverinfo": "skip",
    }
    bar = {
        "orientation": "h",
        "x": 1,
        "xanchor": "right",
        "y": -0.02,
        "yanchor": "top",
        "len": (2 - GAP) / 3,
        "thickness": 8,
        "outlinewidth": 0,
        "nticks": 5,
        "title": {"text": _("what a pixel adds to the logit"), "side": "bottom"},
    }
    panels = [
        image,
        {**scale, "z": _rounded(found.before), "showscale": False},
        {**scale, "z": _rounded(found.after), "colorbar": bar},
    ]
    heads = [
        f"<b>{_(found.classes[found.label])}</b><br>{_('the label')}",
        _head(_("before"), found, found.before, palette),
        _head(_("after"), found, found.after, palette),
    ]
    axes: dict[str, Any] = {}
    notes = []
    for place, head in enumerate(heads):
        number = "" if not place else str(place + 1)
        left = place * (1 + GAP) / 3
        across = [left, min(1.0, left + (1 - 2 * GAP) / 3)]
        hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
        axes[f"xaxis{number}"] = {**hidden, "domain": across, "anchor": f"y{number}"}
        axes[f"yaxis{number}"] = {
            **hidden,
            "anchor": f"x{number}",
            "autorange": "reversed",
            "scaleanchor": f"x{number}",
            "constraintoward": "top",
        }
        panels[place] |= {"type": "heatmap", "xaxis": f"x{number}", "yaxis": f"y{number}"}
        notes.append(
            {
                "text": head,
                "x": sum(across) / 2,
                "y": 1,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12},
            }
        )
    return {
        "data": panels,
        "layout": layout(
            palette,
            finding(found),
            height=380,
            margin={"l": 12, "r": 12, "t": 84, "b": 56},
            annotations=notes,
            **axes,
        ),
    }


def finding(found: Attribution) -> str:
    """Return what the example was and is taken for, in a sentence."""
    before, after = (_(found.classes[look.predicted]) for look in (found.before, found.after))
    sure = [figures.percent(_sureness(look), 0) for look in (found.before, found.after)]
    if found.before.predicted == found.after.predicted:
        text = _("Taken for {before} before and after, {first} and {second} sure")
    else:
        text = _("Taken for {before} before ({first} sure), for {after} after ({second})")
    return text.format(before=before, after=after, first=sure[0], second=sure[1])


def rows(found: Attribution) -> list[dict[str, Any]]:
    """Return the picture's data as a table: a row for each pixel."""
    height, width = found.image.shape
    return [
        {
            "row": row,
            "column": column,
            "grey": int(found.image[row, column]),
            "before": float(found.before.pixels[row, column]),
            "after": float(found.after.pixels[row, column]),
        }
        for row in range(height)
        for column in range(width)
    ]


def _head(when: str, found: Attribution, look: Look, palette: Palette) -> str:
    right = look.predicted == found.label
    name = marked(_(found.classes[look.predicted]), right=right, palette=palette)
    return f"{when}: <b>{name}</b><br>{figures.percent(_sureness(look))}"


def _sureness(look: Look) -> float:
    return look.probabilities[look.predicted]


def _rounded(look: Look) -> list[list[float]]:
    rounded: list[list[float]] = np.round(look.pixels.astype(np.float64), 4).tolist()
    return rounded
