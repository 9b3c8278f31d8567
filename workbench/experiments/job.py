"""One training with an exact evaluation, with the same result in any process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from workbench.cancel import NEVER, CancelToken
from workbench.domain import Model, Split
from workbench.errors import TrainingError
from workbench.evaluation.scores import iter_scores
from workbench.profiling.energy.energy import Energy
from workbench.recipe import Recipe, Train
from workbench.threads import threads
from workbench.training.run import Run
from workbench.training.setup import training_setup
from workbench.training.subset import Indices
from workbench.training.teacher_ref import resolve_teacher
from workbench.zoo.registry import register_model
from workbench.zoo.tables import CUSTOM_PREFIX


@dataclass(frozen=True, eq=False)
class Job:
    """A training of `model` and its evaluation.

    `train_indices` and `test_indices` select training examples to learn from and to evaluate on.
    None means the whole training split, and the validation split.
    """

    model: Model
    settings: Train
    train_indices: Indices | None = None
    test_indices: Indices | None = None


@dataclass(frozen=True)
class Outcome:
    """The result of a job.

    Attributes
    ----------
    value : float
        The exact metric of the task over `examples` examples.
    examples : int
    seconds : float
        Training time.
    energy : Energy
        The energy of training.
    problem : str or None
        Why training diverged. `value` is then that of the last good weights.
    """

    value: float
    examples: int
    seconds: float
    problem: str | None = None
    energy: Energy = field(default_factory=Energy.unknown)


def run_job(job: Job, cancel: CancelToken = NEVER) -> Outcome:
    """Train on one thread, whatever the settings say, and evaluate.

    Raises
    ------
    Cancelled
        If `cancel` is cancelled.
    """
    recipe = Recipe(train=replace(job.settings, threads=1))
    setup = training_setup(job.model, recipe, examples=job.train_indices)
    run = Run(setup, recipe)
    problem = None
    with threads(1):
        try:
            for _step in run.go(cancel=cancel):
                pass
        except TrainingError as error:
            problem = str(error)
        result = run.trained()
        *_, score = iter_scores(
            job.model, result.weights, _test_split(job), bfloat16=False, cancel=cancel
        )
    return Outcome(score.value, score.examples, result.seconds, problem, result.energy)


def user_teacher(job: Job) -> Model | None:
    """Return the teacher of a job if it is a user's model, which other processes do not know."""
    name = job.settings.teacher
    return resolve_teacher(name, job.model).model if name.startswith(CUSTOM_PREFIX) else None


def run_job_with_teacher(run: Callable[[Job], Outcome], job: Job, teacher: Model | None) -> Outcome:
    """Run a job in a process that does not know its teacher yet."""
    if teacher is not None:
        register_model(teacher)
    return run(job)


def _test_split(job: Job) -> Split:
    if job.test_indices is None:
        return job.model.task.split("validation")
    train, indices = job.model.task.split("train"), job.test_indices
    return Split("held out", train.examples[indices], train.labels[indices], digest="")
