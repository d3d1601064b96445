"""Babble that a voice detector takes for speech: truth with known times for tests and the demo.

Formant synthesis after Rodet's formant wave functions ("Time-domain formant-wave-function
synthesis", Computer Music Journal 8(3), 1984): every pulse of the voice adds a few damped sines,
one per formant of the vowel just spoken; consonants are short bursts of noise. The vowels are the
men's averages of Peterson and Barney (1952).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000

#: First three formants in Hz of the vowels in heed, head, had, father, hawed, who'd and heard.
_VOWELS = np.array(
    [
        (270, 2290, 3010),
        (530, 1840, 2480),
        (660, 1720, 2410),
        (730, 1090, 2440),
        (570, 840, 2410),
        (300, 870, 2240),
        (490, 1350, 1690),
    ],
    dtype=float,
)
_BANDWIDTHS = np.array([60.0, 90.0, 150.0])
_GAINS = np.array([1.0, 0.5, 0.25])
_PITCH = 115.0
_PULSE_SECONDS = 0.03
_ATTACK_SECONDS = 0.001
_PEAK = 0.3


@dataclass(frozen=True)
class _Syllable:
    """A consonant from `start` to `onset`, then a vowel to `end` gliding between two targets."""

    start: float
    onset: float
    end: float
    targets: tuple[NDArray[np.float64], NDArray[np.float64]]


def speech_like(seconds: float, seed: int = 0) -> NDArray[np.float32]:
    """`seconds` of unbroken babble, mono at 16 kHz with a peak of 0.3; the same for a `seed`."""
    random = np.random.default_rng(seed)
    sound = np.zeros(int((seconds + _PULSE_SECONDS) * SAMPLE_RATE) + 1)
    syllables = _syllables(seconds, random)
    _add_voice(sound, syllables, random)
    _add_consonants(sound, syllables, random)
    sound = sound[: round(seconds * SAMPLE_RATE)]
    peak = float(np.abs(sound).max(initial=1e-9))
    return (sound * (_PEAK / peak)).astype(np.float32)


def _syllables(seconds: float, random: np.random.Generator) -> list[_Syllable]:
    syllables = []
    start = 0.0
    while start < seconds:
        onset = start + random.uniform(0.05, 0.09)
        end = onset + random.uniform(0.11, 0.2)
        vowel = _VOWELS[random.integers(len(_VOWELS))]
        glide = vowel * random.uniform(0.93, 1.07, vowel.size)
        syllables.append(_Syllable(start, onset, end, (vowel, glide)))
        start = end
    return syllables


def _add_voice(
    sound: NDArray[np.float64], syllables: list[_Syllable], random: np.random.Generator
) -> None:
    pulses = _pulses(syllables[-1].end, random)
    times = [time for syllable in syllables for time in (syllable.onset, syllable.end)]
    targets = np.array([target for syllable in syllables for target in syllable.targets])
    formants = np.stack([np.interp(pulses, times, formant) for formant in targets.T], axis=1)
    loudness = _loudness(pulses, syllables)
    elapsed = np.arange(int(_PULSE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    decay = _GAINS[:, None] * np.exp(-np.pi * _BANDWIDTHS[:, None] * elapsed)
    decay *= np.minimum(1, elapsed / _ATTACK_SECONDS)
    for pulse, frequencies, level in zip(pulses, formants, loudness, strict=True):
        wave = (decay * np.sin(2 * np.pi * frequencies[:, None] * elapsed)).sum(axis=0)
        place = sound[int(pulse * SAMPLE_RATE) :][: wave.size]
        place += level * wave[: place.size]


def _pulses(seconds: float, random: np.random.Generator) -> NDArray[np.float64]:
    """When the vocal cords close: an intonation about the pitch, with one percent of jitter."""
    pulses = []
    time = 0.0
    while time < seconds:
        pulses.append(time)
        phrase, word = np.sin(2 * np.pi * 0.6 * time), np.sin(2 * np.pi * 2.3 * time)
        pitch = _PITCH * (1 + 0.15 * phrase + 0.06 * word) * (1 + random.normal(0, 0.01))
        time += 1 / pitch
    return np.array(pulses)


def _loudness(times: NDArray[np.float64], syllables: list[_Syllable]) -> NDArray[np.float64]:
    """Soft at consonants, full soon after a vowel's onset, falling towards its end."""
    points = [(0.0, 0.0)]
    for syllable in syllables:
        consonant, vowel = syllable.onset - syllable.start, syllable.end - syllable.onset
        points += [
            (syllable.start + consonant / 2, 0.08),
            (syllable.onset + 0.03, 1.0),
            (syllable.onset + 0.8 * vowel, 0.8),
            (syllable.end, 0.15),
        ]
    at, level = zip(*points, strict=True)
    loudness: NDArray[np.float64] = np.interp(times, at, level)
    return loudness


def _add_consonants(
    sound: NDArray[np.float64], syllables: list[_Syllable], random: np.random.Generator
) -> None:
    for syllable in syllables:
        length = int((syllable.onset - syllable.start) * SAMPLE_RATE)
        hiss = np.diff(random.normal(0, 1, length), prepend=0)
        place = sound[int(syllable.start * SAMPLE_RATE) :][:length]
        place += (random.uniform(0.06, 0.12) * np.hanning(length) * hiss)[: place.size]
