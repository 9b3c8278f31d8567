"""The choices from which the page makes a plan.

The rest of the planner is imported when a plan is made, because every session has a selection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workbench import formatting
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.planner.architecture import Architecture
    from workbench.planner.chips import Chip
    from workbench.planner.jobs import TrainingJob
    from workbench.planner.results import InferencePlan, TrainingPlan

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LENGTHS = (512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072)
TOKENS = (10**9, 10**10, 10**11, 10**12, 2 * 10**12, 15 * 10**12)
HIGHEST_PRICE = 1_000_000
CHIPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
BITS = {"train": ("bf16", "amp", "tf32", "fp32"), "infer": ("bf16", "int8", "int4", "file")}
SIZES: dict[str, dict[str, Any]] = {
    "train": {"batch": 1, "length": 2048, "precision": "bf16"},
    "infer": {"batch": 16, "length": 8192, "precision": "bf16"},
}
"""The sizes and the precision with which each task starts."""
OPENED = "opened"
"""The name of a model, or of a chip, whose file the user has opened."""
NEEDED = "needed"
"""Layers are recomputed if a step does not fit otherwise, or is faster so."""
MOST_SHARING = 8
"""Chips that share the matrices while they generate text: those of a node."""
STEP_SEQUENCES = 8
"""Sequences per chip and step of the layouts that are compared."""


@dataclass(frozen=True)
class PlanSelection:
    """What is planned: training or text, a model of the table, chips, and sizes.

    `tokens` are those of a complete training, `price` is money per chip and hour. With the
    precision `file`, matrices take `file_bits` per weight, as in the open file. With the model
    `OPENED`, its sizes are those of the JSON text `config`; with the chip `OPENED`, it is that of
    the JSON text `calibration`. `of_other_task` are the sizes and the precision that the other
    task had.
    """

    mode: str = "infer"
    model: str = "llama-3.1-8b"
    chip: str = "h100-sxm"
    chips: int = 1
    precision: str = "bf16"
    batch: int = 16
    length: int = 8192
    checkpointing: str = NEEDED
    tokens: int = 10**12
    price: float = 0.0
    compared: str = "step time"
    file_bits: float = 16.0
    config: str = ""
    calibration: str = ""
    of_other_task: tuple[tuple[str, Any], ...] = ()

    def changed(self, changes: dict[str, Any]) -> PlanSelection:
        """Return the selection with valid changes; others have no effect.

        Each task has its own sizes and precision: it returns with those that it had before.
        """
        valid: dict[str, str | float] = {
            key: value
            for key, value in changes.items()
            if isinstance(value, str | int)
            and not isinstance(value, bool)
            and value in self.choices(key)
        }
        price = changes.get("price")
        if isinstance(price, int | float) and not isinstance(price, bool):
            valid |= {"price": float(price)} if 0 <= price <= HIGHEST_PRICE else {}
        chosen = self
        if valid.get("mode", self.mode) != self.mode:
            sizes = dict(self.of_other_task) or SIZES[str(valid["mode"])]
            current = tuple((name, getattr(self, name)) for name in SIZES[self.mode])
            chosen = replace(self, of_other_task=current, **sizes)
        chosen = replace(chosen, **valid)  # type: ignore[arg-type]
        if chosen.precision not in BITS[chosen.mode]:
            chosen = replace(chosen, precision="bf16")
        return chosen

    def with_file(self, name: str, text: str | None) -> PlanSelection:
        """Return the selection of the model or of the chip that a JSON file describes.

        `text` is None if the file is too large.

        Raises
        ------
        InputError
            If it is neither the `config.json` of a known language model nor the file of a
            calibration.
        """
        from workbench.planner.architectures.read import LARGEST_FILE, parse_json, refuse_large

        data = b"" if text is None else text.encode(errors="replace")
        if text is None or len(data) > LARGEST_FILE:
            refuse_large(formatting.short(name))
        if "calibration_of" in parse_json(data, formatting.short(name)):
            chosen = replace(self, chip=OPENED, calibration=text)
            chosen.chip_of(OPENED)
        else:
            chosen = replace(self, model=OPENED, config=text)
            chosen.architecture()
        return chosen

    def chip_of(self, name: str) -> Chip:
        """Return a chip of the table, or the one whose calibration was opened."""
        from workbench.planner.architectures.read import parse_json
        from workbench.planner.calibration_file import parse_chip
        from workbench.planner.chips import chip

        if name == OPENED:
            content = parse_json(self.calibration.encode(), "chip.json")
            return parse_chip(content, "chip.json")
        return chip(name)

    def known_chips(self) -> dict[str, Chip]:
        """Return the chips that can be selected, by name."""
        from workbench.planner.chips import chips

        opened = {OPENED: self.chip_of(OPENED)} if self.calibration else {}
        return {**opened, **chips()}

    def architecture(self) -> Architecture:
        """Return the sizes of the model."""
        from workbench.planner.architectures.read import parse_json, read_architecture
        from workbench.planner.plan import architecture_of

        if self.model == OPENED:
            return read_architecture(parse_json(self.config.encode(), "config.json"))
        return architecture_of(self.model)

    def choices(self, key: str) -> tuple[Any, ...]:
        """Return the values of a field."""
        from workbench.planner.models import known_models
        from workbench.planner.validation import KINDS

        fields: dict[str, tuple[Any, ...]] = {
            "mode": ("infer", "train"),
            "model": (*known_models(), *((OPENED,) if self.config else ())),
            "chip": tuple(self.known_chips()),
            "chips": CHIPS,
            "precision": tuple(dict.fromkeys(BITS["train"] + BITS["infer"])),
            "batch": BATCHES,
            "length": LENGTHS,
            "checkpointing": (NEEDED, "none", "full"),
            "tokens": TOKENS,
            "compared": KINDS,
        }
        return fields.get(key, ())

    def plan(self, chip_id: str | None = None) -> TrainingPlan | InferencePlan:
        """Return the plan on the selected chip or another one.

        Raises
        ------
        InputError
            If the chip does not train, or does not compute in this precision.
        """
        return _planned(self, chip_id)

    def training_job(self, chip_id: str | None = None) -> TrainingJob:
        """Return the training step; on several chips, the fastest layout that fits."""
        from workbench.planner.changes import job_fits
        from workbench.planner.jobs import TrainingJob
        from workbench.planner.layouts import best_layout

        recompute = self.checkpointing == NEEDED
        checkpointing = "none" if recompute else self.checkpointing
        job = TrainingJob(self.batch, self.length, self.precision, checkpointing=checkpointing)
        model, where = self.architecture(), self.chip_of(chip_id or self.chip)
        if self.chips > 1:
            job = replace(job, accumulation=STEP_SEQUENCES)
            return best_layout(model, where, job, self.chips, recompute=recompute).job
        again = replace(job, checkpointing="full")
        if recompute and not job_fits(model, where, job) and job_fits(model, where, again):
            return again
        return job

    def others(self) -> list[TrainingPlan | InferencePlan]:
        """Return the same plan on every chip that can carry it out."""
        plans = []
        for name in self.known_chips():
            try:
                plans.append(self.plan(name))
            except WorkbenchError:  # this chip does not train, or not in this precision
                continue
        return plans


@lru_cache(maxsize=64)
def _planned(selection: PlanSelection, chip_id: str | None) -> TrainingPlan | InferencePlan:
    """Return a plan, which the answer and the tabs of the page share."""
    from workbench.planner.compressed import compressed_bytes
    from workbench.planner.jobs import InferenceJob
    from workbench.planner.plan import infer_plan, train_plan

    architecture, where = selection.architecture(), selection.chip_of(chip_id or selection.chip)
    if selection.mode == "infer":
        tensor = min(selection.chips, MOST_SHARING)
        is_file = selection.precision == "file"
        job = InferenceJob(
            selection.batch,
            selection.length,
            "bf16" if is_file else selection.precision,
            tensor=tensor,
            file_bytes=compressed_bytes(architecture, selection.file_bits) if is_file else None,
        )
        return infer_plan(architecture, where, job)
    return train_plan(architecture, where, selection.training_job(chip_id))
