"""The page Plan as plain data: its controls, the answer, and tables."""

from __future__ import annotations

from typing import Any

from workbench import formatting
from workbench.errors import WorkbenchError
from workbench.i18n import _, mark as N_
from workbench.panels.bounds import between
from workbench.panels.views.plan_numbers import numbers
from workbench.planner.architectures.read import LARGEST_FILE
from workbench.planner.changes import changes
from workbench.planner.models import known_models
from workbench.planner.results import InferencePlan, TrainingPlan
from workbench.planner.selection import (
    BATCHES,
    BITS,
    CHIPS,
    HIGHEST_PRICE,
    LENGTHS,
    MOST_SHARING,
    NEEDED,
    OPENED,
    TOKENS,
    PlanSelection,
)
from workbench.plots.plan import FITS

TONES = {True: "good", False: "bad", None: "open"}
PRECISIONS = {
    "bf16": N_("16 bits (bf16)"),
    "amp": N_("mixed (float32 weights)"),
    "tf32": N_("float32, TF32 products"),
    "fp32": N_("float32"),
    "int8": N_("8 bits"),
    "int4": N_("4 bits"),
    "file": N_("like the open file: {bits} bits"),
}
HIDDEN = {"infer": ["checkpointing", "tokens"], "train": []}


def fields(selection: PlanSelection) -> list[dict[str, Any]]:
    """Return the controls from top to bottom."""
    models = [(model.name, model.title) for model in known_models().values()]
    if selection.config:
        models.insert(0, (OPENED, _("config.json that was opened")))
    where = [
        (
            name,
            _("{chip}, calibrated").format(chip=chip.label) if name == OPENED else chip.label,
        )
        for name, chip in selection.known_chips().items()
    ]
    modes = [("infer", _("generate text")), ("train", _("train"))]
    bits_of_file = f"{selection.file_bits:.2f}"
    bits = [(key, _(PRECISIONS[key]).format(bits=bits_of_file)) for key in BITS[selection.mode]]
    again = [(NEEDED, _("if needed")), ("none", _("no")), ("full", _("yes"))]
    return [
        _choice("mode", _("task"), modes, primary=True),
        _choice("model", _("model"), models),
        _choice("chip", _("chip"), where),
        _stops("chips", _("chips"), CHIPS, _("How many chips divide the work.")),
        _choice("precision", _("numbers"), bits),
        _stops(
            "batch",
            _("batch in sequences"),
            BATCHES,
            _("How many sequences a chip processes at once."),
        ),
        _stops("length", _("context in tokens"), LENGTHS, _("How long each sequence is.")),
        _choice("checkpointing", _("recompute layers"), again),
        _stops("tokens", _("tokens in all"), TOKENS, _("Tokens of the complete training.")),
        _amount("price", _("price of a chip hour"), _("In any currency; 0 leaves it out.")),
    ]


def _choice(
    key: str, label: str, choices: list[tuple[str, str]], *, primary: bool = False
) -> dict[str, Any]:
    return {
        "key": key,
        "kind": "choice",
        "primary": primary,
        "label": label,
        "name": label,
        "help": "",
        "choices": [{"value": value, "label": text} for value, text in choices],
    }


def counted(value: int) -> str:
    """Format a number; thousands of millions as a product."""
    billions = value // 10**9
    return f"{formatting.count(billions)}·10⁹" if billions else formatting.count(value)


def _stops(key: str, label: str, values: tuple[int, ...], help: str) -> dict[str, Any]:
    choices = [{"value": value, "label": counted(value)} for value in values]
    return {"key": key, "label": label, "help": help, "choices": choices}


def _amount(key: str, label: str, help: str) -> dict[str, Any]:
    return {
        "key": key,
        "kind": "real",
        "primary": False,
        "label": label,
        "name": label,
        "help": help,
        "low": 0,
        "high": HIGHEST_PRICE,
        "bounds": between(0, HIGHEST_PRICE),
        "step": 0,
    }


def answer(selection: PlanSelection) -> dict[str, Any]:
    """Return the plan of the selection, or a sentence that says why there is none."""
    base = {
        "open": _("open a config.json or a calibration"),
        "largest": LARGEST_FILE,
        "values": {
            name: getattr(selection, name)
            for name in (
                *("mode", "model", "chip", "chips", "precision", "batch", "length"),
                *("checkpointing", "tokens", "price"),
            )
        },
        "hidden": HIDDEN[selection.mode],
    }
    try:
        plan = selection.plan()
    except WorkbenchError as error:
        unknown = {"text": _("no plan"), "tone": "open"}
        return {**base, "fits": unknown, "numbers": [], "sentences": [str(error)]}
    return {
        **base,
        "fits": {"text": _(FITS[plan.fits]), "tone": TONES[plan.fits]},
        "numbers": numbers(plan, selection.tokens, selection.price),
        "sentences": [*divided(selection), *sentences(plan)],
    }


def divided(selection: PlanSelection) -> list[str]:
    """Return a note on how many chips divide the matrices, if more are selected for text."""
    if selection.mode == "train" or selection.chips <= MOST_SHARING:
        return []
    sentence = _(
        "Text is planned on at most {most} chips: those of one node, which divide the matrices."
    )
    return [sentence.format(most=MOST_SHARING)]


def sentences(plan: TrainingPlan | InferencePlan) -> list[str]:
    """Return sentences about what to change or what still fits, the layout, and the calibration."""
    result = changes(plan)
    if isinstance(plan, TrainingPlan) and plan.job.chips > 1:
        job = plan.job
        result.append(
            _(
                "The fastest layout that fits: {data} chips divide the batch (sharding level "
                "{shard}), {tensor} the matrices and {pipeline} the layers. Activations are "
                "recomputed: {again}."
            ).format(
                data=job.data,
                shard=job.shard,
                tensor=job.tensor,
                pipeline=job.pipeline,
                again=_("yes") if job.is_recomputed else _("no"),
            )
        )
        if job.expert > 1:
            result.append(
                _("Of the chips that divide the batch, {expert} divide the experts.").format(
                    expert=job.expert
                )
            )
    if isinstance(plan, InferencePlan) and plan.job.file_bytes is not None:
        result.append(
            _(
                "The matrices take as many bits as in the open file. The time holds only for a "
                "runtime that multiplies directly with the compressed weights."
            )
        )
    if not plan.is_calibrated:
        result.append(
            _(
                "Not calibrated: no row that was used for fitting has this chip and this kind of "
                "plan. To measure a machine, run workbench plan calibrate --output chip.json "
                "there, and open chip.json here."
            )
        )
    if plan.chip.note:
        result.append(plan.chip.note)
    return result


def chip_rows(selection: PlanSelection) -> list[dict[str, Any]]:
    """Return the plan on every chip that can run it."""
    rows = []
    for plan in selection.others():
        values = plan.as_dict()
        memory = values["memory_gib"]
        time = values.get("decode_ms", values.get("step_ms", 0.0))
        rows.append(
            {
                "chip": plan.chip.label,
                "fits": _(FITS[plan.fits]),
                "memory_gib": round(memory["total"] + memory["context"], 2),  # as in the answer
                "usable_gib": round(values["usable_gib"], 1),
                "milliseconds": round(time, 3),
                "tokens_per_s": round(plan.tokens_per_s),
                "calibrated": plan.is_calibrated,
            }
        )
    return rows


def nearest_rows(selection: PlanSelection) -> list[dict[str, Any]]:
    """Return the measured rows that are most similar to the plan."""
    rows = selection.plan().as_dict()["nearest_rows"]
    return [
        {
            "row": row["row"],
            **{
                name: row["measured"].get(name, "")
                for name in ("step_ms", "prefill_ms", "decode_ms")
            },
            "source": row["source"],
            "url": row["url"],
            "date": row["date"],
        }
        for row in rows
    ]
