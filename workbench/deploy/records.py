"""Agreements as plain data, for the cache and for another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.deploy.agreement import Agreement
from workbench.domain.metric import Metric
from workbench.evaluation.report import Score


def agreement_record(agreement: Agreement) -> dict[str, Any]:
    """Return plain data for JSON from which `agreement_from_record` makes the agreement again."""
    return {
        "model": agreement.model,
        "runtime": agreement.runtime,
        "split": agreement.split,
        "predictions": agreement.predictions,
        "equal": agreement.equal,
        "borderline": agreement.borderline.tolist(),
        "different": agreement.different.tolist(),
        "classes": agreement.classes.tolist(),
        "beyond": agreement.beyond,
        "tried": agreement.tried,
        "largest_difference": agreement.largest_difference,
        "score": agreement.score.as_dict(),
        "reference": agreement.reference.as_dict(),
        "facts": dict(agreement.facts),
    }


def agreement_from_record(record: Mapping[str, Any], metric: Metric) -> Agreement:
    """Inverse of `agreement_record`; `metric` is that of the file's task."""
    indices = {name: np.array(record[name], np.int64) for name in ("borderline", "different")}
    classes = np.array(record["classes"], np.int64).reshape(-1, 2)
    scores = {name: Score.from_dict(record[name]) for name in ("score", "reference")}
    return Agreement(**{**record, **indices, **scores, "classes": classes, "metric": metric})
