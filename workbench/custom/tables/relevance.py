"""How well a column alone predicts the target: the factor of its features."""

from __future__ import annotations

from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST = 0.1
"""The factor of a column that alone predicts nothing; with others it may still be useful."""
MARGIN = 0.5
"""Added to the largest correlation that chance produces, in standard errors."""


def relevance(
    features: NDArray[np.float32], targets: NDArray[np.float64], candidates: int
) -> float:
    """Return the weight of a column, from `LEAST` to 1.

    If many columns are noise, a network memorizes the noise. It does so much less if these
    columns have small values: gradient steps of the same size then change its output less.

    Parameters
    ----------
    features
        The features of the training rows, [rows, n].
    targets
        What `standardized_targets` returned for these rows, [rows, m].
    candidates
        The number of features of all columns, which chance chooses the largest correlation from.
    """
    centered = features - features.mean(axis=0, dtype=np.float64)
    deviations = centered.std(axis=0)
    products = np.abs(centered.T @ targets).max(axis=1, initial=0.0)
    scores = np.divide(products, deviations, out=np.zeros_like(products), where=deviations > 0)
    score = float(scores.max(initial=0.0)) / sqrt(len(features))
    expected = sqrt(2 * log(max(2, candidates))) + MARGIN
    return round(min(1.0, max(LEAST, score / expected)), 2)


def standardized_targets(labels: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Return the labels of the training rows as columns of mean 0 and standard deviation 1.

    Parameters
    ----------
    labels
        Classes or numbers, [rows].
    classes
        The number of classes, or 0 for numbers.
    """
    columns = np.eye(classes)[labels] if classes else labels.astype(np.float64)[:, None]
    centered: NDArray[np.float64] = columns - columns.mean(axis=0)
    deviations = centered.std(axis=0)
    return centered / np.where(deviations > 0, deviations, 1.0)
