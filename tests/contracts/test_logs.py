"""A line of the log is one line, in either format, whatever is logged."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from contracts.logs import LogFormat, build_handler, log_context, note

FORGED = "\n2026-11-23T12:00:00.000Z INFO framegate: forged\r\x1b[2K\u2028"

Written = Callable[[], str]


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("tests.logs")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    yield logger
    logger.handlers.clear()


@pytest.fixture(params=["text", "json"])
def log_format(request: pytest.FixtureRequest) -> LogFormat:
    chosen: LogFormat = request.param
    return chosen


def write_to(logger: logging.Logger, log_format: LogFormat) -> Written:
    stream = io.StringIO()
    logger.addHandler(build_handler(log_format, stream))
    return stream.getvalue


def test_a_line_of_text_ends_with_its_fields(logger: logging.Logger) -> None:
    written = write_to(logger, "text")

    logger.info("answered", extra={"status": 200, "path": "/a b", "empty": ""})

    when, line = written().split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", when)
    assert line == 'INFO tests.logs: answered status=200 path="/a b" empty=""\n'


def test_a_line_of_json_has_numbers_as_numbers(logger: logging.Logger) -> None:
    written = write_to(logger, "json")

    logger.info("answered after %s", "a while", extra={"duration_seconds": 0.25})

    line = json.loads(written())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "INFO",
        "logger": "tests.logs",
        "message": "answered after a while",
        "duration_seconds": 0.25,
    }


def test_no_message_and_no_field_can_forge_a_line(
    logger: logging.Logger, log_format: LogFormat
) -> None:
    written = write_to(logger, log_format)

    logger.info("a%s", FORGED, extra={"path": FORGED})

    lines = written().splitlines()
    assert not [line for line in lines if line.startswith("2026-11-23T12:00:00.000Z")]
    assert "\x1b" not in written()
    assert "forged" in written()


def test_a_traceback_belongs_to_its_line(logger: logging.Logger, log_format: LogFormat) -> None:
    written = write_to(logger, log_format)

    def fail() -> None:
        raise ValueError(FORGED)

    try:
        fail()
    except ValueError:
        logger.exception("it failed")

    beginnings = [line for line in written().splitlines() if not line.startswith("    ")]
    assert len(beginnings) == 1
    assert "ValueError" in written()


def test_what_is_known_is_on_every_line_until_it_is_over(
    logger: logging.Logger, log_format: LogFormat
) -> None:
    written = write_to(logger, log_format)

    with log_context(request_id="r1"):
        note(job_id="j1")
        logger.info("inside")
        with log_context(owner="alice"):
            logger.info("deeper")
    note(job_id="j2")
    logger.info("outside")

    inside, deeper, outside = written().splitlines()
    assert "r1" in inside
    assert "j1" in inside
    assert "alice" not in inside
    assert all(known in deeper for known in ("r1", "j1", "alice"))
    assert not any(known in outside for known in ("r1", "j1", "j2"))
