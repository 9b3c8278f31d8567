"""One sentence on what the model does, and how its examples are divided."""

from __future__ import annotations

from workbench import formatting
from workbench.domain import Model
from workbench.domain.task import SPLITS, PackagedSplit, Task
from workbench.i18n import _, mark as N_

EXAMPLE = {
    "image": N_("an image"),
    "words": N_("a text"),
    "characters": N_("a piece of text"),
    "frames": N_("a recording"),
    "custom": N_("an example"),
}
"""The noun for one example, by input type of the task."""


def about(model: Model) -> dict[str, str]:
    """Return the names of the model and of its data, and what it does with them."""
    task = model.task
    names = dict.fromkeys(_(title) for title in (model.title, task.title))  # may be the same
    return {
        "name": " · ".join(names),
        "text": formatting.paragraph([_purpose(task), _examples(task)]),
    }


def _purpose(task: Task) -> str:
    """Return what the model does with an example."""
    example = _(EXAMPLE[task.input_type])
    counts = task.metric.counts
    if counts == "tokens":
        return _("The model predicts what follows {example}.").format(example=example)
    if counts == "numbers":
        target = _("“{name}”, a number,").format(name=task.target.name)
        return _("The model predicts {target} from {example}.").format(
            target=target if task.target.name else _("a number"), example=example
        )
    if counts != "classes" or len(task.classes) < 2:
        return _("The model is measured by {metric}.").format(metric=task.metric.label)
    classes = [_(name) for name in task.classes]
    if len(classes) == 2:
        return _("The model says whether {example} is {one} or {other}.").format(
            example=example, one=classes[0], other=classes[1]
        )
    first, second, third, *others = classes
    names = _("{first}, {second} or {third}").format(first=first, second=second, third=third)
    text = _("The model says which of {count} classes {example} is: {names}.")
    if others:
        text = _("The model says which of {count} classes {example} is, such as {names}.")
    return text.format(count=formatting.count(len(classes)), example=example, names=names)


def _examples(task: Task) -> str:
    """Return how the user's examples were divided; empty for data of the package."""
    if all(isinstance(source, PackagedSplit) for source in task.sources):
        return ""
    from workbench.domain.user_architecture import UserSplit  # loads torch

    given = (source.content for source in task.sources if isinstance(source, UserSplit))
    sizes = {split.name: len(split) for split in given}
    if set(sizes) != set(SPLITS):
        return ""
    return _(
        "Of {total} examples, {train} are for training, {validation} for the measurements here, "
        "and {test} for the test of the downloaded file."
    ).format(
        total=formatting.count(sum(sizes.values())),
        **{split: formatting.count(size) for split, size in sizes.items()},
    )
