"""Whatever a file has suffered, it is read as far as it goes or refused with the defect."""

from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.errors import MediaError
from pipelines.frames import frames
from pipelines.media import Media, probe
from pipelines.snapshots import snapshots
from pipelines.sound import audio


@pytest.fixture(scope="module")
def whole(
    make_video: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """Two seconds of noise to look at and to listen to, by container."""
    random = np.random.default_rng(0)
    images = [random.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(50)]
    sound = random.uniform(-0.5, 0.5, 32_000).astype(np.float32)
    original = make_video(images, sound=sound)
    folder = tmp_path_factory.mktemp("whole")
    return {
        kind: remuxed(original, folder / f"video.{kind}") for kind in ("mp4", "mkv", "ts", "flv")
    }


def remuxed(source_path: Path, path: Path) -> bytes:
    with av.open(str(source_path)) as source, av.open(str(path), "w") as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "flv"])
@pytest.mark.parametrize("seed", range(12))
def test_damaged_bytes_never_crash_the_reader(
    whole: dict[str, bytes], tmp_path: Path, kind: str, seed: int
) -> None:
    random = np.random.default_rng(seed)
    content = np.frombuffer(whole[kind], np.uint8).copy()
    places = random.integers(0, len(content), 4 ** (1 + seed % 6))
    content[places] = random.integers(0, 256, len(places), np.uint8)
    path = tmp_path / "damaged.bin"
    path.write_bytes(content[: len(content) if seed % 4 else len(content) // 2].tobytes())
    with suppress(MediaError):
        read_through(probe(path, name=f"damaged.{kind}"))


def read_through(media: Media) -> None:
    times = [frame.time for frame in islice(frames(media, max_side=32), 1000)]
    assert times == sorted(times)
    for chunk in islice(audio(media), 100):
        assert chunk.samples.dtype == np.float32
    assert all(picture.shape == (24, 32, 3) for picture in snapshots(media, [0.5, 1.5], (32, 24)))
