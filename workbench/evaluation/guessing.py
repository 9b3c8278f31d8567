"""What guessing reaches on the same examples, and whether a model is better."""

from __future__ import annotations

from collections.abc import Sequence
from math import atanh, comb, inf, sqrt

import numpy as np

MAX_CHANCE = 0.05
"""A model is better than guessing if chance would explain its advantage with less probability."""
Z = 1.6449
"""The quantile of the normal distribution for `MAX_CHANCE`, one-sided."""
MAX_EXACT = 1_000
"""Above this count, binomial probabilities are those of the normal distribution."""


def beats_majority(confusion: Sequence[Sequence[int]], correct: int, guess: int) -> bool:
    """Return whether a classifier is measurably better than always predicting one class.

    It is the sign test (McNemar, exact): among the examples on which only one of both is right,
    the model must be right more often than chance would allow.

    Parameters
    ----------
    confusion
        Counts of true by predicted class.
    correct
        Correct predictions of the model.
    guess
        The class that is always predicted.
    """
    only_model = correct - confusion[guess][guess]
    only_guess = sum(confusion[guess]) - confusion[guess][guess]
    return _chance(only_model, only_model + only_guess) < MAX_CHANCE


def beats_mean(explained: float, examples: int) -> bool:
    """Return whether a regression is measurably better than always predicting the mean.

    It uses Fisher's transformation of the correlation, the square root of R².
    """
    if not explained > 0 or examples <= 3:
        return False
    correlation = sqrt(min(explained, 1.0))
    return (inf if correlation >= 1 else atanh(correlation)) * sqrt(examples - 3) > Z


def majority(labels: np.ndarray[tuple[int], np.dtype[np.integer]], classes: int) -> tuple[int, int]:
    """Return the most frequent class of labels [n] and how often it occurs."""
    counts = np.bincount(labels, minlength=classes)
    return int(counts.argmax()), int(counts.max())


def _chance(wins: int, trials: int) -> float:
    """Return the probability of at least `wins` heads in `trials` tosses of a fair coin."""
    if trials > MAX_EXACT:
        return 0.0 if (wins - 0.5 - trials / 2) / (sqrt(trials) / 2) > Z else 1.0
    ways = sum(comb(trials, number) for number in range(wins, trials + 1))
    return ways / int(2**trials)
