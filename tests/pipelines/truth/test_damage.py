"""What is missing of a file is told, where and how much; what is whole is not called damaged."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.damage import Damage
from pipelines.errors import MediaError
from pipelines.media import probe
from pipelines.sound import audio
from tests.pipelines.truth import base
from tests.pipelines.truth.speaking import Speaking, listen, speak

SOUNDS = [
    Speaking("a.mp4", "aac", muxing={"movflags": "+faststart"}),
    Speaking("fragmented.mp4", "aac", muxing={"movflags": "frag_keyframe+empty_moov"}),
    Speaking("a.mkv", "aac", muxing={"cluster_time_limit": "500"}),
    Speaking("a.webm", "libopus", 48_000, muxing={"cluster_time_limit": "500"}),
    Speaking("a.ts", "aac", 48_000),
    Speaking("a.avi", "libmp3lame", 44_100),
    Speaking("a.mp3", "libmp3lame", 44_100),
    Speaking("a.wav", "pcm_s16le"),
    Speaking("a.flac", "flac"),
    Speaking("a.ogg", "libopus", 48_000),
    Speaking("a.flv", "aac", 44_100),
    Speaking("a.aac", "aac", 48_000),
    Speaking("a.nut", "aac"),
]
#: Zeros in PCM are silence; raw AAC has no clock, so that what is missing is not known.
ZEROED = [sound for sound in SOUNDS if sound.name not in {"a.wav", "fragmented.mp4", "a.aac"}]


def read(path: Path) -> Damage:
    damage = Damage()
    for _ in audio(probe(path), damage=damage):
        pass
    return damage


def changed(path: Path, change: Callable[[bytes], bytes]) -> Path:
    path.write_bytes(change(path.read_bytes()))
    return path


def named(sound: Speaking) -> str:
    return sound.name


@pytest.mark.parametrize("sound", SOUNDS, ids=named)
def test_a_whole_file_is_complete_and_has_no_note(tmp_path: Path, sound: Speaking) -> None:
    damage = read(speak(tmp_path, sound))
    assert damage.notes == []
    assert damage.coverage is not None
    assert damage.coverage.complete
    assert damage.coverage.seconds == pytest.approx(base.SECONDS, abs=0.15)


@pytest.mark.parametrize("share", [0.5, 0.77, 0.93])
@pytest.mark.parametrize("sound", SOUNDS, ids=named)
def test_a_file_that_is_cut_off_says_how_far_it_goes(
    tmp_path: Path, sound: Speaking, share: float
) -> None:
    path = changed(speak(tmp_path, sound), lambda content: content[: int(len(content) * share) - 5])
    damage = read(path)
    assert damage.notes
    assert damage.coverage is not None
    assert not damage.coverage.complete
    assert damage.coverage.seconds == pytest.approx(share * base.SECONDS, abs=1.1)


@pytest.mark.parametrize("sound", ZEROED, ids=named)
def test_a_zeroed_stretch_is_told(tmp_path: Path, sound: Speaking) -> None:
    def zero(content: bytes) -> bytes:
        start, end = int(len(content) * 0.4), int(len(content) * 0.6)
        return content[:start] + bytes(end - start) + content[end:]

    damage = read(changed(speak(tmp_path, sound), zero))
    assert damage.notes
    assert damage.coverage is not None
    assert not damage.coverage.complete
    assert 1.0 < damage.coverage.seconds < 3.7


@pytest.mark.parametrize("lost", [1, 3, 20, 64])
def test_packets_that_a_transport_stream_lost_are_told(tmp_path: Path, lost: int) -> None:
    def drop(content: bytes) -> bytes:
        middle = len(content) // 2 // 188 * 188
        return content[:middle] + content[middle + lost * 188 :]

    damage = read(changed(speak(tmp_path, Speaking("a.ts", "aac", 48_000)), drop))
    assert any(
        note.startswith(("The file is damaged", "The file has a gap")) for note in damage.notes
    )
    assert damage.coverage is not None
    assert not damage.coverage.complete


def test_an_mp4_whose_index_is_missing_is_refused_with_its_defect(tmp_path: Path) -> None:
    path = speak(tmp_path, Speaking("a.mp4", "aac"))
    with pytest.raises(MediaError, match="index \\(moov\\) is missing"):
        probe(changed(path, lambda content: content[: len(content) // 2]))


@pytest.mark.parametrize("told", [9.0, 1.0])
def test_a_header_that_tells_another_length_is_noted(tmp_path: Path, told: float) -> None:
    """FLAC tells in its header how many samples there are: 36 bits from byte 21 on."""

    def tell(content: bytes) -> bytes:
        samples = round(told * 16_000)
        return content[:22] + samples.to_bytes(4) + content[26:]

    damage = read(changed(speak(tmp_path, Speaking("a.flac", "flac")), tell))
    early = told > base.SECONDS
    start = "The file ends early" if early else "The file goes on to 0:04.0"
    assert [note.startswith(start) for note in damage.notes] == [True]
    assert damage.coverage is not None
    assert damage.coverage.complete is not early
    assert damage.coverage.seconds == pytest.approx(base.SECONDS, abs=0.1)


def test_a_recording_without_samples_is_refused_as_empty(tmp_path: Path) -> None:
    path = changed(speak(tmp_path, Speaking("a.wav", "pcm_s16le")), lambda content: content[:78])
    with pytest.raises(MediaError, match="there is no sound in it"):
        probe(path)


def test_what_speech_activity_finds_says_that_it_is_not_all(tmp_path: Path) -> None:
    path = changed(speak(tmp_path, SOUNDS[0]), lambda content: content[: len(content) * 6 // 10])
    found = listen(path)
    assert found.coverage is not None
    assert not found.coverage.complete
    assert any(note.startswith("The file ends early") for note in found.notes)
