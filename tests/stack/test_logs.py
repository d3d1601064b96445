from pathlib import Path

from api.stack.logs import rotate, tail


def test_logs_of_the_last_starts_are_kept_and_older_ones_go(tmp_path: Path) -> None:
    log = tmp_path / "daemon.log"
    for number in range(6):
        rotate(log)
        log.write_text(f"start {number}")

    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}

    assert kept == {
        "daemon.log": "start 5",
        "daemon.1.log": "start 4",
        "daemon.2.log": "start 3",
        "daemon.3.log": "start 2",
    }


def test_the_tail_is_the_last_lines_of_a_long_log(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("".join(f"line {number}\n" for number in range(100_000)))

    assert tail(log, lines=2) == "line 99998\nline 99999"


def test_the_tail_of_no_log_is_empty(tmp_path: Path) -> None:
    assert tail(tmp_path / "none.log") == ""
