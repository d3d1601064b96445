from pathlib import Path

import pytest

from orchestration.launcher.oom import RecentKills


@pytest.fixture
def counters(tmp_path: Path) -> Path:
    path = tmp_path / "vmstat"
    _count(path, 3)
    return path


def _count(path: Path, kills: int) -> None:
    path.write_text(f"pgfault 12\noom_kill {kills}\nnuma_hit 7\n")


def test_a_kill_just_before_counts(counters: Path) -> None:
    recent = RecentKills(counters)
    recent.look()
    _count(counters, 4)

    assert recent.count() == 1

    recent.look()  # who was killed may take a while to die
    assert recent.count() == 1


def test_a_kill_of_long_ago_does_not_count(counters: Path) -> None:
    recent = RecentKills(counters)
    _count(counters, 4)
    recent.look()
    recent.look()

    assert recent.count() == 0


def test_where_the_kernel_does_not_count_there_are_none(tmp_path: Path) -> None:
    assert RecentKills(tmp_path / "missing").count() == 0
