"""Finished runs in the cache of results, found again by their digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from workbench.cache.records import from_record, to_record
from workbench.cache.results import ResultCache
from workbench.domain import Model
from workbench.parallel.reason import reason
from workbench.parallel.result import ParallelTraining

VERSION = 1
"""Incremented when the fields of a result change."""


def keep_run(model: Model, result: ParallelTraining, results: ResultCache) -> str:
    """Store a finished run of `model`; return its digest."""
    record = to_record(result)
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()[:16]
    results.put(_key(model, digest), record)
    return digest


def kept_run(model: Model, digest: str, results: ResultCache) -> ParallelTraining | None:
    """Return a run of `model` that was stored, or None."""
    record = results.get(_key(model, digest))
    if record is None:
        return None
    result: ParallelTraining = from_record(ParallelTraining, record)
    return replace(result, reason=reason(result))  # in the language of the reader


def _key(model: Model, digest: str) -> str:
    return f"parallel {VERSION} {json.dumps(model.identity)} {digest}"
