"""Make a model of any PyTorch module and any data, treated like a built-in one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isnan
from typing import Any

from torch import Tensor, nn

from workbench.custom.fields import input_names
from workbench.custom.functions import cache_salt, check_augment, checked_loss
from workbench.custom.metrics import check_same_targets, metric_for
from workbench.custom.model import check_batches, check_training_data, model_of, prepare_module
from workbench.custom.model_name import check_model_name
from workbench.custom.split import split_of
from workbench.custom.wrappers import unwrap
from workbench.domain import Model, Split, Task
from workbench.domain.inputs import INPUT_CONVERTERS
from workbench.domain.lazy_rows import PaddedRows
from workbench.domain.losses import IGNORE_INDEX
from workbench.domain.metric import Metric
from workbench.domain.user_architecture import UserSplit
from workbench.errors import InputError
from workbench.recipe.schema import brief
from workbench.zoo.registry import register_model
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
    """Return a model of your own module, which you can compress, train, inspect and download.

    The module and the data are neither changed nor copied. Do not train the module further while
    the model is in use. The module runs in eval mode.

    Parameters
    ----------
    module
        On the CPU. It is called with the inputs: one tensor, several tensors, or a dict by argument
        name. If it returns named outputs, ``logits`` is used.
    train, validation, test
        A Dataset; a DataLoader, whose sampler selects the examples and whose ``collate_fn`` joins
        them; a pair of arrays or tensors (inputs, targets); or an iterable of such pairs. Instead
        of a pair, a triple with a weight for each example, which applies to the training loss only,
        or a dict with the targets under ``labels``, ``label``, ``targets`` or ``target``.
    name
        The model is registered as ``custom/name``.
    metric
        By default accuracy for classes, perplexity if every position of a sequence is a class
        (targets of -100 are ignored), and root mean squared error for numbers. Otherwise a name
        (``bits per character``, ``r2``, ``mean average precision``), a torchmetrics
        object, or a function of all outputs and all targets.
    loss
        Training loss, called as ``loss(outputs, targets)``. The default is cross-entropy for
        classes and squared error for numbers. If the training examples have weights, it receives
        those of the batch as a third argument.
    classes
        The names of the classes.
    augment
        Random augmentation of training inputs: takes the inputs of a batch, as the module takes
        them, and returns them changed. The random numbers of PyTorch, NumPy and Python are seeded
        at each step, so training is reproducible. A teacher sees the augmented inputs too.

    Raises
    ------
    InputError
        If the module does not accept the data, or the data does not fit the metric; later, when
        metric or loss fail or do not return a single number.

    Examples
    --------
    >>> import torch, workbench as wb
    >>> inputs, targets = torch.randn(60, 4), torch.randint(0, 3, (60,))
    >>> data = {split: (inputs, targets) for split in ("train", "validation", "test")}
    >>> model = wb.from_module(torch.nn.Linear(4, 3), **data, name="small")
    >>> wb.measure(model, wb.Recipe(quantize=wb.Quantize(bits=4)), timed=False).total
    60
    """
    if not isinstance(module, nn.Module):
        raise InputError(
            f"The model must be a torch.nn.Module, not {brief(module)}.", code="module.invalid_type"
        )
    check_model_name(name)
    if loss is not None and not callable(loss):
        raise InputError(
            f"loss must be a function of outputs and targets, not {brief(loss)}.",
            code="argument.invalid_type",
        )
    argument_names = input_names(unwrap(module))
    data = {"train": train, "validation": validation, "test": test}
    splits = [split_of(split, content, argument_names) for split, content in data.items()]
    prepared = prepare_module(module, splits[1], INPUT_CONVERTERS["custom"])
    weights = splits[0].weights
    if augment is not None:
        check_augment(augment, splits[0])
    metric, measure = metric_for(metric, prepared.outputs, splits[1])
    check_same_targets(metric, [splits[1], splits[0], splits[2]])
    task = Task(
        name=f"{CUSTOM_PREFIX}{name}",
        title=name,
        classes=_class_names(classes, metric, prepared.outputs, splits),
        source="",
        license="",
        sources=tuple(UserSplit(split) for split in splits),
        input_type="custom",
        metric=metric,
        measure=measure,
        loss_fn=None if loss is None else checked_loss(loss, weights is not None),
        augment=augment,
        cache_salt=cache_salt((measure, loss, augment), weights),
    )
    model = model_of(prepared, task)
    check_batches(model)
    check_training_data(model)
    for split in splits[1:]:
        if isnan(model.metric_value(split.name)):
            raise InputError(
                f"The {metric.label} on the {split.name} data is not a number: check the targets "
                "and outputs, or choose another metric.",
                code="metric.not_a_number",
            )
    register_model(model)
    return model


def _class_names(
    classes: Sequence[str] | None, metric: Metric, outputs: Any, splits: Sequence[Split]
) -> tuple[str, ...]:
    """Return the class names after checking that all targets are classes of the module."""
    names = _names(classes)
    if metric.counts not in {"classes", "tokens"}:
        return names or ()
    count = outputs.shape[-1]
    if count == 1:
        raise InputError(
            "The module has a single output, but classification needs one output per class: add "
            "outputs, or pass targets as float32 if these are numbers to predict.",
            code="module.single_output",
        )
    for split in splits:
        padded = isinstance(split.labels, PaddedRows)
        labels = split.labels.values if padded else split.labels
        if metric.counts == "tokens":
            labels = labels[labels != IGNORE_INDEX]
            if not labels.size:
                raise InputError(
                    f"All {split.name} targets are {IGNORE_INDEX}, which is ignored: pass targets "
                    "that are classes.",
                    code="data.no_targets",
                )
        low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
        if low < 0 or high >= count:
            raise InputError(
                f"The {split.name} targets contain the class {low if low < 0 else high:,}, but the "
                f"module has {count:,} outputs, for the classes 0 to {count - 1:,}.",
                code="data.class_out_of_range",
            )
    if names is not None and len(names) != count:
        raise InputError(
            f"classes has {len(names):,} names, but the module has {count:,} outputs.",
            code="argument.class_count",
        )
    return names if names is not None else tuple(map(str, range(count)))


def _names(classes: Any) -> tuple[str, ...] | None:
    if classes is None:
        return None
    if isinstance(classes, str) or not isinstance(classes, Iterable):
        raise InputError(
            f"classes must be a list of names, not {brief(classes)}.", code="argument.invalid_type"
        )
    return tuple(map(str, classes))
