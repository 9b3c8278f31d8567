"""Forward passes of a training run: augmentation, autocast, loss and metric of microbatches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor

from workbench.cancel import CancelToken
from workbench.recipe import Train
from workbench.runtime.batch import call, layout_inputs, run
from workbench.training.dropout import add_dropout
from workbench.training.input_rounding import round_inputs
from workbench.training.microbatch import microbatch
from workbench.training.modes import train_mode
from workbench.training.objective import objective
from workbench.training.types import TrainingSetup

MICROBATCH = 128
"""Examples in a forward pass. Larger batches accumulate gradients, so that canceling is fast."""

Weights = Callable[[], Mapping[str, Tensor]]


class Forward:
    """Runs the module of `setup` on given weights, with the dropout and rounding of the recipe.

    Attributes
    ----------
    generator : torch.Generator
        Source of random numbers for augmentation and dropout.
    finite_outputs : bool
        False once outputs with a loss that is not finite were not finite either.
    """

    def __init__(self, setup: TrainingSetup, settings: Train) -> None:
        self.setup = setup
        self.settings = settings
        self.generator = Generator()
        self.finite_outputs = True
        self.module = add_dropout(setup.module, settings.dropout, self.generator)
        round_inputs(self.module, setup.input_qparams)

    def loss(self, chosen: Tensor, weights: Mapping[str, Tensor]) -> tuple[Tensor, list[Any]]:
        """Return the mean loss of the examples `chosen`, and their metric state if additive.

        The module must be using `weights` already.
        """
        inputs, labels, teacher, of_examples, labeled = microbatch(
            self.setup, chosen, self.settings, self.generator
        )
        outputs = self._autocast(lambda: run(self.module, weights, inputs))
        compute = self.setup.objective or objective
        extra: tuple[Tensor | None, ...] = () if of_examples is None else (of_examples,)
        if labeled is not None:  # never with a custom loss
            extra = of_examples, labeled
        loss = compute(self.settings, outputs, labels, teacher, *extra)
        if not bool(loss.isfinite()):
            self.finite_outputs = isinstance(outputs, Tensor) and bool(outputs.isfinite().all())
        metric = self.setup.running_metric
        return loss, [metric.batch_state(outputs, labels)] if metric.is_additive else []

    def outputs(self, weights: Weights, inputs: Any) -> Any:
        """Return the outputs of the module on `weights()`."""
        return self._autocast(lambda: call(self.module, weights(), inputs))

    def held_out_value(
        self, weights: Weights, cancel: CancelToken, examples: int | None = None
    ) -> float:
        """Return the metric on the held-out set, or on its first `examples`.

        `weights` is called for each batch.

        Raises
        ------
        Cancelled
            If `cancel` is cancelled between two batches.
        """
        held_out = self.setup.held_out
        assert held_out is not None
        sample = held_out if examples is None else held_out.first(examples)

        def outputs(examples: Any) -> Any:
            with torch.no_grad():
                inputs = self.setup.inputs(examples)
                return self.outputs(
                    weights, layout_inputs(inputs, channels_last=self.setup.channels_last)
                )

        self.module.eval()
        try:
            return sample.evaluate(outputs, MICROBATCH, cancel)
        finally:
            train_mode(self.module)

    def _autocast(self, compute: Callable[[], Any]) -> Any:
        """Return outputs in float32, computed in the precision of the recipe."""
        mixed = self.settings.precision == "mixed"
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            outputs = compute()
        return outputs.float() if isinstance(outputs, Tensor) else outputs
