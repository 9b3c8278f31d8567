"""Check the user's functions: the training loss and the augmentation."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import numpy as np
import torch
from torch import Tensor, nn

from workbench.custom.model import PROBE_EXAMPLES
from workbench.domain import Split
from workbench.domain.lazy_rows import collate_examples
from workbench.errors import InputError, user_errors
from workbench.recipe.schema import brief
from workbench.training.augment import apply_user_augment


def check_augment(augment: Callable[[Any], Any], split: Split) -> None:
    """Check an augmentation by applying it to a few examples.

    Raises
    ------
    InputError
        If it is not callable, or as `apply_user_augment` raises.
    """
    if not callable(augment):
        raise InputError(
            f"augment must be a function of inputs, not {brief(augment)}.",
            code="argument.invalid_type",
        )
    few = collate_examples(split.examples[np.arange(min(PROBE_EXAMPLES, len(split)))])
    apply_user_augment(augment, few, torch.Generator())


def cache_salt(functions: Sequence[Any], weights: Any) -> str:
    """Return a string that separates cached results of these functions and weights from others.

    Functions cannot be compared, so any function makes the salt random.
    """
    random = uuid4().hex if any(function is not None for function in functions) else ""
    return (
        random if weights is None else f"{random} {hashlib.sha256(weights.tobytes()).hexdigest()}"
    )


def checked_loss(loss: Callable[..., Any], weighted: bool) -> Callable[..., Tensor]:
    """Return a user's loss that raises `InputError` when it fails or returns no usable tensor.

    If examples are `weighted`, it always receives weights: ones if a call gives none.

    Raises
    ------
    InputError
        If examples are weighted and the loss does not accept weights.
    """
    if weighted and not _accepts(loss, 3):
        raise InputError(
            "The training examples have weights, but the loss does not accept them: pass a loss "
            "that is called as loss(outputs, targets, weights).",
            code="training.loss_without_weights",
        )

    def loss_fn(outputs: Any, targets: Any, weights: Tensor | None = None) -> Tensor:
        others = () if not weighted else (torch.ones(len(targets)) if weights is None else weights,)
        with user_errors("The loss fails", code="training.loss_failed"):
            value = loss(outputs, targets, *others)
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise InputError(
                f"The loss returns {brief(value)}: it must return one number, as a tensor.",
                code="training.loss_not_scalar",
            )
        if torch.is_grad_enabled() and not value.requires_grad:
            raise InputError(
                "The loss has no gradient: compute it from the outputs, without detaching tensors.",
                code="training.loss_without_gradient",
            )
        return value

    return loss_fn


def _accepts(function: Callable[..., Any], count: int) -> bool:
    """Whether a function accepts `count` positional arguments, as far as its signature tells."""
    called = function.forward if isinstance(function, nn.Module) else function
    try:
        inspect.signature(called).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # compiled code has no signature
        return True
    return True
