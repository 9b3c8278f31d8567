"""The built-in tasks and models. A new model needs one file and one line here."""

from __future__ import annotations

from workbench.domain.model import Architecture
from workbench.i18n import mark
from workbench.zoo.fashion import TASK as FASHION
from workbench.zoo.reviews import TASK as REVIEWS
from workbench.zoo.reviews_lm import TASK as REVIEWS_LM
from workbench.zoo.vowels import TASK as VOWELS

TASKS = {task.name: task for task in (FASHION, REVIEWS, REVIEWS_LM, VOWELS)}

ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("fashion/lenet-300-100", FASHION, mark("LeNet-300-100, fully connected")),
        Architecture("fashion/lenet5", FASHION, mark("LeNet-5, convolutional")),
        Architecture("fashion/resnet", FASHION, mark("ResNet, small and residual")),
        Architecture("fashion/lenet5-narrow", FASHION, mark("Student: LeNet-5, narrow")),
        Architecture("fashion/mlp-32", FASHION, mark("Student: one hidden layer of 32")),
        Architecture("fashion/cnn-10k", FASHION, mark("Student: convolutions, 10,000 weights")),
        Architecture("reviews/gru", REVIEWS, mark("GRU, bidirectional")),
        Architecture("reviews/transformer", REVIEWS, mark("Transformer encoder")),
        Architecture("reviews/bag", REVIEWS, mark("Bag of embeddings")),
        Architecture("reviews-lm/gpt", REVIEWS_LM, mark("GPT, small")),
        Architecture("vowels/cnn", VOWELS, mark("Convolutions over time")),
        Architecture("vowels/gru", VOWELS, mark("GRU")),
    )
}

CUSTOM_PREFIX = "custom/"
"""The names of custom models begin with this."""
