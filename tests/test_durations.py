import sys
from pathlib import Path

import pytest

from tests import durations


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """What pytest wrote about a run of two tests."""
    path = tmp_path / "durations.xml"
    path.write_text(
        '<testsuites><testsuite><testcase classname="tests.test_ports" name="test_b" time="9999"/>'
        '<testcase classname="tests.test_ports" name="test_c" time="1.0"/></testsuite></testsuites>'
    )
    return path


def test_a_test_over_its_limit_is_named() -> None:
    [slow] = durations.too_slow({("tests.api.test_a", "test_b"): 21.5}, 1.0)

    assert slow.line == "slow test: tests.api.test_a::test_b took 22 s, at most 20"


def test_a_file_over_its_limit_is_named_though_each_test_is_quick() -> None:
    seconds = {("tests.api.test_a", f"test_{number}"): 16.0 for number in range(4)}

    [slow] = durations.too_slow(seconds, 1.0)

    assert slow.line == "slow file: tests.api.test_a took 64 s, at most 60"


def test_on_a_busy_machine_tests_may_take_longer() -> None:
    assert [*durations.too_slow({("tests.api.test_a", "test_b"): 21.5}, 2.0)] == []


def test_what_is_quick_when_it_runs_alone_is_forgiven(
    report: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["durations", str(report)])

    durations.main()

    assert "passed" in capfd.readouterr().out


def test_what_is_slow_alone_as_well_fails_the_check(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["durations", str(report)])
    monkeypatch.setattr(durations, "TEST_SECONDS", 0.0)

    with pytest.raises(SystemExit, match=r"slow test: tests\.test_ports::"):
        durations.main()
