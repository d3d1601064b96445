"""From probabilities to segments of speech, by Silero's own rules."""

from collections.abc import Sequence
from dataclasses import dataclass

from silero_vad import get_speech_timestamps_from_probs

from pipelines.speech_activity.config import SpeechActivityConfig
from pipelines.speech_activity.listening import Stretch
from pipelines.speech_activity.network import SAMPLE_RATE, Floats


@dataclass(frozen=True)
class Segment:
    """Somebody speaks from `start` to `end`, in seconds."""

    start: float
    end: float

    @property
    def duration(self) -> float:
        return self.end - self.start


def find_all_segments(stretches: Sequence[Stretch], config: SpeechActivityConfig) -> list[Segment]:
    """The segments of sound with breaks in it; a break shorter than the minimum of silence does not
    end one.
    """
    found: list[Segment] = []
    for stretch in stretches:
        first = stretch.start / SAMPLE_RATE
        for part in find_segments(stretch.probabilities, stretch.samples, config):
            segment = Segment(first + part.start, first + part.end)
            if found and segment.start - found[-1].end < config.minimum_silence_seconds:
                segment = Segment(found.pop().start, segment.end)
            found.append(segment)
    return found


def find_segments(
    probabilities: Floats, samples: int, config: SpeechActivityConfig
) -> list[Segment]:
    """The segments in order of time, apart from each other, in a sound of so many samples."""
    if not samples:
        return []
    found = get_speech_timestamps_from_probs(
        probabilities.tolist(),
        sampling_rate=SAMPLE_RATE,
        threshold=config.threshold,
        min_speech_duration_ms=config.minimum_speech_seconds * 1000,
        min_silence_duration_ms=config.minimum_silence_seconds * 1000,
        speech_pad_ms=config.padding_seconds * 1000,
        audio_length_samples=samples,
    )
    return [Segment(part["start"] / SAMPLE_RATE, part["end"] / SAMPLE_RATE) for part in found]
