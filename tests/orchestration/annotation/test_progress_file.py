"""The small file in which a run says how far each of its pipelines is."""

import json
from pathlib import Path

import pytest

from orchestration.annotation.progress_file import ProgressFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.json"


def test_what_one_pipeline_wrote_stays_when_the_next_begins(path: Path) -> None:
    """Each op opens the file anew; a pipeline that failed keeps how far it came."""
    ProgressFile(path).write("faces", 0.4)
    ProgressFile(path).write("speech", 0.0)

    assert json.loads(path.read_text()) == {"faces": 0.4, "speech": 0.0}


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"faces": '])
def test_a_file_that_is_not_whole_is_begun_anew(path: Path, content: str) -> None:
    path.write_text(content)
    ProgressFile(path).write("faces", 0.12345)

    assert json.loads(path.read_text()) == {"faces": 0.1235}


def test_a_run_that_begins_once_more_begins_at_nothing(path: Path) -> None:
    ProgressFile(path).write("speech", 0.9)
    ProgressFile(path).clear()
    ProgressFile(path).write("faces", 0.1)

    assert json.loads(path.read_text()) == {"faces": 0.1}
