"""Run a network in Keras, with its PyTorch backend."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from workbench.deploy.sessions.session import Array, Session

os.environ["KERAS_BACKEND"] = "torch"  # read when Keras is imported

import keras


class KerasSession:
    """A model that Keras loaded from its file, without running code in it."""

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        torch.set_num_threads(settings["threads"])
        with keras.device("cpu"):
            self._model = keras.saving.load_model(path, compile=False, safe_mode=True)

    @torch.no_grad()
    def run(self, inputs: Sequence[Array]) -> Array:
        """Return the outputs for a batch."""
        with keras.device("cpu"):
            outputs = self._model(torch.from_numpy(inputs[0]), training=False)
        array: Array = keras.ops.convert_to_numpy(outputs)
        return array

    def facts(self) -> Mapping[str, Any]:
        """Return the device, the version and the precision of the model's weights."""
        return {
            "provider": "CPU",
            "version": keras.__version__,
            "backend": keras.backend.backend(),
            "precision": self._model.variable_dtype,
        }


def start(path: Path, settings: Mapping[str, Any]) -> Session:
    """Load the model of `path`."""
    return KerasSession(path, settings)
