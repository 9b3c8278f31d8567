"""Train a shipped student again, and compare the file with the shipped one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench import formatting
from workbench.arguments import expect_instance, expect_running
from workbench.artifact.artifact import Artifact
from workbench.cache.files import FileCache
from workbench.cancel import NEVER, CancelToken
from workbench.evaluation.report import Score
from workbench.evaluation.scores import reference_score
from workbench.experiments.machine import machine_kind
from workbench.i18n import _, mark as N_
from workbench.training.compress import OnStep, compress
from workbench.zoo import model
from workbench.zoo.students import THREADS, Student, table

EXAMPLE = "wb.student('fashion/mlp-32.resnet.t4.labels5')"
LABELS = {
    "processor": N_("processor"),
    "instructions": N_("instruction set"),
    "system": N_("operating system"),
    "torch": N_("PyTorch"),
    "threads": N_("threads"),
}


@dataclass(frozen=True, eq=False)
class TrainedStudent:
    """A student that was trained again.

    Attributes
    ----------
    student : Student
        The shipped student.
    artifact : Artifact
        The new file.
    score : Score
        Its exact score on validation.
    differences : mapping
        For each property of the machine that differs, the value where the shipped file was made
        and the value here.
    """

    student: Student
    artifact: Artifact
    score: Score
    differences: Mapping[str, tuple[str, str]]

    @property
    def same(self) -> bool:
        """Whether the new file has the bytes of the shipped one."""
        return self.artifact.to_bytes() == self.student.path.read_bytes()

    @property
    def summary(self) -> str:
        """The result in one or two sentences."""
        if self.same:
            return _("The file is the same, byte for byte: {value}.").format(
                value=formatting.percent(self.score.value)
            )
        text = _("Trained here: {here}; shipped: {shipped}.").format(
            here=formatting.percent(self.score.value, 2),
            shipped=formatting.percent(self.student.card.value, 2),
        )
        if not self.differences:
            return text
        return f"{text} " + _("This machine differs in: {differences}.").format(
            differences="; ".join(
                _("{name} ({here} instead of {there})").format(
                    name=_(LABELS[name]), here=here, there=there
                )
                for name, (there, here) in self.differences.items()
            )
        )


def train_student(
    student: Student,
    *,
    on_step: OnStep = lambda step: None,
    cancel: CancelToken = NEVER,
) -> TrainedStudent:
    """Train a shipped student again from its recipe, and compare the result with the shipped file.

    The bytes are the same on the same kind of processor with the same version of PyTorch. The
    training always runs: a cached file is not used.

    Parameters
    ----------
    student
        One of `wb.students()`.
    on_step
        Called with a `TrainingStep` after each training step.
    cancel
        Checked between two batches.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled during training.
    """
    expect_running(cancel, on_step=on_step)
    expect_instance(student, Student, f"Pass a student, such as {EXAMPLE}", "not_a_student")
    network = model(student.network)
    artifact = compress(
        network, student.recipe, on_step=on_step, cancel=cancel, files=FileCache(None)
    )
    score = reference_score(network, artifact.operands(), network.task.split("validation"))
    there, here = table()["machine"], machine_kind(THREADS)
    differences = {
        name: (str(there[name]), str(here[name])) for name in LABELS if there[name] != here[name]
    }
    return TrainedStudent(student, artifact, score, differences)
