"""Datumaro, which CVAT reads with, imports the dataset of a job's ZIP.

It wants older versions of pandas and Pillow than are pinned, so it gets an environment of its own.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.clips import clip
from pipelines.face_detection.annotate import annotate
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.media import probe
from pipelines.progress import Progress

_VERSION = "1.13.12"
_IMPORT = """
import json, sys
from datumaro import Dataset
items = Dataset.import_from(sys.argv[1], "coco")
print(json.dumps({item.id: [each.attributes["track_id"] for each in item.annotations]
                  for item in items}))
"""


@pytest.fixture(scope="module")
def datumaro_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with Datumaro in it."""
    folder = tmp_path_factory.mktemp("datumaro") / "environment"
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    pip = (str(python), "-m", "pip", "install", "--quiet", f"datumaro=={_VERSION}")
    installed = subprocess.run(pip, capture_output=True, text=True, timeout=600, check=False)
    if installed.returncode:
        pytest.skip(f"Datumaro cannot be installed here: {installed.stderr[-300:]}")
    return python


def test_datumaro_imports_every_frame_that_was_looked_at(
    datumaro_python: Path, tmp_path: Path
) -> None:
    annotations = tmp_path / "coco" / "annotations"
    annotations.mkdir(parents=True)
    (tmp_path / "coco" / "images").mkdir()
    media = probe(clip("carphone"))
    annotate(media, FaceDetectionConfig(sample_rate=1), tmp_path, Progress())
    [dataset] = tmp_path.glob("instances_*.json")
    dataset.rename(annotations / dataset.name)
    command = [str(datumaro_python), "-c", _IMPORT, str(tmp_path / "coco")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    frames = [f"{media.stem}/{frame:06}" for frame in (0, 30, 60, 90)]
    assert json.loads(answer.stdout) == {frame: [1] for frame in frames}
