"""The network of Silero VAD 6 for 16 kHz, which detects voices in sounds."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

FRAME = 512
"""Samples per frame: 32 ms."""
CONTEXT = 64
"""Samples of the previous frame that precede each frame."""
REFLECTED = 64
"""Samples of reflection padding at the end."""


class Detector(nn.Module):
    """Magnitudes of a Fourier transform, four convolutions, an LSTM over the frames."""

    def __init__(self) -> None:
        super().__init__()
        self.fourier = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm = nn.LSTM(128, 128, batch_first=True)
        self.fc = nn.Linear(128, 1)

    def frame_logits(self, x: Tensor) -> Tensor:
        """Map sounds [b, frames · 512] to the logit of a voice in each frame, [b, frames]."""
        frames = functional.pad(x, (CONTEXT, 0)).unfold(1, CONTEXT + FRAME, FRAME)
        y = functional.pad(frames.flatten(0, 1).unsqueeze(1), (0, REFLECTED), mode="reflect")
        real, imaginary = self.fourier(y).chunk(2, dim=1)
        y = (real**2 + imaginary**2).sqrt()
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            y = layer(y).relu()
        y, _state = self.lstm(y.squeeze(-1).unflatten(0, frames.shape[:2]))
        logits: Tensor = self.fc(y.relu()).squeeze(-1)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        """Map sounds [b, frames · 512] to logits [b, 2], no voice and voice."""
        voice = self.frame_logits(x).mean(1)
        return torch.stack([-voice / 2, voice / 2], dim=1)


def load_detector(stored: Mapping[str, Tensor]) -> Detector:
    """Return the network with the weights of Silero's file."""
    module = Detector()
    state = {name: t for name, t in stored.items() if name.startswith("conv")}
    state["fourier.weight"] = stored["stft_conv.weight"]
    state["fc.weight"] = stored["final_conv.weight"].squeeze(-1)
    state["fc.bias"] = stored["final_conv.bias"]
    for part in ("weight", "bias"):
        for side in ("ih", "hh"):
            state[f"lstm.{part}_{side}_l0"] = stored[f"lstm_cell.{part}_{side}"]
    module.load_state_dict(state)
    return module.eval()
