"""Memory stays flat however long the video is."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.long_clip import build_long_clip

#: All pipelines, one after the other, in a process whose peak memory is its own.
SCRIPT = """
import sys
from pathlib import Path
from pipelines.media import probe
from pipelines.progress import Progress
from pipelines.registry.catalog import load_catalog

media, folder = probe(Path(sys.argv[1])), Path(sys.argv[1]).parent
for name, config in {
    "face_detection": {"maximum_side": 64, "sample_rate": 240},
    "scene_detection": {},
    "speech_activity": {},
}.items():
    card = load_catalog().cards[name]
    card.load_annotate()(media, card.config(**config), folder, Progress())
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))
"""


def peak_megabytes(sample: Path, folder: Path, seconds: int) -> float:
    folder.mkdir()
    clip = build_long_clip(folder / "clip.mp4", seconds, sample)
    command = [sys.executable, "-c", SCRIPT, str(clip)]
    done = subprocess.run(command, check=True, timeout=600, capture_output=True, text=True)
    return int(done.stdout) / 1024


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_times_as_long_a_video_takes_no_more_memory(sample: Path, tmp_path: Path) -> None:
    """180 s more are 900 frames: 622 MB if they were kept. The network's own peak differs by up to
    120 MB from one run to the next, whatever the length.
    """
    short, long = (peak_megabytes(sample, tmp_path / str(span), span) for span in (20, 200))
    assert long < short + 300
    assert long < 1500
