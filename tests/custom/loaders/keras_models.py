"""Keras models of several kinds of layers."""

from __future__ import annotations

import keras
import numpy as np

L = keras.layers


def attention():
    x = start = keras.Input((9, 8))
    x = L.LayerNormalization()(x + L.MultiHeadAttention(2, 4)(x, x))
    return keras.Model(start, L.Dense(4)(L.GlobalAveragePooling1D()(x)))


def branches():
    a, b = keras.Input((8,), name="a"), keras.Input((8, 8, 1), name="b")
    y = L.Dense(6)(L.Flatten()(L.Conv2D(4, 3, activation="relu")(b)))
    x = L.Dense(6, activation="gelu")(a)
    return keras.Model([a, b], L.Dense(4)(L.Concatenate()([x, y, x * y])))


def nested():
    inner = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3), L.PReLU(), L.Flatten()])
    start = keras.Input((8, 8, 3))
    return keras.Model(start, L.Dense(4)(inner(start) + inner(start * 0.5)))


def without_input():
    model = keras.Sequential([L.Dense(8, activation="relu"), L.Dense(4)])
    model(np.zeros((1, 12), "float32"))
    return model


MODELS = {
    "attention": (attention, (9, 8)),
    "branches": (branches, None),
    "nested": (nested, (8, 8, 3)),
    "without an input": (without_input, (12,)),
    "recurrent": (
        lambda: keras.Sequential(
            [
                keras.Input((5, 6)),
                L.Bidirectional(L.LSTM(4, return_sequences=True)),
                L.GRU(4),
                L.Dense(4),
            ]
        ),
        (5, 6),
    ),
    "channels first": (
        lambda: keras.Sequential(
            [
                keras.Input((3, 9, 9)),
                L.Conv2D(6, 3, data_format="channels_first"),
                L.BatchNormalization(axis=1),
                L.DepthwiseConv2D(3, data_format="channels_first"),
                L.GlobalAveragePooling2D(data_format="channels_first"),
                L.Dense(4),
            ]
        ),
        (3, 9, 9),
    ),
}
"""By name: the function that makes a model, and the shape of an example if it has one input."""


@keras.saving.register_keras_serializable("tests")
class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs


def doubled():
    return keras.Sequential([keras.Input((3,)), Doubled(name="twice"), L.Dense(4)])
