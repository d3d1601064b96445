"""Reads a YAML file that a person wrote by hand: strictly, and safely whatever is in it.

No tags beyond plain values, no aliases (a few lines of them can stand for gigabytes) and no key
twice, of which YAML would silently drop one.
"""

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 64 * 1024


class YamlFileError(Exception):
    """The file cannot be read as YAML; the message says where and why."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def read_yaml(path: Path) -> Any:
    """What the file holds. Raises YamlFileError."""
    text = _read_text(path)
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader, and stricter
    except yaml.MarkedYAMLError as error:
        raise YamlFileError(_described(error), "Check quotes, colons and indentation.") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise YamlFileError(f"Not YAML: {_first_line(error)}") from error
    except RecursionError as error:
        raise YamlFileError("Nested too deep.") from error


class _StrictLoader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # PyYAML's own
            raise yaml.composer.ComposerError(None, None, "aliases are not allowed", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        keys: set[tuple[str, str]] = set()
        for key, _value in node.value:
            name = (key.tag, str(key.value))
            if name in keys:
                problem = f"the key {key.value!r} stands there twice"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            keys.add(name)
        return super().construct_mapping(node, deep=deep)


#: `1e-3` is a number to everybody but YAML 1.1.
_StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?[0-9]+[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise YamlFileError(f"The file cannot be read: {error.strerror}.") from error
    if len(content) > MAX_BYTES:
        raise YamlFileError(f"The file is larger than {MAX_BYTES // 1024} KiB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise YamlFileError("The file is not UTF-8 text.", "Save it as UTF-8.") from error


def _described(error: yaml.MarkedYAMLError) -> str:
    problem = _first_line(error.problem or error.context or error)
    mark = error.problem_mark or error.context_mark
    return f"Line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


def _first_line(error: object) -> str:
    return str(error).split("\n", 1)[0][:200]
