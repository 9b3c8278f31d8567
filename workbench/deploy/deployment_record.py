"""A finished deployment as plain data: what was confirmed, and the times of the machine.

The network of a package is in the cache of files, unless it can contain code.
"""

from __future__ import annotations

import time
from typing import Any

from workbench.artifact.artifact import Artifact
from workbench.cache.records import from_record, to_record
from workbench.deploy.deployment import Deployment, Outcome, PackageFacts
from workbench.deploy.records import agreement_from_record, agreement_record
from workbench.deploy.store import cached_package
from workbench.deploy.target import Target
from workbench.deploy.timing import Benchmark
from workbench.domain import Model
from workbench.errors import ArtifactError
from workbench.i18n import _
from workbench.profiling.roofline import Roofline


def deployment_record(deployment: Deployment) -> dict[str, Any]:
    """Return plain data for JSON from which `deployment_from_record` makes it again."""
    roofline = deployment.roofline
    return {
        "time": time.time(),
        "digest": deployment.artifact.digest,
        "outcomes": [_outcome_record(outcome) for outcome in deployment.outcomes],
        "benchmark": to_record(deployment.benchmark) if deployment.benchmark else None,
        "roofline": roofline.as_dict() if roofline else None,
        "error": deployment.error,
    }


def deployment_from_record(record: dict[str, Any], artifact: Artifact, model: Model) -> Deployment:
    """Inverse of `deployment_record`.

    Raises
    ------
    ArtifactError
        If the record does not belong to `artifact`.
    """
    if record["digest"] != artifact.digest:
        raise ArtifactError(
            _("The results of the last run belong to another file: start again."),
            code="deploy.other_artifact",
        )
    roofline = record["roofline"]
    return Deployment(
        artifact,
        tuple(_outcome(each, artifact, model) for each in record["outcomes"]),
        from_record(Benchmark, record["benchmark"]),
        Roofline.from_dict(roofline) if roofline else None,
        record["error"],
    )


def _outcome_record(outcome: Outcome) -> dict[str, Any]:
    return {
        "target": outcome.target.as_dict(),
        "facts": to_record(outcome.package_facts) if outcome.package_facts else None,
        "agreement": agreement_record(outcome.agreement) if outcome.agreement else None,
        "error": outcome.error,
    }


def _outcome(record: dict[str, Any], artifact: Artifact, model: Model) -> Outcome:
    target, agreement = Target(**record["target"]), record["agreement"]
    return Outcome(
        target,
        cached_package(artifact, target),
        agreement_from_record(agreement, model.task.metric) if agreement else None,
        record["error"],
        from_record(PackageFacts, record["facts"]),
    )
