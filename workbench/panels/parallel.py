"""The section of the page Parallel: its controls, what it says, and the conversion of values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench import formatting
from workbench.domain.applicable import has_batch_norm
from workbench.errors import InputError
from workbench.i18n import _, mark as N_
from workbench.panels.bounds import between
from workbench.parallel.plan import CHOICES, MAX_RANKS, Plan
from workbench.plots import parallel as card
from workbench.session import Session

DEFAULTS: Mapping[str, Any] = {
    "strategy": "data",
    "ranks": 2,
    "sync": "every_step",
    "every": 8,
    "split": "equal",
    "weighting": "examples",
    "batch_norm": "fixed",
    "schedule": "1f1b",
    "microbatches": 4,
    "steps": 60,
    "batch": 64,
    "repeats": 1,
    "machines": 1,
    "latency_ms": 0.0,
    "bandwidth": 0.0,
}
REPLICAS = [["strategy", ["data", "zero1", "zero2", "zero3"]]]
SYNCHRONIZED = [*REPLICAS, ["sync", ["every_step"]]]
LABELS = {
    "strategy": (N_("strategy"), N_("How the ranks divide the work.")),
    "ranks": (N_("ranks"), N_("Processes on this machine, with one thread each.")),
    "sync": (N_("synchronize"), N_("When the replicas exchange what they have learned.")),
    "every": (N_("every k steps, k"), N_("Steps between two averages of the weights.")),
    "split": (
        N_("shards"),
        N_("Whether all ranks get equally many examples of a batch, or rank 0 gets most of them."),
    ),
    "weighting": (
        N_("gradient"),
        N_("Weighted by examples, or a mean of means, in which each rank counts the same."),
    ),
    "batch_norm": (
        N_("batch norm"),
        N_("Fixed statistics, or those of the examples that a rank sees."),
    ),
    "schedule": (N_("schedule"), N_("The order in which stages process microbatches.")),
    "microbatches": (N_("microbatches"), N_("The parts of a batch in the pipeline.")),
    "steps": (N_("steps"), N_("Optimizer steps of each run.")),
    "batch": (N_("batch"), N_("Examples per step over all ranks.")),
    "repeats": (N_("runs"), N_("How often to train from the same seed, to compare the digests.")),
    "machines": (
        N_("machines"),
        N_("With 2, the ranks use two addresses of this machine, as if on two machines."),
    ),
    "latency_ms": (N_("latency, ms"), N_("Simulated: a delay per message.")),
    "bandwidth": (N_("bandwidth, MB/s"), N_("Simulated: a delay per byte; 0 for none.")),
}
NEEDS: Mapping[str, Sequence[Any]] = {
    "sync": [["strategy", ["data"]]],
    "every": [["strategy", ["data"]], ["sync", ["every_k"]]],
    "split": REPLICAS,
    "weighting": [*SYNCHRONIZED, ["split", ["uneven"]]],
    "batch_norm": REPLICAS,
    "schedule": [["strategy", ["pipeline"]]],
    "microbatches": [["strategy", ["pipeline"]]],
}
MAIN = (
    *("strategy", "ranks", "sync", "every", "split", "weighting", "batch_norm"),
    *("schedule", "microbatches"),
)
GROUPS = {
    N_("Training"): ("steps", "batch", "repeats"),
    N_("Simulated network"): ("machines", "latency_ms", "bandwidth"),
}
RANGES = {
    "every": (1, 100),
    "microbatches": (1, 32),
    "steps": (1, 1000),
    "batch": (4, 1024),
    "repeats": (1, 5),
    "latency_ms": (0, 100),
    "bandwidth": (0, 10_000),
}
SPLITS = {"equal": N_("equal"), "uneven": N_("uneven")}
SPLIT_OF = {False: "equal", True: "uneven"}
"""By whether a plan has shards of its own."""
FIRST_SHARE = 0.8
"""The share of a batch that rank 0 gets with uneven shards."""


def section(session: Session) -> dict[str, Any]:
    """Return the description from which the page builds the section."""
    hidden = set() if has_batch_norm(session.origin_model) else {"batch_norm"}
    return {
        "title": _("Parallel"),
        "help": _("Trains {model} from new weights, on one process and on several.").format(
            model=_(session.origin_model.title)
        ),
        "main": [_field(name, primary=True) for name in MAIN if name not in hidden],
        "groups": [
            {"title": _(title), "fields": [_field(name, primary=False) for name in names]}
            for title, names in GROUPS.items()
        ],
        "values": _values(session),
        "button": _("Train in parallel"),
    }


def live(session: Session) -> dict[str, Any]:
    """Return what the page shows of the last run: facts and sentences."""
    run = session.parallel
    if run is None or run.result is None:
        return {"facts": [], "notes": []}
    shown = card.card(run.result)
    return {
        "facts": [{"value": value, "label": label} for value, label in shown.facts],
        "notes": list(shown.notes),
    }


def settings(values: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the settings of a plan and the number of repeats for the values of the controls.

    Values without an effect are omitted.

    Raises
    ------
    InputError
        If a value is not allowed or a key is unknown; `values` come from the browser.
    """
    unknown = [key for key in values if key not in DEFAULTS]
    if unknown:
        raise InputError(
            _("There is no setting {name}.").format(name=repr(unknown[0])),
            code="parallel.unknown_setting",
        )
    chosen = {name: value for name, value in values.items() if _acts(name, values)}
    repeats = chosen.pop("repeats", 1)
    uneven = chosen.pop("split", "equal") == "uneven"
    if not isinstance(repeats, int) or not 1 <= repeats <= RANGES["repeats"][1]:
        raise InputError(
            _("Choose 1 to {most} runs.").format(most=RANGES["repeats"][1]),
            code="parallel.out_of_range",
        )
    plan = Plan.of(chosen)
    if uneven and plan.ranks > 1:
        chosen["shards"] = _uneven(plan)
    return chosen, repeats


def _values(session: Session) -> dict[str, Any]:
    """Return the values of the controls: those of the last run, else the defaults."""
    run = session.parallel
    if run is None or run.result is None:
        return dict(DEFAULTS)
    plan = run.plan.as_dict()
    known = {name: plan[name] for name in DEFAULTS if name in plan}
    return {**DEFAULTS, **known, "repeats": run.repeats, "split": SPLIT_OF[bool(run.plan.shards)]}


def _uneven(plan: Plan) -> tuple[int, ...]:
    others = max(1, round(plan.batch * (1 - FIRST_SHARE) / (plan.ranks - 1)))
    first = plan.batch - others * (plan.ranks - 1)
    return (first, *[others] * (plan.ranks - 1))


def _acts(name: str, values: Mapping[str, Any]) -> bool:
    return all(values.get(key) in allowed for key, allowed in NEEDS.get(name, ()))


def _field(name: str, *, primary: bool) -> dict[str, Any]:
    label, text = LABELS[name]
    low, high = RANGES.get(name, (0, 0))
    choices, is_real = _choices(name), isinstance(DEFAULTS[name], float)
    return {
        "key": name,
        "kind": "choice" if choices else "real" if is_real else "integer",
        "primary": primary and name in ("ranks", "split", "weighting", "batch_norm"),
        "level": "start",
        "label": _(label),
        "name": _("parallel: {label}").format(label=_(label)),
        "short": _(label),
        "help": _(text),
        "low": low,
        "high": high,
        "bounds": None if choices else between(low, high, is_integer=not is_real),
        "step": 0 if is_real else 1,
        "stepped": name == "ranks",
        "percent": False,
        "unit": "",
        "choices": choices,
        "visible_if": None,
        "gate": None,
        "needs": NEEDS.get(name, []),
    }


def _choices(name: str) -> list[dict[str, Any]]:
    if name in ("ranks", "machines"):
        counts = range(1, (MAX_RANKS if name == "ranks" else 2) + 1)
        return [{"value": n, "label": formatting.count(n), "help": ""} for n in counts]
    labels = SPLITS if name == "split" else CHOICES.get(name, {})
    return [{"value": value, "label": _(label), "help": ""} for value, label in labels.items()]
