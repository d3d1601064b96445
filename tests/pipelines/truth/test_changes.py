"""Where the picture changes on the way, each frame is shown in its own size."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pipelines.fitting import Size
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.snapshots import snapshots
from tests.pipelines.truth import base
from tests.pipelines.truth.joining import join_sizes, join_transport_streams
from tests.pipelines.truth.wrapping import Wrapping

SMALL, LARGE, TALL = Size(160, 120), Size(480, 360), Size(240, 320)


@pytest.mark.parametrize("codec", ["libvpx", "libvpx-vp9"])
@pytest.mark.parametrize(
    "parts",
    [
        ((SMALL, 8), (LARGE, 16)),
        ((LARGE, 8), (SMALL, 16)),
        ((SMALL, 6), (TALL, 6), (LARGE, 6), (SMALL, 6)),
    ],
)
def test_every_frame_has_its_own_size(
    tmp_path: Path, codec: str, parts: tuple[tuple[Size, int], ...]
) -> None:
    media = probe(join_sizes(tmp_path / "clip.webm", codec, parts))
    sizes = [size for size, count in parts for _ in range(count)]
    shown = list(frames(media))
    assert [frame.size for frame in shown] == sizes
    assert [frame.image.shape[1::-1] for frame in shown] == sizes
    assert [base.read_number(frame.image) for frame in shown] == list(range(len(sizes)))


def test_a_snapshot_of_another_shape_is_not_squeezed(tmp_path: Path) -> None:
    path = join_sizes(tmp_path / "clip.webm", "libvpx", ((LARGE, 10), (TALL, 10)))
    _, tall = snapshots(probe(path), [0.1, 0.6], (320, 240))
    assert tall.shape == (240, 320, 3)
    assert tall[:, :60].max() == 0
    assert np.abs(tall[60:230, 80:230].astype(int)).mean() > 30


SQUARE = Wrapping(codec="mpeg2video", aspect=Fraction(1))
WIDE = Wrapping(codec="mpeg2video", aspect=Fraction(4, 3))


@pytest.mark.parametrize(
    ("parts", "widths"),
    [
        ((SQUARE, WIDE), (320, 427)),
        ((WIDE, SQUARE), (427, 320)),
        ((SQUARE, WIDE, SQUARE, WIDE), (320, 427, 320, 427)),
        (
            (
                Wrapping(aspect=Fraction(16, 11)),
                Wrapping(aspect=Fraction(12, 11)),
            ),
            (465, 349),
        ),
        (
            (
                Wrapping(aspect=Fraction(3, 4), options={"bf": "3"}),
                Wrapping(aspect=Fraction(40, 33), options={"bf": "3"}),
            ),
            (240, 388),
        ),
    ],
)
def test_every_frame_has_its_own_shape_of_pixels(
    tmp_path: Path, parts: tuple[Wrapping, ...], widths: tuple[int, ...]
) -> None:
    media = probe(join_transport_streams(tmp_path, "clip.ts", parts))
    share = base.PICTURES // len(parts)
    shown = {base.read_number(frame.image): frame.size for frame in frames(media)}
    assert len(shown) > base.PICTURES - 2
    for number, size in shown.items():
        assert size == (widths[number // share], base.HEIGHT), number
