"""How every process of Framegate logs: a line for each record, of text for people or of JSON.

A line has its time in UTC, its level, its logger and a message, then fields. What is known of the
work at hand (`request_id`, `job_id`, `owner`) is on every line that is written while it is done.
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, TextIO

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

#: Their lines, one for each call or migration, would drown everything else.
_TALKATIVE = ("alembic", "httpx", "httpcore")
#: What libraries put on records for formatters of their own.
_FOREIGN_FIELDS = ("color_message", "dagster_meta")
_OWN_FIELDS = frozenset({*RESERVED_ATTRS, *_FOREIGN_FIELDS, "asctime", "message"})
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PLAIN = re.compile(r"[^\s\"=]+")

_known: ContextVar[dict[str, Any] | None] = ContextVar("known", default=None)


def configure(log_format: LogFormat, level: LogLevel, stream: TextIO | None = None) -> None:
    """Sends all that this process logs to `stream`, standard error by default."""
    handler = build_handler(log_format, stream)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    sys.excepthook = _log_crash


def redirect(stream: TextIO) -> None:
    """What was configured goes to another stream from now on: of a process that was forked."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(stream)


def build_handler(log_format: LogFormat, stream: TextIO | None = None) -> logging.Handler:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_text_formatter() if log_format == "text" else _json_formatter())
    handler.addFilter(_add_known)
    return handler


@contextmanager
def log_context(**fields: Any) -> Iterator[None]:
    """Until it ends, these fields are on every line, and those that `note` adds."""
    token = _known.set({**(_known.get() or {}), **fields})
    try:
        yield
    finally:
        _known.reset(token)


def note(**fields: Any) -> None:
    """From now on these fields are on every line of the `knowing` around; without one, on none."""
    known = _known.get()
    if known is not None:
        known.update(fields)


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: message field=value …`.

    Nothing that is logged can look like a line of its own: what has several lines is indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields = [
            f" {name}={_value(value)}"
            for name, value in vars(record).items()
            if name not in _OWN_FIELDS
        ]
        head, *rest = super().format(record).split("\n")
        lines = [f"{head}{''.join(fields)}", *(f"    {line}" for line in rest)]
        return "\n".join(
            line if line.isprintable() else _CONTROLS.sub(_escaped, line) for line in lines
        )


def _text_formatter() -> logging.Formatter:
    return _in_utc(TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))


def _json_formatter() -> logging.Formatter:
    formatter = JsonFormatter(
        ["asctime", "levelname", "name", "message"],
        rename_fields={
            "asctime": "time",
            "levelname": "level",
            "name": "logger",
            "exc_info": "exception",
        },
        reserved_attrs=[*RESERVED_ATTRS, *_FOREIGN_FIELDS],
    )
    return _in_utc(formatter)


def _in_utc(formatter: logging.Formatter) -> logging.Formatter:
    formatter.converter = time.gmtime
    formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    formatter.default_msec_format = "%s.%03dZ"
    return formatter


def _add_known(record: logging.LogRecord) -> bool:
    for name, value in (_known.get() or {}).items():
        vars(record).setdefault(name, value)
    return True


def _value(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _escaped(control: re.Match[str]) -> str:
    return control[0].encode("unicode_escape").decode()


def _log_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("framegate").critical("the process ends", exc_info=(kind, error, trace))
