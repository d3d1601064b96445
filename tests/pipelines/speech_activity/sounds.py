"""Sounds for tests: speech where they want it, and music, which is none."""

from collections.abc import Sequence

import numpy as np

from pipelines.speech_activity.network import SAMPLE_RATE
from pipelines.speech_sample import speech_like

Spans = Sequence[tuple[float, float]]


def sound(spans: Spans, seconds: float, noise: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(0)
    samples = random.normal(0, noise, round(seconds * SAMPLE_RATE)).astype(np.float32)
    for seed, (start, end) in enumerate(spans):
        voice = speech_like(end - start, seed)
        samples[round(start * SAMPLE_RATE) :][: voice.size] += voice
    return samples


def music(seconds: float) -> np.ndarray:
    """A melody of chords with a beat."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    roots = 220 * 2 ** (np.array([0, 5, 7, 3, 0, 8, 7, 2])[(times * 2).astype(int) % 8] / 12)
    phase = 2 * np.pi * np.cumsum(roots) / SAMPLE_RATE
    chord = sum(np.sin(phase * factor) for factor in (1, 1.26, 1.5, 2, 3))
    return (0.08 * chord * np.exp(-3 * (times % 0.5))).astype(np.float32)
