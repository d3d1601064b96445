"""The ZIP: standard, and exactly as long as promised."""

import io
import zipfile
from pathlib import Path

import pytest

from api.results import archive
from api.results.archive import Entry, archive_size, stream_archive
from contracts.checked_file import check_beneath


@pytest.fixture
def files(tmp_path: Path) -> list[Entry]:
    contents = {"video.mp4": b"v" * 3_000_000, "empty.json": b"", "тест 🎬.json": b"{}"}
    entries = []
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        entries.append(Entry(name, len(content), check_beneath(tmp_path, name)))
    return [*entries, Entry("manifest.json", 2, b"{}")]


def test_an_archive_is_a_zip_of_its_entries_uncompressed(files: list[Entry]) -> None:
    whole = b"".join(stream_archive(files))
    with zipfile.ZipFile(io.BytesIO(whole)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [entry.name for entry in files]
        assert {info.compress_type for info in opened.infolist()} == {zipfile.ZIP_STORED}
        assert opened.read("manifest.json") == b"{}"
        assert len(opened.read("video.mp4")) == 3_000_000


def test_the_length_is_known_beforehand(files: list[Entry]) -> None:
    for count in range(len(files) + 1):
        whole = b"".join(stream_archive(files[:count]))
        assert len(whole) == archive_size(files[:count])


@pytest.mark.parametrize("limit", [0, 1, 50, 100, 1000, 2_900_000, 3_000_000, 3_100_000, 4_000_000])
def test_the_length_is_known_for_large_files_too(
    files: list[Entry], monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """With the limit moved, small files take the paths of those beyond 2 GiB."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", limit)
    monkeypatch.setattr(archive, "_ZIP64_LIMIT", limit)
    assert len(b"".join(stream_archive(files))) == archive_size(files)


def test_a_file_that_changed_meanwhile_breaks_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"12345")
    with pytest.raises(ValueError, match="changed"):
        b"".join(stream_archive([Entry("video.mp4", 4, check_beneath(path.parent, path.name))]))


def test_an_archive_is_streamed_in_pieces(files: list[Entry]) -> None:
    pieces = list(stream_archive(files))
    assert max(len(piece) for piece in pieces) < 2_000_000
