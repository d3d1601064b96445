"""A whole sound as mono, every sample at its time, as tests compare it."""

from typing import Any

import numpy as np

from pipelines.media import Media
from pipelines.sound import audio


def heard(media: Media, sample_rate: int = 16_000, **options: Any) -> np.ndarray:
    """(n,) float32, the mean of the channels; silent where there is nothing."""
    whole = np.zeros(0, np.float32)
    for sound in audio(media, sample_rate=sample_rate, **options):
        pause = max(0, round(sound.start * sample_rate) - whole.size)
        whole = np.concatenate([whole, np.zeros(pause, np.float32), sound.mono])
    return whole
