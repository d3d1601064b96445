"""The manifest says what was made, and is not mistaken for an annotation file."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.findings import Coverage, Findings, ResultFile, Role, Timings
from pipelines.media import probe
from pipelines.outputs.manifest import Manifest, build_manifest, read_manifest, write_manifest
from pipelines.scene_detection.card import CARD

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
#: Top-level keys by which clients recognise annotation files.
TAKEN = {"results", "annotations", "scenes", "attributes", "emotions", "face_id"}


@pytest.fixture
def findings() -> Findings:
    return Findings(
        count=2,
        noun="scenes",
        files=[ResultFile("out.json", Role.ANNOTATIONS, "application/json")],
        device="cpu",
        timings=Timings(0.1, 0.2, 0.3),
        table=[{"scene": 1, "start": "0:00.0"}],
        notes=["A note."],
        facts={"frames": 50},
    )


def build(findings: Findings, folder: Path, clips: dict[str, Path]) -> Manifest:
    return build_manifest(
        card=CARD,
        media=probe(clips["bikes"]),
        config={"threshold": 0.5},
        findings=findings,
        folder=folder,
        created_at=NOW,
    )


def test_a_manifest_is_read_back_as_it_was_written(
    findings: Findings, tmp_path: Path, clips: dict[str, Path]
) -> None:
    (tmp_path / "out.json").write_bytes(b'{"scenes": []}')
    manifest = build(findings, tmp_path, clips)
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    (file,) = manifest.files
    assert file.size_bytes == 14
    assert file.sha256 == hashlib.sha256(b'{"scenes": []}').hexdigest()


def test_it_says_how_much_of_the_media_was_read(
    findings: Findings, tmp_path: Path, clips: dict[str, Path]
) -> None:
    (tmp_path / "out.json").write_bytes(b"{}")
    untold = build(findings, tmp_path, clips)
    assert (untold.complete, untold.covered_seconds) == (None, None)
    part = replace(findings, coverage=Coverage(complete=False, seconds=5.5))
    told = build(part, tmp_path, clips)
    assert (told.complete, told.covered_seconds) == (False, 5.5)


def test_its_keys_are_not_those_of_annotation_files(
    findings: Findings, tmp_path: Path, clips: dict[str, Path]
) -> None:
    (tmp_path / "out.json").touch()
    write_manifest(tmp_path, build(findings, tmp_path, clips))
    content = json.loads((tmp_path / "manifest.json").read_text())
    assert not TAKEN & set(content)
    assert content["created_at"] == "2026-01-02T03:04:05Z"
    assert content["media"]["name"] == "bikes.mp4"


def test_a_named_file_that_was_not_written_is_an_error(
    findings: Findings, tmp_path: Path, clips: dict[str, Path]
) -> None:
    with pytest.raises(FileNotFoundError):
        build(findings, tmp_path, clips)


def test_what_is_not_a_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"pipeline": 3')
    with pytest.raises(ValidationError):
        read_manifest(tmp_path)
