"""Silero VAD on synthetic sounds, if the package with its weights is installed.

The network is that of Silero VAD 6 for 16 kHz (github.com/snakers4/silero-vad, MIT): a Fourier
transform as a convolution, four convolutions, an LSTM. The weights are from the package's
safetensors file, and differ from those of its TorchScript file. No dependency includes recorded
speech, so the sounds are synthetic, as the title says.
"""

from __future__ import annotations

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.custom.plugin import LazySplit, ModelPlugin
from workbench.domain.task import Task
from workbench.i18n import mark

if TYPE_CHECKING:
    from torch import nn

PACKAGE = "silero_vad"
FRAMES = 16
"""Frames of 512 samples per sound: half a second."""
SEEDS = {"train": 1, "validation": 2, "test": 3}
COUNT = 1_000
"""Sounds per split."""
VERSION = 1
"""Increase when the synthesis of the sounds changes."""


def plugins() -> list[ModelPlugin]:
    """Return the model if its package is installed."""
    if find_spec(PACKAGE) is None:
        return []
    return [ModelPlugin("voices/silero-vad", mark("Silero VAD, 310,000 weights"), TASK, _module)]


def _read(split: str) -> tuple[Any, Any]:
    from workbench.contrib.voice_detector import FRAME
    from workbench.contrib.voices import sounds

    return sounds(COUNT, FRAMES * FRAME, SEEDS[split])


TASK = Task(
    name="voices",
    title=mark("Voice or not, in synthetic sounds"),
    classes=(mark("No voice"), mark("Voice")),
    source="",
    license="",
    sources=tuple(
        LazySplit(split, sha256(f"voices {VERSION} {seed}".encode()).hexdigest(), _read)
        for split, seed in SEEDS.items()
    ),
    input_type="frames",
)


def _module() -> nn.Module:
    from safetensors.torch import load_file

    from workbench.contrib.voice_detector import load_detector

    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return load_detector(
        load_file(Path(spec.origin).parent / "data" / "silero_vad_16k.safetensors")
    )
