"""What a network looks at in one example, before and after compression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import figures
from workbench.plots.marks import marked
from workbench.plots.palette import LIGHT, Palette
from workbench.plots.style import Figure, axis, layout
from workbench.text import _

if TYPE_CHECKING:
    from workbench.evaluation.attribution import Attribution, Look

SIDE_BY_SIDE = (
    ([0, 0.32], [0, 1]),
    ([0.34, 0.66], [0, 1]),
    ([0.68, 1], [0, 1]),
)
"""Where image and maps stand, across and up."""
STACKED = (
    ([0.26, 0.74], [0.56, 1]),
    ([0, 0.49], [0, 0.44]),
    ([0.51, 1], [0, 0.44]),
)


def draw(found: Attribution, palette: Palette = LIGHT, *, stacked: bool = False) -> Figure:
    """Draw the example, and what each pixel adds to the predicted class's logit, before and after.

    Both maps have one colour scale. `stacked` sets the example above them, for a narrow page.
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
    image = {"z": found.image.tolist(), "hoverinfo": "skip"}
    if found.image.ndim == 3:
        image["type"] = "image"
    else:
        image |= {"colorscale": [[0, palette.ground], [1, palette.ink]], "showscale": False}
    bar = {
        "orientation": "h",
        "x": 1,
        "xanchor": "right",
        "y": -0.02,
        "yanchor": "top",
        "len": 1 if stacked else 0.66,
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
        across, up = (STACKED if stacked else SIDE_BY_SIDE)[place]
        frame = {
            **axis(palette, "", showgrid=False, showline=True, mirror=True),
            "showticklabels": False,
            "ticks": "",
            "constrain": "domain",
        }
        axes[f"xaxis{number}"] = {**frame, "domain": across, "anchor": f"y{number}"}
        axes[f"yaxis{number}"] = {
            **frame,
            "domain": up,
            "anchor": f"x{number}",
            "autorange": "reversed",
            "scaleanchor": f"x{number}",
            "constraintoward": "bottom" if stacked else "top",
        }
        panel = {"type": "heatmap", **panels[place]}
        panels[place] = {**panel, "xaxis": f"x{number}", "yaxis": f"y{number}"}
        notes.append(
            {
                "text": head,
                "x": sum(across) / 2,
                "y": up[1],
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
            height=520 if stacked else 380,
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
