"""Synthetic sounds from a random seed: a voice that speaks vowels, and other sounds.

The voice is a source-filter model like Klatt's synthesizer (JASA 67, 1980): pulses of the vocal
folds pass through resonances that glide from vowel to vowel, syllable by syllable.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

RATE = 16_000
"""Samples per second."""
STEP = 80
"""Samples with constant resonances: 5 ms."""
VOWELS = np.array(
    [
        (270, 2290, 3010),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (300, 870, 2240),
        (490, 1350, 1690),
    ]
)
"""Frequencies in Hz of the first three resonances (Peterson and Barney, JASA 24, 1952)."""
WIDTHS = (80, 100, 140)
"""Bandwidths of the resonances in Hz."""

Sound = NDArray[np.float64]


def sounds(count: int, samples: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return `count` sounds, float32 [count, samples], and whether each is a voice, int64 0 or 1.

    Every sound has background noise, 5 to 30 dB below it.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % 2)
    rows = []
    for label in labels:
        sound = _voice(samples, rng) if label else OTHERS[rng.integers(len(OTHERS))](samples, rng)
        noise = _colored_noise(samples, rng) * 10 ** (-rng.uniform(5, 30) / 20)
        rows.append(_normalized(_normalized(sound) + noise) * 10 ** rng.uniform(-2.2, -0.8))
    return np.stack(rows).astype(np.float32), labels.astype(np.int64)


def _voice(samples: int, rng: np.random.Generator) -> Sound:
    pitch = rng.uniform(90, 250) * 2 ** _wander(samples, rng, 0.25, 3)
    phase = np.cumsum(pitch / RATE)
    opening = (phase % 1) ** 2 * (1 - phase % 1)  # of the vocal folds
    source = np.diff(opening, prepend=opening[0]) + 0.002 * rng.standard_normal(samples)
    syllable = rng.uniform(0.12, 0.3) * RATE
    stops = np.arange(0, samples + 2 * syllable, syllable)
    vowels = VOWELS[rng.integers(len(VOWELS), size=len(stops))] * rng.uniform(0.9, 1.2)
    middle = np.arange(0, samples, STEP) + STEP / 2
    glide = np.stack([np.interp(middle, stops, vowels[:, n]) for n in range(3)], axis=1)
    loudness: Sound = np.abs(np.sin(np.pi * np.arange(samples) / syllable)) ** 0.7
    return _normalized(_filtered(source, glide)) * (0.15 + 0.85 * loudness)


def _filtered(source: Sound, glide: Sound) -> Sound:
    """Filter a sound with three resonators in series at the frequencies `glide` [steps, 3]."""
    out = source
    for n, width in enumerate(WIDTHS):
        radius = np.exp(-np.pi * width / RATE)
        pieces, state = [], np.zeros(2)
        for at, frequency in zip(range(0, len(out), STEP), glide[:, n], strict=True):
            back = [1, -2 * radius * np.cos(2 * np.pi * frequency / RATE), radius**2]
            piece, state = lfilter([sum(back)], back, out[at : at + STEP], zi=state)
            pieces.append(piece)
        out = np.concatenate(pieces)
    return out


def _colored_noise(samples: int, rng: np.random.Generator) -> Sound:
    """Return noise whose power falls by 0 (white), 3 (pink) or 6 (brown) dB per octave."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1) ** rng.uniform(0, 1)
    return _normalized(np.fft.irfft(spectrum, samples))


def _hum(samples: int, rng: np.random.Generator) -> Sound:
    """Return a power-line hum with its overtones."""
    base, time = rng.choice([50.0, 60.0]), np.arange(samples) / RATE
    strengths = rng.uniform(0, 1, 8) / np.arange(1, 9)
    return _normalized(
        sum(s * np.sin(2 * np.pi * base * (n + 1) * time) for n, s in enumerate(strengths))
    )


def _tone(samples: int, rng: np.random.Generator) -> Sound:
    """Return a tone of gliding frequency."""
    start, stop = rng.uniform(200, 4000, 2)
    return np.sin(2 * np.pi * np.cumsum(np.linspace(start, stop, samples)) / RATE)


def _clicks(samples: int, rng: np.random.Generator) -> Sound:
    """Return clicks with a short decay."""
    hits = (rng.uniform(size=samples) < rng.uniform(3, 20) / RATE) * rng.standard_normal(samples)
    ring = np.exp(-np.arange(800) / rng.uniform(20, 200)) * rng.standard_normal(800)
    return np.convolve(hits, ring)[:samples]


def _silence(samples: int, rng: np.random.Generator) -> Sound:
    return np.zeros(samples)


OTHERS: tuple[Callable[[int, np.random.Generator], Sound], ...] = (
    _colored_noise,
    _hum,
    _tone,
    _clicks,
    _silence,
)


def _wander(samples: int, rng: np.random.Generator, size: float, bends: int) -> Sound:
    ends = rng.normal(0, size, bends + 1)
    return np.interp(np.linspace(0, bends, samples), np.arange(bends + 1), ends)


def _normalized(sound: Sound) -> Sound:
    """Return a sound scaled to a root mean square of 1; silence stays silent."""
    return sound / max(float(np.sqrt(np.mean(sound**2))), 1e-9)
