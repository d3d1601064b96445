import hashlib
from pathlib import Path

import pytest

from contracts.sha256 import sha256_of, sha256_of_open


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def test_a_file_is_known_by_its_content(file: Path) -> None:
    assert sha256_of(file) == hashlib.sha256(b"content").hexdigest()


def test_of_an_open_file_all_counts_wherever_it_is_read(file: Path) -> None:
    with file.open("rb") as opened:
        opened.seek(3)

        assert sha256_of_open(opened.fileno()) == sha256_of(file)
