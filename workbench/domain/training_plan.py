"""Training plans of the built-in models, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingPlan:
    """One training run from scratch with AdamW and a one-cycle schedule.

    Attributes
    ----------
    epochs : int
        Passes over the training split.
    learning_rate : float
        Peak learning rate of the schedule.
    batch_size : int
        Examples per step.
    weight_decay : float
        Decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101).
    label_smoothing : float
        Fraction of the target spread evenly over the classes.
    shift : int
        Largest random shift of an image, in pixels, in each direction.
    mirror : bool
        Whether to mirror half of the images left to right. It improves a network with capacity
        to spare and harms a small one.
    noise : float
        Standard deviation of the noise added to the frames of a recording, in units of each
        feature's standard deviation over the training split. It prevents overfitting to few
        recordings.
    last : bool
        Whether to use the weights of the last epoch instead of the best epoch on validation. On a
        small validation split many epochs tie, and the first of them has not converged.
    average : float
        Decay per step of the exponential moving average of the weights, which is the checkpoint.
    seed : int
        Seed of the initial weights, the order of examples and the augmentation.
    """

    epochs: int
    learning_rate: float
    batch_size: int = 128
    weight_decay: float = 0.05
    label_smoothing: float = 0.05
    shift: int = 1
    mirror: bool = False
    noise: float = 0.0
    last: bool = False
    average: float = 0.99
    seed: int = 0
