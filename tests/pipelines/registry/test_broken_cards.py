"""Third parties' cards that are wrong, installed by pip: none of them hides another pipeline."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

_PROJECT = Path(__file__).parents[3]
#: What Dagster's code server loads, and what the registry says of it.
_LOAD = """
import json
from orchestration.definitions import definitions
from pipelines.registry.catalog import load_catalog
catalog = load_catalog()
definitions.get_repository_def().load_all_definitions()
print(json.dumps({
    "jobs": [job.name for job in definitions.resolve_all_job_defs()],
    "cards": catalog.names,
    "broken": {entry.name: entry.error for entry in catalog.broken},
}))
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The names of the jobs and of the cards beside them, and each broken entry's error."""
    packages, home = tmp_path_factory.mktemp("packages"), tmp_path_factory.mktemp("home")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    options = ["--no-build-isolation", "--disable-pip-version-check", "--target", str(packages)]
    subprocess.run([*install, *options, str(_PROJECT / "tests/packages/broken")], check=True)
    told = subprocess.run(
        [sys.executable, "-c", _LOAD],
        cwd=_PROJECT,
        env={**os.environ, "PYTHONPATH": str(packages), "FRAMEGATE_HOME": str(home)},
        stdout=subprocess.PIPE,
        check=True,
    )
    result: Mapping[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("away", "No module named 'framegate_broken.away'"),
        ("exits", "SystemExit: no licence"),
        ("no_card", "expected a PipelineCard, got dict"),
        ("numbered", "version Input should be a valid string"),
        ("demanding", "its config has fields without a default: threshold"),
        ("opaque", "Cannot generate a JsonSchema"),
        ("guessing", "KeyError: 'threshold'"),
        ("type", "the name 'type' is reserved"),
        ("library_batch", "the name 'library_batch' is reserved"),
        ("scene_detection_graph", "the name 'scene_detection_graph' is reserved"),
        ("face_detection", "there is a pipeline named 'face_detection' already"),
        ("of_no_version", "Name its group of entry points framegate.pipelines.v1."),
        (
            "of_an_old_version",
            "version 0 of the SDK, and this Framegate has 1. Install a newer rel",
        ),
        ("of_a_new_version", "version 999 of the SDK, and this Framegate has 1. Install a newer F"),
    ],
)
def test_a_wrong_card_is_a_broken_entry_that_says_why(
    loaded: Mapping[str, Any], name: str, why: str
) -> None:
    assert why in loaded["broken"][name]
    assert "\n" not in loaded["broken"][name]


def test_the_other_pipelines_are_jobs_as_ever(loaded: Mapping[str, Any]) -> None:
    ours = {"face_detection", "scene_detection", "speech_activity"}

    assert ours <= set(loaded["cards"])
    assert set(loaded["cards"]) <= set(loaded["jobs"])


def test_a_careless_card_that_can_be_used_is_a_job_too(loaded: Mapping[str, Any]) -> None:
    assert "careless" in loaded["jobs"]
