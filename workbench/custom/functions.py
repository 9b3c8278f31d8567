"""Functions that a person gives with their data: the loss and random changes of inputs."""

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
from workbench.errors import WorkbenchError, user_errors
from workbench.recipe.schema import brief
from workbench.training.augment import apply_user_augment


def check_augment(augment: Callable[[Any], Any], split: Split) -> None:
    """Refuse what is no function of inputs, or does not return such; try it on a few examples.

    Raises
    ------
    WorkbenchError
        As `apply_user_augment` does.
    """
    if not callable(augment):
        raise WorkbenchError(f"augment must be a function of inputs, not {brief(augment)}.")
    few = collate_examples(split.examples[np.arange(min(PROBE_EXAMPLES, len(split)))])
    apply_user_augment(augment, few, torch.Generator())


def cache_salt(functions: Sequence[Any], weights: Any) -> str:
    """Return what tells results of these functions and weights from those of any others."""
    random = uuid4().hex if any(one is not None for one in functions) else ""
    return (
        random if weights is None else f"{random} {hashlib.sha256(weights.tobytes()).hexdigest()}"
    )


def checked_loss(loss: Callable[..., Any], weighted: bool) -> Callable[..., Tensor]:
    """Return a person's own loss, whose troubles are then sentences.

    Where examples are `weighted`, it is always given weights: 1 where none play a part.

    Raises
    ------
    WorkbenchError
        When it takes no weights and would have to.
    """
    if weighted and not _takes(loss, 3):
        raise WorkbenchError(
            "The training examples have weights, which this loss does not take: give one that is "
            "called as loss(outputs, targets, weights)."
        )

    def lose(outputs: Any, targets: Any, weights: Tensor | None = None) -> Tensor:
        others = () if not weighted else (torch.ones(len(targets)) if weights is None else weights,)
        with user_errors("The loss fails"):
            found = loss(outputs, targets, *others)
        if not isinstance(found, Tensor) or found.numel() != 1:
            raise WorkbenchError(
                f"The loss returns {brief(found)}: it must return one number, as a tensor."
            )
        if torch.is_grad_enabled() and not found.requires_grad:
            raise WorkbenchError(
                "The loss has no gradient: compute it of the outputs, with tensors that are not "
                "detached."
            )
        return found

    return lose


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments, as far as it says."""
    called = function.forward if isinstance(function, nn.Module) else function
    try:
        inspect.signature(called).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # compiled code does not say
        return True
    return True
