"""How a built-in model is trained, as plain data beside its architecture."""

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
        The peak of the schedule.
    batch_size : int
        Examples per step.
    weight_decay : float
        Decoupled decay (Loshchilov and Hutter, arXiv 1711.05101).
    label_smoothing : float
        Share of the target spread evenly over the classes.
    shift : int
        Largest random shift of an image, in pixels, in each direction.
    mirror : bool
        Whether half of the images are mirrored left and right. It teaches a network with room
        to spare, and takes room from one without.
    noise : float
        Standard deviation of the noise added to the real frames of a sound, in those of the
        features over the training split. Few recordings are then no longer learned by heart.
    last : bool
        Whether the last epoch's weights are kept, and not the best on validation: where
        validation is small, many epochs are equally good on it, and the first of them is not done.
    average : float
        Decay per step of the exponential moving average that becomes the checkpoint.
    seed : int
        Seeds the initial weights, the order of examples and the augmentation.
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
