"""Presets: what may stand in the files, and that a bad one disturbs no other."""

import os
import time
from pathlib import Path

import pytest

from orchestration.dagster_internals.testing import DISALLOWED_NAMES
from pipelines.registry.catalog import Catalog, load_catalog
from pipelines.registry.presets import Presets, load_presets

GOOD = "pipelines: [scene_detection]\nconfig: {scene_detection: {threshold: 0.3}}\n"


@pytest.fixture
def catalog() -> Catalog:
    return load_catalog()


def _load(folder: Path, catalog: Catalog, content: str | bytes, name: str = "night") -> Presets:
    content = content.encode() if isinstance(content, str) else content
    (folder / f"{name}.yaml").write_bytes(content)
    return load_presets(folder, catalog)


def test_a_preset_has_what_its_file_says(tmp_path: Path, catalog: Catalog) -> None:
    text = f"{GOOD}description: At night.\npriority: 3\nowner: ana\ntags: {{a: b}}\n"

    preset = _load(tmp_path, catalog, text + "link_results: true\n").usable["night"]

    assert preset.pipelines == ("scene_detection",)
    assert preset.config == {"scene_detection": {"threshold": 0.3}}
    assert preset.complete_config["scene_detection"].model_dump()["threshold"] == 0.3
    assert (preset.priority, preset.owner, preset.tags) == (3, "ana", {"a": "b"})
    assert preset.link_results is True


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("pipelines: [nothing_such]", "pipelines.0"),
        ("pipelines: []", "pipelines"),
        ("pipelines: scene_detection", "pipelines"),
        ("pipeline: [scene_detection]", "pipeline"),
        ("pipelines: [scene_detection]\nconfig: 3", "config"),
        (GOOD.replace("0.3", "7"), "config.scene_detection.threshold"),
        (GOOD.replace("threshold", "treshold"), "config.scene_detection.treshold"),
        (f"{GOOD}owner: no", "owner"),
        (f"{GOOD}priority: 1001", "priority"),
        (f"{GOOD}tags: {{a: 1}}", "tags.a"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    text: str, field: str, tmp_path: Path, catalog: Catalog
) -> None:
    problems = _load(tmp_path, catalog, text).problems

    assert field in [problem.field for problem in problems]
    assert {problem.file for problem in problems} == {"night.yaml"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: &a [1, 1]\nb: *a", "aliases are not allowed"),
        (f"{GOOD}pipelines: [face_detection]", "stands there twice"),
        ("a: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("[" * 60_000, "Nested too deep"),
        ("a" * 70_000, "larger than 64 KiB"),
        (b"pipelines: [caf\xe9]", "not UTF-8"),
        ("pipelines: [", "Line 1"),
        ("a: 2026-99-99", "Not YAML"),
        (f"a: {'9' * 60_000}", "Not YAML"),
        ("", "Value must be an object"),
    ],
)
def test_hostile_and_broken_files_are_problems_at_once(
    content: str | bytes, message: str, tmp_path: Path, catalog: Catalog
) -> None:
    started_at = time.monotonic()

    [problem] = _load(tmp_path, catalog, content).problems

    assert message in problem.message
    assert time.monotonic() - started_at < 30


@pytest.mark.parametrize(
    "name",
    [
        *("scene_detection", "annotate", "probe", "library_batch", "retention_sweep", "input"),
        *("class", "Night", "9night", "night faces", "a" * 64),
    ],
)
def test_a_name_that_cannot_be_a_job_of_its_own_is_a_problem(
    name: str, tmp_path: Path, catalog: Catalog
) -> None:
    presets = _load(tmp_path, catalog, GOOD, name)

    assert not presets.usable
    assert len(presets.problems) == 1


def test_no_name_that_dagster_reserves_is_let_through(tmp_path: Path, catalog: Catalog) -> None:
    for name in DISALLOWED_NAMES:
        (tmp_path / f"{name}.yaml").write_text(GOOD)

    assert not load_presets(tmp_path, catalog).usable


def test_of_two_files_of_one_name_the_second_is_a_problem(tmp_path: Path, catalog: Catalog) -> None:
    (tmp_path / "night.yml").write_text(GOOD)

    presets = _load(tmp_path, catalog, GOOD)

    assert list(presets.usable) == ["night"]
    assert [problem.file for problem in presets.problems] == ["night.yml"]


def test_a_bad_preset_disturbs_no_other(tmp_path: Path, catalog: Catalog) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "bad.yaml").write_text(": :")
    (tmp_path / ".hidden.yaml").write_text("bad: [")
    (tmp_path / "notes.txt").write_text("not a preset")

    presets = _load(tmp_path, catalog, GOOD)

    assert list(presets.usable) == ["night"]
    files = {problem.file for problem in presets.problems}
    assert files == {"pipe.yaml", "folder.yaml", "gone.yaml", "bad.yaml"}


def test_without_a_folder_there_are_no_presets(tmp_path: Path, catalog: Catalog) -> None:
    assert load_presets(tmp_path / "presets", catalog) == Presets()
