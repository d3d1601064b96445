"""Which limits a run has: the settings go before the cards, and these before the defaults."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.cgroup import usable_memory
from orchestration.launcher.limits import Limits, limits_of
from orchestration.settings import Settings
from pipelines.registry.catalog import Catalog, load_catalog
from pipelines.registry.spec import TimeLimit

GIGABYTE = 1000**3
ALL = ["scene_detection", "speech_activity"]


@pytest.fixture
def catalog() -> Catalog:
    """The cards as they come, but that speech has limits of its own."""
    cards = load_catalog().cards
    speech = replace(
        cards["speech_activity"], memory_limit=3 * GIGABYTE, time_limit=TimeLimit(60.0, factor=2.0)
    )
    return Catalog({**cards, "speech_activity": speech})


def _settings(home: Path, monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"FRAMEGATE_{name}", value)
    return Settings(home=home)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    return _settings(tmp_path, monkeypatch)


def test_a_run_may_hold_half_of_the_machines_memory(catalog: Catalog, settings: Settings) -> None:
    assert limits_of(["scene_detection"], catalog, settings).memory == usable_memory() // 2


def test_a_card_says_what_its_pipeline_may_take(catalog: Catalog, settings: Settings) -> None:
    limits = limits_of(["speech_activity"], catalog, settings)

    assert limits.memory == 3 * GIGABYTE
    assert limits.time["speech_activity"].seconds(100.0) == 260.0


def test_of_several_pipelines_the_one_that_may_hold_most_counts(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(tmp_path, monkeypatch, MEMORY_LIMITS_GB='{"scene_detection": 2.5}')

    assert limits_of(ALL, catalog, settings).memory == 3 * GIGABYTE


def test_a_setting_goes_before_the_card(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(
        tmp_path,
        monkeypatch,
        MEMORY_LIMITS_GB='{"*": 4, "speech_activity": 1}',
        TIME_LIMITS='{"*": {"base_seconds": 9, "factor": 1}, "scene_detection": {"factor": 7}}',
    )

    limits = limits_of(ALL, catalog, settings)

    assert limits.memory == 4 * GIGABYTE
    assert limits.time["speech_activity"] == TimeLimit(9.0, factor=1.0)
    assert limits.time["scene_detection"].factor == 7.0


def test_limits_survive_the_way_to_the_supervisor(catalog: Catalog, settings: Settings) -> None:
    limits = limits_of(ALL, catalog, settings)

    assert Limits.from_message(limits.to_message()) == limits


@pytest.mark.parametrize(
    ("name", "value"),
    [("MEMORY_LIMITS_GB", '{"*": 0}'), ("TIME_LIMITS", '{"*": {"base_seconds": -1}}')],
)
def test_a_limit_that_nothing_could_keep_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        _settings(tmp_path, monkeypatch, **{name: value})
