"""Bits for each layer under a total size: a multiple-choice knapsack over measured costs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

STEPS = 2000
"""Into how many units the size is divided."""

Option = tuple[int, int, float]
"""A setting of a layer, its bytes and its loss."""


def knapsack(options: Mapping[str, list[Option]], max_bytes: int) -> dict[str, int] | None:
    """Return the setting of each layer with the least total loss within `max_bytes`.

    It is solved exactly by dynamic programming for sizes that are rounded up to a
    two-thousandth of the limit. None if even the smallest settings are too large.

    Examples
    --------
    >>> knapsack({"a": [(2, 10, 5.0), (8, 40, 0.0)], "b": [(2, 10, 1.0), (8, 40, 0.0)]}, 50)
    {'a': 8, 'b': 2}
    """
    unit = max(1.0, max_bytes / STEPS)
    room = int(max_bytes // unit)
    best = np.full(room + 1, np.inf)
    best[0] = 0.0
    chosen: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
    for layer_options in options.values():
        following = np.full(room + 1, np.inf)
        picks = np.full(room + 1, -1, np.int64)
        for index, (_setting, size, loss) in enumerate(layer_options):
            units = max(0, int(np.ceil(size / unit)))
            if units > room:
                continue
            candidate = best[: room + 1 - units] + loss
            better = candidate < following[units:]
            following[units:][better] = candidate[better]
            picks[units:][better] = index
        best = following
        chosen.append(picks)
    if not np.isfinite(best).any():
        return None
    used = int(best.argmin())
    result: dict[str, int] = {}
    for name, picks in zip(reversed(list(options)), reversed(chosen), strict=True):
        setting, size, _loss = options[name][int(picks[used])]
        result[name] = setting
        used -= max(0, int(np.ceil(size / unit)))
    return {name: result[name] for name in options}
