from pathlib import Path

import pytest

from tests import durations


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """What pytest wrote about a run of two tests."""
    path = tmp_path / "durations.xml"
    path.write_text(
        '<testsuites><testsuite><testcase classname="tests.api.test_a" name="test_b" time="21.5"/>'
        '<testcase classname="tests.api.test_a" name="test_c" time="1.0"/></testsuite></testsuites>'
    )
    return path


def test_a_test_over_its_limit_is_named(report: Path) -> None:
    [line] = durations.too_slow(durations.read(report), 1.0)

    assert line == "slow test: tests.api.test_a::test_b took 22 s, at most 20"


def test_a_file_over_its_limit_is_named_though_each_test_is_quick() -> None:
    seconds = {("tests.api.test_a", f"test_{number}"): 16.0 for number in range(4)}

    assert list(durations.too_slow(seconds, 1.0)) == [
        "slow file: tests.api.test_a took 64 s, at most 60"
    ]


def test_on_a_busy_machine_tests_may_take_longer(report: Path) -> None:
    assert list(durations.too_slow(durations.read(report), 2.0)) == []
