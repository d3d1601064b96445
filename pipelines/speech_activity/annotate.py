"""Speech activity from a media to its result files."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pipelines.damage import Damage
from pipelines.findings import Findings, ResultFile, Role
from pipelines.media import Media
from pipelines.outputs.picture import timestamp
from pipelines.outputs.rttm import Turn, write_rttm
from pipelines.outputs.webvtt import Cue, write_webvtt
from pipelines.prefetch import prefetched
from pipelines.progress import Progress
from pipelines.sound import Sound, audio
from pipelines.speech_activity.channels import notes_on_channels
from pipelines.speech_activity.config import SpeechActivityConfig
from pipelines.speech_activity.listening import Listener
from pipelines.speech_activity.network import SAMPLE_RATE
from pipelines.speech_activity.segments import Segment, find_all_segments
from pipelines.speech_activity.table import write_speech_table, write_speech_tiers
from pipelines.speech_activity.waveform import draw_waveform
from pipelines.stopwatch import Stopwatch
from pipelines.streams import notes_on_others

_CHUNK_SECONDS = 30
_CHUNKS_AHEAD = 2
_TABLE_ROWS = 24
_COLUMNS = {
    "start": "On the sound's clock, minutes:seconds",
    "end": "On the sound's clock, minutes:seconds",
    "seconds": "How long the segment lasts",
}


def annotate(
    media: Media, config: SpeechActivityConfig, folder: Path, progress: Progress
) -> Findings:
    """Writes WebVTT, CSV, tiers, RTTM if anybody speaks, and the waveform if there is sound.

    Media without sound completes with nothing found and a note. Raises PipelineError.
    """
    stopwatch, damage = Stopwatch(), Damage()
    heard = _listen(media, config, progress, stopwatch, damage)
    segments = find_all_segments(heard.stretches, config)
    with stopwatch.writing():
        files = _write(media, config, folder, heard, segments)
    return Findings(
        count=len(segments),
        noun="speech segments",
        files=files,
        device="cpu",
        timings=stopwatch.timings,
        table=_table(segments),
        columns=_COLUMNS,
        notes=[
            *damage.notes,
            *_notes_on_tracks(media),
            *notes_on_channels(heard.shares, heard.inverted),
        ],
        coverage=damage.coverage,
        facts={"speech_seconds": round(_speech_seconds(segments), 2)},
    )


def _listen(
    media: Media,
    config: SpeechActivityConfig,
    progress: Progress,
    stopwatch: Stopwatch,
    damage: Damage,
) -> Listener:
    listener = Listener(config.threshold)

    def decode(stopped: Callable[[], bool]) -> Iterator[Sound]:
        return audio(
            media,
            sample_rate=SAMPLE_RATE,
            chunk_seconds=_CHUNK_SECONDS,
            damage=damage,
            stopped=stopped,
        )

    with prefetched(decode, _CHUNKS_AHEAD) as ready:
        for sound in stopwatch.decoding(ready):
            with stopwatch.inference():
                listener.listen(sound)
            progress.report(listener.seconds / max(media.duration_seconds, 1e-9))
    with stopwatch.inference():
        listener.finish()
    return listener


def _write(
    media: Media,
    config: SpeechActivityConfig,
    folder: Path,
    heard: Listener,
    segments: Sequence[Segment],
) -> list[ResultFile]:
    captions = f"{media.stem}_speech_activity.vtt"
    cues = (Cue(segment.start, segment.end, "Speech") for segment in segments)
    write_webvtt(folder / captions, cues)
    table, tiers = f"{media.stem}_speech.csv", f"{media.stem}_speech_tiers.json"
    write_speech_table(folder / table, segments)
    write_speech_tiers(folder / tiers, segments)
    files = [
        ResultFile(captions, Role.ANNOTATIONS, "text/vtt"),
        ResultFile(table, Role.ANNOTATIONS, "text/csv"),
        ResultFile(tiers, Role.TIERS, "application/json"),
    ]
    if segments:
        turns = f"{media.stem}_speech_activity.rttm"
        lines = (Turn(segment.start, segment.duration, "speech") for segment in segments)
        write_rttm(folder / turns, media.stem, lines)
        files.append(ResultFile(turns, Role.ANNOTATIONS, "text/plain"))
    if heard.loudness.samples:
        picture = f"{media.stem}_speech_activity.png"
        draw_waveform(
            folder / picture,
            peaks=heard.loudness.peaks,
            probabilities=heard.sureness.peaks,
            segments=segments,
            seconds=heard.seconds,
            threshold=config.threshold,
            title=media.name,
            summary=_in_words(segments, heard.seconds),
        )
        files.append(ResultFile(picture, Role.PREVIEW, "image/png"))
    return files


def _notes_on_tracks(media: Media) -> list[str]:
    """Why nothing is heard, where there is nothing, or else what is left out."""
    if media.audio is not None:
        return notes_on_others(media.streams, "audio")
    if media.undecodable_audio is not None:
        return [f"The file's sound ({media.undecodable_audio}) cannot be decoded."]
    return ["The file has no sound."]


def _speech_seconds(segments: Sequence[Segment]) -> float:
    return sum(segment.duration for segment in segments)


def _in_words(segments: Sequence[Segment], seconds: float) -> str:
    if not segments:
        return f"No speech in {timestamp(seconds)}"
    speech = _speech_seconds(segments)
    noun = "segment" if len(segments) == 1 else "segments"
    return (
        f"{len(segments):,} {noun} of speech, "
        f"{timestamp(speech)} of {timestamp(seconds)} ({speech / seconds:.0%})"
    )


def _table(segments: Sequence[Segment]) -> list[dict[str, str | float]]:
    return [
        {
            "start": timestamp(segment.start),
            "end": timestamp(segment.end),
            "seconds": round(segment.duration, 2),
        }
        for segment in segments[:_TABLE_ROWS]
    ]
