"""Training: how the weights are trained while they are pruned and quantised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.i18n import mark as N_
from workbench.recipe.schema import Choice, check_fields, spec

STARTS = (
    Choice("trained", N_("trained weights"), N_("Goes on from the weights as they are.")),
    Choice("scratch", N_("from scratch"), N_("Begins with fresh weights, drawn with the seed.")),
)

OPTIMIZERS = (
    Choice("sgd", N_("SGD"), N_("Steps down the gradient of each batch."), "Robbins & Monro 1951"),
    Choice(
        "momentum",
        N_("momentum"),
        N_("SGD that keeps nine tenths of its last step."),
        "Polyak 1964",
    ),
    Choice(
        "nesterov",
        N_("Nesterov"),
        N_("Momentum that looks ahead before it takes the gradient."),
        "Nesterov 1983",
    ),
    Choice(
        "rmsprop",
        N_("RMSprop"),
        N_("Divides each step by the recent size of that weight's gradient."),
        "Tieleman & Hinton 2012",
    ),
    Choice(
        "adam", N_("Adam"), N_("Momentum and RMSprop in one."), "Kingma & Ba 2014, arXiv 1412.6980"
    ),
    Choice(
        "adamw",
        N_("AdamW"),
        N_("Adam with the weight decay kept apart from the gradient."),
        "Loshchilov & Hutter 2017, arXiv 1711.05101",
    ),
)

SCHEDULES = (
    Choice("constant", N_("constant"), N_("The learning rate stays.")),
    Choice("step", N_("step"), N_("A tenth of it after half, a hundredth after three quarters.")),
    Choice(
        "cosine",
        N_("cosine"),
        N_("It falls to zero along half a cosine."),
        "Loshchilov & Hutter 2016, arXiv 1608.03983",
    ),
    Choice(
        "one-cycle",
        N_("one-cycle"),
        N_("It rises for three tenths of the steps and then falls to nearly nothing."),
        "Smith & Topin 2017, arXiv 1708.07120",
    ),
    Choice(
        "warm-up",
        N_("warm-up"),
        N_("It rises over the first tenth and then stays."),
        "Goyal et al. 2017, arXiv 1706.02677",
    ),
)

SPARSENING = (
    Choice("one-shot", N_("at once"), N_("All zeros are set before the first step.")),
    Choice("linear", N_("linear"), N_("Zeros are added evenly over the first two thirds.")),
    Choice(
        "cubic",
        N_("cubic"),
        N_("Zeros are added fast at first, then ever slower, over the first two thirds."),
        "Zhu & Gupta 2017, arXiv 1710.01878",
    ),
    Choice(
        "rewind",
        N_("iterative, rewound"),
        N_("In four rounds: train, set zeros, return what is left to where it began."),
        "Frankle & Carbin 2018, arXiv 1803.03635",
    ),
)

ROUNDINGS = (
    Choice(
        "straight-through",
        N_("straight-through"),
        N_("Weights are rounded in every step, and gradients pass the rounding as if it were not."),
        "Bengio et al. 2013, arXiv 1308.3432",
    ),
    Choice(
        "learned",
        N_("learned step size"),
        N_("The scales of the rounding are trained too."),
        "Esser et al. 2019, arXiv 1902.08153",
    ),
    Choice("afterwards", N_("afterwards"), N_("Weights are rounded once, after training.")),
)

MATCHINGS = (
    Choice(
        "soft targets",
        N_("soft targets"),
        N_("The student learns the teacher's probabilities at the temperature."),
        "Hinton et al. 2015, arXiv 1503.02531",
    ),
    Choice(
        "logits",
        N_("logits"),
        N_("The student learns the teacher's outputs themselves; the temperature plays no part."),
        "Ba & Caruana 2013, arXiv 1312.6184",
    ),
)

NORMS = (
    Choice("recalibrate", N_("recalibrate"), N_("Batch norm is measured anew before training.")),
    Choice("keep", N_("keep"), N_("Batch norm starts with the original's statistics.")),
)

PRECISIONS = (
    Choice("float32", N_("float32"), N_("Everything is computed in 32 bits.")),
    Choice(
        "mixed",
        N_("mixed, with bfloat16"),
        N_("Layers compute in 16 bits: faster where the processor has instructions for it."),
        "Micikevicius et al. 2017, arXiv 1710.03740",
    ),
)

MIRRORINGS = (
    Choice("never", N_("never"), N_("Images stay as they are.")),
    Choice("half", N_("half of them"), N_("Half of the images, drawn by lot, are mirrored.")),
)

SELF = "self"
"""The teacher that is the model's own original."""


@dataclass(frozen=True)
class Train:
    """Train the weights, with zeros held and rounding in place, before they are coded.

    `steps` batches of `batch` training examples; `teacher` names a model of the same task whose
    outputs are learned with the share `mix` at `temperature`, or is that model; ``self`` names the
    model's own original, and nobody is it when empty; after a question mark may follow how it is
    compressed, as in a link.
    A network trained from scratch may be of another `width`, and lack `left_out` layers.
    `threads` and `seed` are part of it because the bits depend on them.
    """

    steps: int = spec(
        300,
        "integer",
        N_("steps"),
        N_("How many batches to train on."),
        low=0,
        high=200_000,
        step=1,
        drawn=(0, 3),
    )
    start: str = spec(
        "trained", "choice", N_("start"), N_("Where training begins."), choices=STARTS
    )
    width: float = spec(
        1.0,
        "real",
        N_("width"),
        N_("The share of its channels and neurons that a network trained from scratch has."),
        low=0.1,
        high=1.0,
        step=0.05,
    )
    left_out: int = spec(
        0,
        "integer",
        N_("layers left out"),
        N_("How many of its layers or blocks a network trained from scratch lacks."),
        low=0,
        high=2,
        step=1,
        drawn=(0, 0),
    )
    teacher: str = spec(
        "",
        "text",
        N_("teacher"),
        N_(
            "The model whose outputs are learned, self for the original, or nobody; a recipe may "
            "follow, as in fashion/resnet?prune.sparsity=0.5."
        ),
        drawn=("", SELF),
    )
    temperature: float = spec(
        4.0,
        "real",
        N_("temperature"),
        N_("How much the teacher's outputs are softened: above 1, unlikely classes show more."),
        low=0.5,
        high=20.0,
        step=0.5,
    )
    mix: float = spec(
        0.9,
        "real",
        N_("weight of the teacher"),
        N_("The share of the loss that comes from the teacher; the rest comes from the labels."),
        low=0.0,
        high=1.0,
        step=0.05,
    )
    matching: str = spec(
        "soft targets",
        "choice",
        N_("matching"),
        N_("What of the teacher is learned."),
        choices=MATCHINGS,
    )
    sparsening: str = spec(
        "one-shot",
        "choice",
        N_("zeros come"),
        N_("How the zeros of pruning come in during training."),
        choices=SPARSENING,
    )
    rounding: str = spec(
        "straight-through",
        "choice",
        N_("rounding"),
        N_("How quantisation takes part in training."),
        choices=ROUNDINGS,
    )
    batch_norm: str = spec(
        "recalibrate",
        "choice",
        N_("batch norm"),
        N_("What happens to the running statistics before training."),
        choices=NORMS,
    )
    optimizer: str = spec(
        "adamw", "choice", N_("optimiser"), N_("The rule of each step."), choices=OPTIMIZERS
    )
    learning_rate: float = spec(
        1e-3,
        "real",
        N_("learning rate"),
        N_("The size of the steps, at the schedule's peak."),
        low=1e-6,
        high=10.0,
        step=1e-6,
        drawn=(1e-5, 1e-3),
    )
    schedule: str = spec(
        "cosine",
        "choice",
        N_("schedule"),
        N_("How the learning rate changes over the steps."),
        choices=SCHEDULES,
    )
    batch: int = spec(
        128,
        "integer",
        N_("batch"),
        N_("Examples per step: 1 is stochastic, all of them is batch gradient descent."),
        low=1,
        high=20_000,
        step=1,
        drawn=(1, 64),
    )
    weight_decay: float = spec(
        0.0,
        "real",
        N_("weight decay"),
        N_("How strongly weights are pulled towards zero."),
        low=0.0,
        high=1.0,
        step=0.01,
    )
    label_smoothing: float = spec(
        0.0,
        "real",
        N_("label smoothing"),
        N_("The share of each label that is spread evenly over the classes."),
        low=0.0,
        high=0.5,
        step=0.05,
    )
    dropout: float = spec(
        0.0,
        "real",
        N_("dropout"),
        N_("The share of the inputs of each fully connected layer left out at random."),
        low=0.0,
        high=0.9,
        step=0.1,
    )
    clip: float = spec(
        0.0,
        "real",
        N_("gradient clipping"),
        N_("The longest gradient that is let through; 0 lets all through."),
        low=0.0,
        high=1000.0,
        step=0.5,
    )
    shift: int = spec(
        0,
        "integer",
        N_("shift"),
        N_("Pixels by which images are moved at random."),
        low=0,
        high=8,
        step=1,
    )
    mirror: str = spec(
        "never",
        "choice",
        N_("mirror"),
        N_("Whether images are mirrored left to right."),
        choices=MIRRORINGS,
    )
    patience: int = spec(
        0,
        "integer",
        N_("patience"),
        N_(
            "Looks at the validation examples, of twenty, without gain after which training stops "
            "with its best weights; 0 never stops early."
        ),
        low=0,
        high=20,
        step=1,
        drawn=(0, 3),
    )
    average: float = spec(
        0.0,
        "real",
        N_("averaging"),
        N_(
            "How slowly the average of the weights moves that is kept, once all zeros have come; "
            "0 keeps the weights of the last step."
        ),
        low=0.0,
        high=0.9999,
        step=0.01,
        drawn=(0.0, 0.99),
    )
    precision: str = spec(
        "float32",
        "choice",
        N_("precision"),
        N_("How exactly layers compute during training."),
        choices=PRECISIONS,
    )
    seed: int = spec(
        0,
        "integer",
        N_("seed"),
        N_("Seeds everything drawn by lot."),
        low=0,
        high=2**31 - 1,
        step=1,
    )
    threads: int = spec(
        2,
        "integer",
        N_("threads"),
        N_("Cores that train; the bits depend on it."),
        low=1,
        high=64,
        step=1,
        drawn=(1, 2),
    )

    def __post_init__(self) -> None:
        teacher: Any = self.teacher
        if hasattr(teacher, "architecture"):  # a model: its name is plain data
            object.__setattr__(self, "teacher", teacher.name)
        check_fields(self, "train")
