"""Training: how weights are trained while they are pruned and quantized."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, Settings, choice, integer, real, text

STARTS = (
    Choice(
        "trained", N_("trained weights"), N_("Continues from the trained weights (fine-tuning).")
    ),
    Choice("scratch", N_("from scratch"), N_("Starts from random initial weights.")),
)

OPTIMIZERS = (
    Choice("sgd", N_("SGD"), N_("Follows the gradient of each batch."), "Robbins & Monro 1951"),
    Choice(
        "momentum",
        N_("momentum"),
        N_("SGD with momentum 0.9."),
        "Polyak 1964",
    ),
    Choice(
        "nesterov",
        N_("Nesterov"),
        N_("Momentum whose gradient is taken one step ahead."),
        "Nesterov 1983",
    ),
    Choice(
        "rmsprop",
        N_("RMSprop"),
        N_("Divides each step by a running mean of the gradient's magnitude."),
        "Tieleman & Hinton 2012",
    ),
    Choice(
        "adam",
        N_("Adam"),
        N_("Combines momentum and RMSprop."),
        "Kingma & Ba 2014, arXiv 1412.6980",
    ),
    Choice(
        "adamw",
        N_("AdamW"),
        N_("Adam with weight decay decoupled from the gradient."),
        "Loshchilov & Hutter 2017, arXiv 1711.05101",
    ),
)

SCHEDULES = (
    Choice("constant", N_("constant"), N_("The learning rate does not change.")),
    Choice(
        "step",
        N_("step"),
        N_("Divided by 10 after half of the steps, and again after three quarters."),
    ),
    Choice(
        "cosine",
        N_("cosine"),
        N_("Decays to zero along half a cosine."),
        "Loshchilov & Hutter 2016, arXiv 1608.03983",
    ),
    Choice(
        "one_cycle",
        N_("one-cycle"),
        N_("Rises for 30 % of the steps, then decays to nearly zero."),
        "Smith & Topin 2017, arXiv 1708.07120",
    ),
    Choice(
        "warm_up",
        N_("warm-up"),
        N_("Rises over the first 10 % of the steps, then stays constant."),
        "Goyal et al. 2017, arXiv 1706.02677",
    ),
)

SPARSENING = (
    Choice("one_shot", N_("one-shot"), N_("All weights are pruned before the first step.")),
    Choice(
        "linear",
        N_("linear"),
        N_("Sparsity rises linearly over the first two thirds of the steps."),
    ),
    Choice(
        "cubic",
        N_("cubic"),
        N_("Sparsity rises fast at first, then slower, over the first two thirds of the steps."),
        "Zhu & Gupta 2017, arXiv 1710.01878",
    ),
    Choice(
        "rewind",
        N_("iterative with rewinding"),
        N_("Four rounds: train, prune, reset the remaining weights to their initial values."),
        "Frankle & Carbin 2018, arXiv 1803.03635",
    ),
)

ROUNDINGS = (
    Choice(
        "straight_through",
        N_("straight-through"),
        N_("Weights are rounded in every step; gradients ignore the rounding."),
        "Bengio et al. 2013, arXiv 1308.3432",
    ),
    Choice(
        "learned",
        N_("learned step size"),
        N_("The quantization scales are trained too (LSQ)."),
        "Esser et al. 2019, arXiv 1902.08153",
        alias="lsq",
    ),
    Choice("afterwards", N_("afterwards"), N_("Weights are rounded once, after training.")),
)

MATCHINGS = (
    Choice(
        "soft_targets",
        N_("soft targets"),
        N_("The student learns the teacher's probabilities, softened by the temperature."),
        "Hinton et al. 2015, arXiv 1503.02531",
    ),
    Choice(
        "logits",
        N_("logits"),
        N_("The student learns the teacher's raw outputs; the temperature has no effect."),
        "Ba & Caruana 2013, arXiv 1312.6184",
    ),
)

NORMS = (
    Choice(
        "recalibrate",
        N_("recalibrate"),
        N_("Means and variances are measured again before training."),
    ),
    Choice("keep", N_("keep"), N_("Training starts with the original's means and variances.")),
)

PRECISIONS = (
    Choice("float32", N_("float32"), N_("All computations use 32 bits.")),
    Choice(
        "mixed",
        N_("mixed, with bfloat16"),
        N_("Layers compute in 16 bits: faster on processors with bfloat16 instructions."),
        "Micikevicius et al. 2017, arXiv 1710.03740",
    ),
)

MIRRORINGS = (
    Choice("never", N_("never"), N_("Images are not mirrored.")),
    Choice("half", N_("half of them"), N_("Half of the images, chosen at random, are mirrored.")),
)

SELF = "self"
"""The teacher name that means the original model."""


@dataclass(frozen=True)
class Train(Settings):
    """Train the weights, with pruning masks and rounding applied, before they are encoded.

    The weights depend on `seed` and `threads`, bit for bit; that is why both are part of a recipe.

    Attributes
    ----------
    steps, batch : int
        The number of steps, and the training examples in each.
    start : str
        Whether to continue from the trained weights, or to train from scratch.
    width, left_out : float, int
        For a network trained from scratch: the fraction of channels and neurons that it has, and
        the number of layers that it lacks.
    teacher : str
        The name of a model of the same task, optionally followed by ``?`` and a recipe as in a
        link; ``self`` for the original model; empty for none. A `Model` is replaced by its name.
    temperature, mix, matching : float, float, str
        Of distillation; `mix` is the teacher's fraction of the loss.
    labels : float
        The share of the training examples whose labels are used: the same ones for the same seed,
        in proportion to the classes, at least one of each class. A teacher still answers on all
        examples; without a teacher, only the labeled examples are used.
    sparsening : str
        When weights are pruned during training.
    rounding : str
        How training takes quantization into account.
    batch_norm : str
        How the running statistics are set before training.
    optimizer : str
        How weights are updated.
    learning_rate, schedule : float, str
        The step size at the peak of the schedule, and how it changes over the steps.
    weight_decay : float
        How strongly weights are pulled toward zero.
    label_smoothing : float
        The fraction of each label that is spread evenly over all classes.
    dropout : float
        The fraction of the inputs of fully connected layers that is dropped at random.
    clip : float
        The largest L2 norm of a gradient; 0 does not clip.
    shift, mirror : int, str
        Random changes of images: the largest shift in pixels, and whether half are mirrored.
    patience : int
        The number of validation checks, of 20, without improvement after which training ends with
        the best weights; 0 disables early stopping.
    average : float
        The decay of a moving average of the weights; 0 keeps the weights of the last step.
    precision : str
        The floating-point format of computations during training.
    seed, threads : int
        The seed of all random numbers, and the cores used.

    Examples
    --------
    >>> import workbench as wb
    >>> recipe = wb.Recipe(wb.Prune(0.9), wb.Train(steps=4, batch=32, learning_rate=0.01))
    >>> artifact = wb.compress(wb.model("fashion/mlp-32"), recipe)
    >>> artifact.recipe.train.optimizer
    'adamw'
    """

    steps: int = integer(300, (0, 200_000), N_("steps"), N_("The number of batches to train on."))
    start: str = choice("trained", STARTS, N_("start"), N_("Where training begins."))
    width: float = real(
        1.0,
        (0.1, 1.0, 0.05),
        N_("width"),
        N_("The fraction of channels and neurons that a network trained from scratch has."),
    )
    left_out: int = integer(
        0,
        (0, 2),
        N_("layers left out"),
        N_("The number of layers or blocks that a network trained from scratch lacks."),
    )
    teacher: str = text(
        "",
        N_("teacher"),
        N_(
            "The model whose outputs the student learns, self for the original, or empty; "
            "optionally with a recipe, as in fashion/resnet?prune.sparsity=0.5."
        ),
    )
    temperature: float = real(
        4.0,
        (0.5, 20.0, 0.5),
        N_("temperature"),
        N_("How much the teacher's outputs are softened; above 1, unlikely classes weigh more."),
    )
    mix: float = real(
        0.9,
        (0.0, 1.0, 0.05),
        N_("weight of the teacher"),
        N_("The teacher's fraction of the loss; the rest comes from the labels."),
    )
    matching: str = choice(
        "soft_targets", MATCHINGS, N_("matching"), N_("What the student learns from the teacher.")
    )
    labels: float = real(
        1.0,
        (0.001, 1.0, 0.001),
        N_("share of labels"),
        N_(
            "The fraction of the training examples whose labels are used; a teacher answers on all "
            "of them."
        ),
    )
    sparsening: str = choice(
        "one_shot",
        SPARSENING,
        N_("sparsity schedule"),
        N_("When weights are pruned during training."),
    )
    rounding: str = choice(
        "straight_through",
        ROUNDINGS,
        N_("rounding"),
        N_("How training takes quantization into account."),
    )
    batch_norm: str = choice(
        "recalibrate",
        NORMS,
        N_("batch norm"),
        N_("How the running statistics are set before training."),
    )
    optimizer: str = choice("adamw", OPTIMIZERS, N_("optimizer"), N_("How weights are updated."))
    learning_rate: float = real(
        1e-3,
        (1e-6, 10.0, 1e-6),
        N_("learning rate"),
        N_("The step size at the peak of the schedule."),
    )
    schedule: str = choice(
        "cosine", SCHEDULES, N_("schedule"), N_("How the learning rate changes over the steps.")
    )
    batch: int = integer(
        128,
        (1, 20_000),
        N_("batch"),
        N_("Examples per step: 1 is stochastic, all of them is batch gradient descent."),
    )
    weight_decay: float = real(
        0.0,
        (0.0, 1.0, 0.01),
        N_("weight decay"),
        N_("How strongly weights are pulled toward zero."),
    )
    label_smoothing: float = real(
        0.0,
        (0.0, 0.5, 0.05),
        N_("label smoothing"),
        N_("The fraction of each label that is spread evenly over all classes."),
    )
    dropout: float = real(
        0.0,
        (0.0, 0.9, 0.1),
        N_("dropout"),
        N_("The fraction of the inputs of fully connected layers that is dropped at random."),
    )
    clip: float = real(
        0.0,
        (0.0, 1000.0, 0.5),
        N_("gradient clipping"),
        N_("The largest norm of a gradient; 0 does not clip."),
    )
    shift: int = integer(
        0, (0, 8), N_("shift"), N_("The largest random shift of images, in pixels.")
    )
    mirror: str = choice(
        "never", MIRRORINGS, N_("mirror"), N_("Whether images are mirrored horizontally.")
    )
    patience: int = integer(
        0,
        (0, 20),
        N_("patience"),
        N_(
            "Stop after this many validation checks (of 20 per run) without improvement and "
            "restore the best weights; 0 disables early stopping."
        ),
    )
    average: float = real(
        0.0,
        (0.0, 0.9999, 0.01),
        N_("averaging"),
        N_(
            "The decay of a moving average of the weights, taken once all pruning is done; 0 keeps "
            "the weights of the last step."
        ),
    )
    precision: str = choice(
        "float32",
        PRECISIONS,
        N_("precision"),
        N_("The floating-point format of computations during training."),
    )
    seed: int = integer(0, (0, 2**31 - 1), N_("seed"), N_("The seed of all random numbers."))
    threads: int = integer(
        2,
        (1, 64),
        N_("threads"),
        N_("The cores used for training; the results depend on it, bit for bit."),
    )

    def __post_init__(self) -> None:
        teacher: Any = self.teacher
        if hasattr(teacher, "architecture"):  # a Model
            object.__setattr__(self, "teacher", teacher.name)
        super().__post_init__()
