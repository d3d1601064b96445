"""Bodies for validation that mean no good, each just below what it takes: tests post them too."""

import json
from dataclasses import dataclass
from typing import Any

_ONE = "/api/v1/pipelines/validate"
_SEVERAL = "/api/v1/config/validate"


@dataclass(frozen=True)
class HostileBody:
    """`name` says what is wrong with `content`."""

    name: str
    path: str
    content: bytes


def hostile_bodies() -> list[HostileBody]:
    """Each costs most in another place: parsing, judging, or finding words for what is wrong."""
    unknown = {f"unknown_{number}": {} for number in range(25_000)}
    some, others = list(unknown)[:12_500], {f"other_{number}": {} for number in range(12_500)}
    return [
        _of_one("19,000 unknown fields", {f"treshold_{number}": 1 for number in range(19_000)}),
        _of_one("160,000 wrong values", [[]] * 160_000),
        _of_one("one string of half a megabyte", {"device": "x" * 450_000}),
        _of_several("25,000 unknown configs", unknown),
        _of_several("25,000 unknown pipelines", {}, list(unknown)),
        _of_several("12,500 configs of others than selected", others, some),
        _of_several("one pipeline 25,000 times", {}, ["face_detection"] * 25_000),
        HostileBody("a key twice, at the end of half a megabyte", _ONE, _with_a_key_twice()),
        HostileBody(
            "half a character, at the end of half a megabyte", _ONE, _with_half_a_character()
        ),
        HostileBody("300,000 levels", _ONE, b'{"pipeline": "p", "config": ' + b"[" * 300_000),
    ]


def _of_one(name: str, config: Any) -> HostileBody:
    return HostileBody(name, _ONE, _json({"pipeline": "face_detection", "config": config}))


def _of_several(name: str, config: Any, selected: list[str] | None = None) -> HostileBody:
    return HostileBody(name, _SEVERAL, _json({"config": config, "selected_pipelines": selected}))


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _with_a_key_twice() -> bytes:
    pairs = ",".join(f'"{number}":1' for number in range(45_000))
    return f'{{"pipeline":"p","config":{{{pairs},"7":1}}}}'.encode()


def _with_half_a_character() -> bytes:
    strings = r'"\ud83d\ude00",' * 32_000
    return rf'{{"pipeline":"p","config":[{strings}"\ud83d"]}}'.encode()
