"""Sentences about one row of the page Deploy: what ran there, and why it is no faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench import formatting
from workbench.i18n import _

if TYPE_CHECKING:
    from workbench.deploy.deployment import Deployment, Outcome

BASELINE = "torch"


def notes(outcome: Outcome, deployment: Deployment) -> list[str]:
    """Return sentences about a confirmed or refused package."""
    assert outcome.agreement is not None  # else there is nothing to say
    facts = outcome.agreement.facts
    ran = _("It ran on {provider}, version {version}.").format(
        provider=facts["provider"], version=facts["version"]
    )
    sentences = [ran, outcome.agreement.integers, *_speed(outcome, deployment)]
    if outcome.package is None:
        sentences.append(
            _("A package that can contain code is not kept: start again to download it.")
        )
    return [sentence for sentence in sentences if sentence]


def _speed(outcome: Outcome, deployment: Deployment) -> list[str]:
    """Return how fast it is next to PyTorch, with the reason if it is not faster."""
    benchmark, target = deployment.benchmark, outcome.target
    if benchmark is None or benchmark.busy or target.runtime == BASELINE:
        return [] if benchmark is None or not benchmark.busy else _reasons(outcome)
    sentences, slower = [], False
    for timing in benchmark.timings:
        speedup = benchmark.speedup(timing)
        same = (timing.runtime, timing.precision) == (target.runtime, target.precision)
        if speedup is None or not same or timing.threads != benchmark.timings[0].threads:
            continue
        slower |= speedup <= 1
        text = (
            _("{times} the speed of PyTorch with a batch of {batch}.")
            if speedup > 1
            else _("Not faster than PyTorch with a batch of {batch}: {times} its speed.")
        )
        sentences.append(text.format(times=formatting.times(speedup), batch=timing.batch))
    return [*sentences, *(_reasons(outcome) if slower else [])]


def _reasons(outcome: Outcome) -> list[str]:
    """Return what the runtime cannot use of the file, as the manifest says."""
    return list(outcome.package_facts.notes) if outcome.package_facts else []
