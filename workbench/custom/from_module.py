"""Bringing a model of one's own: any module with any data, treated like a built-in one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from math import isnan
from typing import Any

from torch import Tensor, nn

from workbench.custom.fields import input_names
from workbench.custom.functions import cache_salt, check_augment, checked_loss
from workbench.custom.metrics import check_same_targets, metric_for
from workbench.custom.model import check_batches, check_training_data, model_of, prepare_module
from workbench.custom.split import split_of
from workbench.custom.wrappers import unwrap
from workbench.domain import Model, Split, Task
from workbench.domain.inputs import INPUT_CONVERTERS
from workbench.domain.lazy_rows import PaddedRows
from workbench.domain.losses import IGNORE_INDEX
from workbench.domain.metric import Metric
from workbench.domain.user_architecture import UserSplit
from workbench.errors import WorkbenchError
from workbench.recipe.schema import brief
from workbench.zoo.registry import register_model as remember
from workbench.zoo.tables import CUSTOM_PREFIX


def from_module(
    module: nn.Module,
    *,
    train: Any,
    validation: Any,
    test: Any,
    name: str = "model",
    metric: Any = None,
    loss: Callable[..., Tensor] | None = None,
    classes: Sequence[str] | None = None,
    augment: Callable[[Any], Any] | None = None,
) -> Model:
    """Return your own module as a model: sliders, training, ledger and download work on it.

    The module is neither changed nor copied, nor is the data; only do not train the module further
    while it is in use here. It runs in eval mode.

    Parameters
    ----------
    module
        On the CPU. It is called with the inputs: a tensor, several, or a dict by argument name.
        What it returns is its output; of named outputs the ``logits`` count.
    train, validation, test
        A Dataset, a DataLoader, whose sampler says which examples count and whose ``collate_fn``
        joins them, a pair of arrays or tensors (inputs, targets), or an iterable of such pairs. In
        place of a pair, a triple with a weight for each example, which enters the loss of training
        alone, or a dict with the targets under ``labels``, ``label``, ``targets`` or ``target``.
    name
        What to call it; the model is then known as ``custom/name``.
    metric
        The usual one of such targets unless given: accuracy for classes, perplexity where every
        place of a sequence is a class (targets of -100 do not count), root mean squared error for
        numbers. Or a name, ``bits per character``, ``explained variance``, ``mean average
        precision``; or a torchmetrics object, or a function of all outputs and all targets.
    loss
        What training makes small, given outputs and targets; cross-entropy for classes and
        squared error for numbers unless given. Where training examples have weights, it is given
        those of the batch too, as a third argument.
    classes
        The classes' names.
    augment
        Random changes of training inputs: takes those of a batch, as the module takes them, and
        returns them changed. Random numbers of PyTorch, NumPy and Python are seeded for each step
        while it runs, so that a training can be repeated; a teacher sees the changed inputs too.

    Raises
    ------
    WorkbenchError
        When the module does not take the data, or the data does not fit the metric; later, when
        metric or loss fail or return something else than one number.

    >>> import torch, workbench as wb
    >>> inputs, targets = torch.randn(60, 4), torch.randint(0, 3, (60,))
    >>> data = {split: (inputs, targets) for split in ("train", "validation", "test")}
    >>> model = wb.from_module(torch.nn.Linear(4, 3), **data, name="small")
    >>> wb.measure(model, wb.Recipe(quantize=wb.Quantize(bits=4)), timed=False).total
    60
    """
    if not isinstance(module, nn.Module):
        raise WorkbenchError(f"Give a torch.nn.Module to bring, not {brief(module)}.")
    if not re.fullmatch(r"\w[\w.+-]{0,63}", str(name)):
        raise WorkbenchError(
            f"{name!r} cannot be a model's name: use up to 64 letters, digits and . + - _, and a "
            "letter or digit first."
        )
    if loss is not None and not callable(loss):
        raise WorkbenchError(f"loss must be a function of outputs and targets, not {brief(loss)}.")
    names_of = input_names(unwrap(module))
    given = {"train": train, "validation": validation, "test": test}
    splits = [split_of(split, data, names_of) for split, data in given.items()]
    examined = prepare_module(module, splits[1], INPUT_CONVERTERS["own"])
    outputs = examined.outputs
    weights = splits[0].weights
    if augment is not None:
        check_augment(augment, splits[0])
    chosen, measure = metric_for(metric, outputs, splits[1])
    check_same_targets(chosen, [splits[1], splits[0], splits[2]])
    names = _class_names(classes, chosen, outputs, splits)
    task = Task(
        name=f"{CUSTOM_PREFIX}{name}",
        title=name,
        classes=names,
        source="",
        license="",
        sources=tuple(UserSplit(split) for split in splits),
        input_type="own",
        metric=chosen,
        measure=measure,
        loss_fn=None if loss is None else checked_loss(loss, weights is not None),
        augment=augment,
        cache_salt=cache_salt((measure, loss, augment), weights),
    )
    model = model_of(examined, task)
    check_batches(model)
    check_training_data(model)
    for split in splits[1:]:
        if isnan(model.metric_value(split.name)):
            raise WorkbenchError(
                f"The {chosen.name} on the {split.name} data is not a number: give targets and "
                "outputs of which it is one, or another metric."
            )
    remember(model)
    return model


def _class_names(
    classes: Sequence[str] | None, metric: Metric, outputs: Any, splits: Sequence[Split]
) -> tuple[str, ...]:
    given = _names_given(classes)
    if metric.counts not in {"classes", "tokens"}:
        return given or ()
    count = outputs.shape[-1]
    if count == 1:
        raise WorkbenchError(
            "The module gives one output, and one class cannot be told apart from others: give "
            "an output for each class, or targets as float32 if these are numbers to predict."
        )
    for split in splits:
        padded = isinstance(split.labels, PaddedRows)
        counting = split.labels.values if padded else split.labels
        if metric.counts == "tokens":
            counting = counting[counting != IGNORE_INDEX]
            if not counting.size:
                raise WorkbenchError(
                    f"All {split.name} targets are {IGNORE_INDEX}, which do not count: give some that "
                    "are classes."
                )
        low, high = int(counting.min(initial=0)), int(counting.max(initial=0))
        if low < 0 or high >= count:
            wrong = low if low < 0 else high
            raise WorkbenchError(
                f"The {split.name} targets hold the class {wrong:,}, but the module tells "
                f"{count:,} classes apart, 0 to {count - 1:,}."
            )
    if given is not None and len(given) != count:
        raise WorkbenchError(
            f"classes names {len(given):,} classes, but the module tells {count:,} apart."
        )
    return given if given is not None else tuple(map(str, range(count)))


def _names_given(classes: Any) -> tuple[str, ...] | None:
    if classes is None:
        return None
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise WorkbenchError(f"classes must be a list of names, not {brief(classes)}.")
    return tuple(map(str, classes))
