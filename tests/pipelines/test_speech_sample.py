import numpy as np
import pytest

from pipelines.speech_sample import SAMPLE_RATE, speech_like


@pytest.mark.parametrize("seconds", [0.01, 0.5, 3.0])
def test_babble_is_as_long_as_asked_for_and_never_clips(seconds: float) -> None:
    sound = speech_like(seconds)
    assert sound.dtype == np.float32
    assert sound.size == round(seconds * SAMPLE_RATE)
    assert np.abs(sound).max() == pytest.approx(0.3)


def test_babble_is_the_same_for_a_seed_and_another_for_another() -> None:
    assert (speech_like(1.0, seed=7) == speech_like(1.0, seed=7)).all()
    assert (speech_like(1.0, seed=7) != speech_like(1.0, seed=8)).any()


def test_babble_has_no_pause() -> None:
    loudness = np.abs(speech_like(10.0)).reshape(-1, SAMPLE_RATE // 10).max(axis=1)
    assert loudness.min() > 0.01
